/* sinks.h - the log files of a worker, and when they are written to. */
#ifndef ENGINE_SINKS_H
#define ENGINE_SINKS_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct event;
struct poller;
struct sink;
struct weir_logfile;

struct sinks {
	struct sink **v; /* in order of the conf's logfiles */
	size_t n;
	struct poller *poller;
	struct event *tick;
	uint64_t tick_ms; /* when it comes; UINT64_MAX: not armed */
};

/* fds: what target_open() made of each log file of conf; they stay the
 * caller's.  -1 with errno. */
int sinks_init(struct sinks *ss, struct poller *poller, const struct conf *conf,
	const int *fds);
/* Writes what is left and can be written. */
void sinks_done(struct sinks *ss);
/* As sink_line(), sink_reopen(), for that log file. */
void sinks_line(struct sinks *ss, const struct weir_logfile *to,
	const char *line, size_t len, uint32_t wait_ms);
int sinks_reopen(struct sinks *ss, size_t i, int fd);

#endif
