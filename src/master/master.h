/* master.h - the process that binds, forks workers and keeps them alive. */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include "heritage.h"

struct activation;
struct conf;

struct conf_overrides;

struct master_options {
	const char *file; /* to load again, and with what: */
	const struct conf_overrides *over;
	int ready_fd; /* gets "listen ..." and "ready ..." lines; -1: none */
	struct activation *activation; /* sockets that are there already */
};

/* Runs weir until it was told to stop: 0, or 1 with the reason logged when it
 * refused to start or ran out of workers.  Closes ready_fd.  worker runs in
 * each child and never returns. */
int master_run(const struct conf *conf, const struct master_options *opt,
	void (*worker)(const struct heritage *),
	void (*keeper)(const struct heritage *));

#endif
