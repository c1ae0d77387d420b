/* load_run.c - the load's child: its loop, its rates, its end. */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/load_private.h"

#define RUN_EVENTS     256
#define RUN_TICK_MS    10
#define RUN_LOOK_US    20000  /* between two looks for who is late */
#define RUN_BEHIND_US  100000 /* what a rate does not make up for */
#define RUN_CONNECTING 64     /* KEPT and IDLE ones at the same time */
#define RUN_FAILED     3      /* exit status */

static void run_init(struct run *run, struct load *l);
static void run_shed(const struct load *l);
static void run_pace(struct run *run);
static void run_open(struct run *run, enum load_sort sort);
static bool run_allowed(struct run *run, enum load_sort sort, unsigned rate);
static void run_brief(struct run *run);
static void run_requests(struct run *run);
static void run_look(struct run *run);
static void run_stop(struct run *run);
static bool run_over(const struct run *run);
static int run_wait_ms(const struct run *run);
static void run_figures(struct run *run, const struct load *l);
static int64_t now_us(void);

void
run_main(struct load *l)
{
	struct pollfd stop = { .fd = l->stop_fds[0], .events = POLLIN };
	struct epoll_event events[RUN_EVENTS];
	struct echo_wire *wire;
	int64_t look_us = 0;
	struct run run;
	unsigned e;
	int i, n;

	run_init(&run, l);
	while (!run.stopping || !run_over(&run)) {
		run.now_us = now_us();
		for (e = 0; e < l->nechoes; e++)
			echo_tick(&l->echoes[e], run.now_us / 1000);
		if (run.now_us >= look_us) {
			look_us = run.now_us + RUN_LOOK_US;
			run_look(&run);
			run_figures(&run, l);
			/* The parent has been told, if the pipe is full. */
			(void)!write(l->progress_fds[1], "", 1);
			if (!run.stopping && (poll(&stop, 1, 0) == 1 ||
						     run.now_us >= run.stop_us))
				run_stop(&run);
		}
		if (!run.stopping)
			run_pace(&run);
		n = epoll_wait(
			run.epoll, events, RUN_EVENTS, run_wait_ms(&run));
		run.now_us = now_us();
		for (i = 0; i < n; i++) {
			wire = events[i].data.ptr;
			wire->ready(wire, events[i].events);
		}
		run.result->turns += n < RUN_EVENTS;
	}
	run_figures(&run, l);
	_exit(0);
}

void
run_mark(struct run *run, int64_t *last_us, uint64_t *gap_us)
{
	uint64_t gap = (uint64_t)(run->now_us - *last_us);

	if (run->stopping)
		return;
	*last_us = run->now_us;
	if (gap > *gap_us)
		*gap_us = gap;
}

static void
run_init(struct run *run, struct load *l)
{
	struct load_plan *plan = &l->plan;
	unsigned sort, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	run_shed(l);
	*run = (struct run){ .plan = plan,
		.result = l->result,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.key = (uint64_t)getpid() << 40,
		.now_us = now_us() };
	run->start_us = run->connected_us = run->answered_us = run->now_us;
	run->stop_us = run->start_us + (int64_t)plan->seconds * 1000000;
	while (run->nports < LOAD_PORTS && plan->ports[run->nports] != 0)
		run->nports++;
	for (i = 0; i < l->nechoes; i++)
		if (echo_join(&l->echoes[i], run->epoll, run->now_us / 1000) ==
			-1)
			_exit(RUN_FAILED);
	for (sort = 0; sort < LOAD_SORTS_N; sort++) {
		run->free[sort] = plan->connections[sort];
		run->next_us[sort] = run->now_us;
		run->clients[sort] =
			calloc(run->free[sort] + 1, sizeof(struct client));
		if (run->clients[sort] == NULL)
			_exit(RUN_FAILED);
		for (i = 0; i < run->free[sort]; i++)
			run->clients[sort][i] = (struct client){
				.run = run, .sort = sort, .wire.fd = -1
			};
	}
}

/* Has as many descriptors as it may, and none of its parent's. */
static void
run_shed(const struct load *l)
{
	int keep[2 + LOAD_ECHOES], most = STDERR_FILENO, fd;
	struct rlimit files;
	unsigned i, n = 0;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	keep[n++] = l->stop_fds[0];
	keep[n++] = l->progress_fds[1];
	for (i = 0; i < l->nechoes; i++)
		keep[n++] = l->echoes[i].wire.fd;
	for (i = 0; i < n; i++)
		most = keep[i] > most ? keep[i] : most;
	for (fd = STDERR_FILENO + 1; fd < most; fd++) {
		for (i = 0; i < n && keep[i] != fd;)
			i++;
		if (i == n)
			close(fd);
	}
	close_range((unsigned)most + 1, UINT_MAX, 0);
}

static void
run_pace(struct run *run)
{
	run_open(run, LOAD_KEPT);
	run_open(run, LOAD_IDLE);
	run_brief(run);
	run_requests(run);
}

/* Connects those that stand, again if they have fallen. */
static void
run_open(struct run *run, enum load_sort sort)
{
	struct client *c = run->clients[sort];
	const struct client *end = c + run->plan->connections[sort];

	for (; run->free[sort] > 0 && c < end; c++) {
		if (run->connecting >= RUN_CONNECTING)
			return;
		if (c->state == CLIENT_NONE && c->due_us <= run->now_us)
			client_connect(c);
	}
}

