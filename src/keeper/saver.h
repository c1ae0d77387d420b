/* saver.h - a child that writes tables to their files, as that may take long.
 */
#ifndef KEEPER_SAVER_H
#define KEEPER_SAVER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct heritage_table;

struct saver {
	struct event_base *base;
	pid_t pid;	    /* 0: none is at work */
	struct event *over; /* reads the end of its pipe */
	uint64_t late_ms;   /* when it has been at work for long */
};

/* Writes one table now; what cannot be written is logged, and stays as it is.*/
void saver_write(const struct heritage_table *t);
/* Is a child at work?  If it has been for long, that is logged. */
bool saver_works(struct saver *s);
/* Lets a child write those of n tables that are wanted; when there can be none,
 * that is logged. */
void saver_start(struct saver *s, const struct heritage_table *tables, size_t n,
	const bool *wanted);
/* Ends the child, whatever it has not written. */
void saver_done(struct saver *s);

#endif
