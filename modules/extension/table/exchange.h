/* exchange.h - what is said to a Redis of rows, and what it answers. */
#ifndef TABLE_EXCHANGE_H
#define TABLE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir.h"

#define EXCHANGE_ROWS	128 /* of one exchange, each way */
#define EXCHANGE_TEXT	768 /* bytes of a row's columns as text */
#define EXCHANGE_EPOCH	128
#define EXCHANGE_NUMBER 24

/* Errors of the script, which end a life: a newer one of this machine, of
 * another keeper, has begun; or it was not heard for so long that others have
 * forgotten what it holds. */
#define EXCHANGE_LATE "LATE a newer keeper of this machine is at work"
#define EXCHANGE_AWAY "AWAY this machine was not heard for too long"

struct redisReply;

/* What Redis runs for each exchange; see exchange.c. */
extern const char exchange_script[];

/* An answer's head. */
struct exchange_head {
	char epoch[EXCHANGE_EPOCH];   /* another one: Redis has lost all */
	char cursor[EXCHANGE_NUMBER]; /* of what others changed, seen so far */
	bool more;		      /* there is more of it */
	char machines[48];	      /* another one: some came, or are gone */
	unsigned nmachines;	      /* that are there, with this one */
	uint64_t as_of;
	size_t rows;
};

/* The columns of a row as text, which alike rows have alike. */
void exchange_write(char text[static EXCHANGE_TEXT],
	const struct weir_share *columns, unsigned n);
/* The latest epochs that can be by now, one for each column: periods by when
 * they begin. */
void exchange_latest(char text[static EXCHANGE_TEXT],
	const struct weir_table_spec *spec, uint64_t clock_ms);
/* Reads it again: 0, or -1 when it is none of n columns. */
int exchange_read(
	const char *text, size_t len, struct weir_share *columns, unsigned n);
/* Reads the head of an answer: 0, or -1 when it is none. */
int exchange_head(const struct redisReply *reply, struct exchange_head *head);
/* The i-th row of an answer, borrowed: 0, or -1 when it is none. */
int exchange_row(const struct redisReply *reply, size_t i,
	struct weir_bytes *key, struct weir_share *columns, unsigned n);
/* Writes a letter for the type of each column. */
void exchange_types(char *types, const struct weir_table_spec *spec);
/* A number of these columns: machines whose is another share nothing. */
uint32_t exchange_layout(const struct weir_table_spec *spec);

#endif