/* May there be one more, at that rate a second? */
static bool
run_allowed(struct run *run, enum load_sort sort, unsigned rate)
{
	return rate == 0 || run->next_us[sort] <= run->now_us;
}

static void
run_brief(struct run *run)
{
	unsigned n = run->plan->connections[LOAD_BRIEF], rate, i;
	struct client *c;

	rate = run->plan->brief_rate;
	for (i = 0; i < n && run->free[LOAD_BRIEF] > 0 &&
		    run_allowed(run, LOAD_BRIEF, rate);
		i++) {
		c = &run->clients[LOAD_BRIEF][run->cursor[LOAD_BRIEF]++ % n];
		if (c->state != CLIENT_NONE || c->due_us > run->now_us)
			continue;
		client_connect(c);
		if (rate > 0)
			run->next_us[LOAD_BRIEF] += 1000000 / rate;
	}
	if (run->next_us[LOAD_BRIEF] < run->now_us - RUN_BEHIND_US)
		run->next_us[LOAD_BRIEF] = run->now_us - RUN_BEHIND_US;
}

static void
run_requests(struct run *run)
{
	unsigned n = run->plan->connections[LOAD_KEPT], rate, i;
	struct client *c;

	rate = run->plan->kept_rate;
	for (i = 0; i < n && run_allowed(run, LOAD_KEPT, rate); i++) {
		c = &run->clients[LOAD_KEPT][run->cursor[LOAD_KEPT]++ % n];
		if (c->state != CLIENT_HELD)
			continue;
		client_request(c);
		if (rate > 0)
			run->next_us[LOAD_KEPT] += 1000000 / rate;
	}
	if (run->next_us[LOAD_KEPT] < run->now_us - RUN_BEHIND_US)
		run->next_us[LOAD_KEPT] = run->now_us - RUN_BEHIND_US;
}

/* Who is late?  At the end of all time: who has not ended? */
static void
run_look(struct run *run)
{
	int64_t late_us = (int64_t)run->plan->late_ms * 1000, took_us;
	bool over = run->stopping && run->now_us >= run->stop_us;
	struct client *c;
	unsigned sort, i;

	for (sort = 0; sort < LOAD_SORTS_N; sort++)
		for (i = 0; i < run->plan->connections[sort]; i++) {
			c = &run->clients[sort][i];
			took_us = run->now_us - c->since_us;
			if (c->state == CLIENT_NONE || c->state == CLIENT_HELD)
				continue;
			if (over && c->since_us + late_us >= run->stop_us)
				client_fail(c, LOAD_OPEN, 0,
					"%llu bytes of %llu came",
					(unsigned long long)c->got,
					(unsigned long long)c->goal);
			else if (took_us > late_us)
				client_fail(c, LOAD_LATE, 0,
					"%s for %lld ms, %llu bytes of "
					"%llu came",
					c->state == CLIENT_CONNECTING
						? "connecting"
						: "waiting",
					(long long)took_us / 1000,
					(unsigned long long)c->got,
					(unsigned long long)c->goal);
		}
}

/* From now on nothing begins, but for the ends of those that stand. */
static void
run_stop(struct run *run)
{
	struct load_result *r = run->result;
	struct client *c;
	unsigned i;

	run_mark(run, &run->connected_us, &r->connect_gap_us);
	run_mark(run, &run->answered_us, &r->request_gap_us);
	r->took_ms = (uint64_t)(run->now_us - run->start_us) / 1000;
	run->stopping = true;
	run->stop_us = run->now_us + (int64_t)run->plan->late_ms * 1000;
	for (i = 0; i < run->plan->connections[LOAD_KEPT]; i++) {
		c = &run->clients[LOAD_KEPT][i];
		if (c->state == CLIENT_HELD)
			client_finish(c);
	}
	for (i = 0; i < run->plan->connections[LOAD_IDLE]; i++) {
		c = &run->clients[LOAD_IDLE][i];
		if (c->state == CLIENT_HELD)
			client_request(c);
	}
}

static bool
run_over(const struct run *run)
{
	unsigned sort;

	for (sort = 0; sort < LOAD_SORTS_N; sort++)
		if (run->free[sort] < run->plan->connections[sort])
			return false;
	return true;
}

static int
run_wait_ms(const struct run *run)
{
	int64_t next_us = run->now_us + RUN_TICK_MS * 1000;

	if (run->stopping)
		return RUN_TICK_MS;
	if (run->plan->brief_rate > 0 && run->free[LOAD_BRIEF] > 0 &&
		run->next_us[LOAD_BRIEF] < next_us)
		next_us = run->next_us[LOAD_BRIEF];
	if (run->plan->kept_rate > 0 && run->result->standing[0] > 0 &&
		run->next_us[LOAD_KEPT] < next_us)
		next_us = run->next_us[LOAD_KEPT];
	/* At least 1: who is behind would turn round in vain otherwise. */
	if (next_us <= run->now_us + 1000)
		return 1;
	return (int)((next_us - run->now_us + 999) / 1000);
}

static void
run_figures(struct run *run, const struct load *l)
{
	struct rusage use;
	uint64_t faults = 0;
	unsigned i;

	for (i = 0; i < l->nechoes; i++)
		faults += l->echoes[i].faults;
	run->result->faults = faults;
	getrusage(RUSAGE_SELF, &use);
	run->result->cpu_ms =
		(uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
		(uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000;
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
