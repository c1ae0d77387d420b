/* plan.h - a master whose workers are a function of the test. */
#ifndef LIB_PLAN_H
#define LIB_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct heritage;

/* What the workers do and how the master is set up. */
struct plan {
	void (*worker)(const struct heritage *);
	unsigned workers;
	uint32_t start_timeout_ms;
	uint32_t close_wait_ms;
	bool background;
};

/* The master of that plan, for daemon_launch_function() and
 * daemon_fork_function(). */
int plan_run(int ready_fd, void *plan);
/* Starts it and waits until it is ready; limits that are 0 become DAEMON_MS. */
struct daemon *plan_start(struct plan *plan);
/* Runs the master of weir.conf in the working directory: what master_run()
 * returns; 4, and why, when it cannot be loaded. */
int plan_run_file(int ready_fd, void (*worker)(const struct heritage *));

#endif
