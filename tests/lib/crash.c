/* crash.c - faults that a weir under load has to live with. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/crash.h"
#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define WORKERS	  2
#define BRIEF	  6
#define KEPT	  20
#define FDS_TOP	  1024 /* more than a worker has here */
#define POISON_MS 200
#define LATE_MS	  1000
#ifdef WEIR_DEBUG
#define CPU_PERCENT 20
#else
#define CPU_PERCENT 2
#endif

/* ---- one of two workers -------------------------------------------------- */

/* Figures of all kills. */
struct kills {
	struct daemon *d;
	struct load *l;
	unsigned own; /* sockets of a worker without channels */
	int64_t slowest_ms;
	unsigned over; /* slots that took longer than they may */
};

static unsigned
sockets_of(pid_t pid)
{
	const char *to;
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < FDS_TOP; fd++) {
		to = procs_fd(pid, fd);
		n += to != NULL && strncmp(to, "socket:", 7) == 0;
	}
	return n;
}

static void
stop_process(pid_t pid)
{
	int64_t end = procs_now() + DAEMON_MS;
	const char *state;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	while ((state = procs_status(pid, "State")) != NULL && *state != 'T') {
		assert_true(procs_now() < end);
		poll(NULL, 0, 1);
	}
}

static uint64_t
failures_of(const struct load *l)
{
	return load_failed(load_look(l), LOAD_KINDS_N);
}

static void
kill_worker(struct kills *k, pid_t pid)
{
	int64_t ms = procs_now();

	assert_int_equal(kill(pid, SIGKILL), 0);
	daemon_wait_log(k->d, "is ready", DAEMON_MS);
	ms = procs_now() - ms;
	k->slowest_ms = ms > k->slowest_ms ? ms : k->slowest_ms;
	k->over += ms >= CRASH_READY_MS;
}

/* Of those that fail exactly as many as it had channels: a BRIEF one may end
 * well at the last moment, or not have got its backend yet. */
static void
kill_and_compare(struct kills *k, pid_t pid)
{
	uint64_t before, failed;
	unsigned channels;

	stop_process(pid);
	before = failures_of(k->l);
	channels = (sockets_of(pid) - k->own) / 2;
	kill_worker(k, pid);
	load_settle(k->l);
	failed = failures_of(k->l) - before;
	if (failed + BRIEF < channels || failed > channels + BRIEF)
		fail_msg("killed with %u channels, but %llu failed", channels,
			(unsigned long long)failed);
}

/* Nobody is refused or stays unanswered, no byte is wrong or lost that a
 * living worker had. */
static void
expect_only_ends(const struct load_result *r)
{
	uint64_t ends = load_failed(r, LOAD_UNSERVED) +
			load_failed(r, LOAD_RESET) + load_failed(r, LOAD_SHORT);

	assert_int_equal(load_failed(r, LOAD_KINDS_N), ends);
	assert_true(ends > 0);
	assert_true(r->ok[LOAD_BRIEF] > 0);
	assert_true(r->ok[LOAD_KEPT] > 0);
}

void
crash_one_of_two(unsigned kills)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = BRIEF,
					  [LOAD_KEPT] = KEPT,
					  [LOAD_IDLE] = 100 },
		.seconds = 600,
		.brief_rate = 300,
		.kept_rate = 300,
		.bytes_max = 20000 };
	struct kills k = { .l = load_new() };
	struct load_result r;
	unsigned i;
	pid_t pid;

	k.d = daemon_start("process = { workers = %d; };\n"
			   "servers = ( { name = \"r\";"
			   " listen = \"127.0.0.1:0\";"
			   " middlewares = ( { type = \"forward\";"
			   "  to = \"127.0.0.1:%u\"; } ); } );",
		WORKERS, load_echo(k.l, NULL));
	daemon_expect_alert(k.d, "was killed by signal 9");
	for (i = 0; i < WORKERS; i++)
		daemon_wait_log(k.d, "is ready", DAEMON_MS);
	k.own = sockets_of(daemon_worker(k.d, 0));
	plan.ports[0] = daemon_port(k.d, "r", 0);
	load_start(k.l, &plan);
	load_settle(k.l);
	for (i = 0; i < kills; i++) {
		/* Slow enough for the slots' limit of starts in a second. */
		load_await(k.l, 100);
		pid = daemon_worker(k.d, i % WORKERS);
		if (i / WORKERS % 2 == 0) {
			kill_and_compare(&k, pid);
			continue;
		}
		kill_worker(&k, pid);
		load_settle(k.l);
	}
	load_stop(k.l, &r);
	load_say(&r, "kill -9 of one of two workers");
	print_message("# killed %u times; slowest to be ready again: %lld ms; "
		      "%u took %d ms or more\n",
		kills, (long long)k.slowest_ms, k.over, CRASH_READY_MS);
	expect_only_ends(&r);
	assert_int_equal(daemon_log_count(k.d, "is started again in"), 0);
	assert_int_equal(k.over, 0);
	daemon_stop(k.d);
}

/* ---- a client that kills ------------------------------------------------- */

/* What one poison may take with it: the worker that it is sent to. */
struct victims {
	struct daemon *d;
	unsigned own;	 /* sockets of a worker without channels */
	unsigned lost;	 /* channels at most that all dead workers had */
	unsigned broken; /* by poison, so far */
	pid_t pids[DAEMON_WORKERS];
	unsigned channels[DAEMON_WORKERS];
	size_t n;
};

/* Workers that broke by poison; waits until each of them is reaped. */
static unsigned
count_broken(struct daemon *d)
{
	int64_t end = procs_now() + DAEMON_MS;
	unsigned n;

	while ((n = daemon_log_count(d,
			"this worker breaks (signal 6) in middleware word, "
			"client 127.0.0.1:")) !=
		daemon_log_count(d, "was killed by signal 6")) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
	return n;
}

/* Who lives, and what each has. */
static void
victims_note(struct victims *v)
{
	unsigned sockets;
	size_t i;

	v->broken = count_broken(v->d);
	v->n = daemon_workers(v->d, v->pids);
	for (i = 0; i < v->n; i++) {
		sockets = sockets_of(v->pids[i]);
		v->channels[i] =
			sockets > v->own ? (sockets - v->own + 1) / 2 : 0;
	}
}

/* As many of them are gone as have broken since, at most: nobody died without a
 * poison of its own.  More have broken when one took its poison late, and when
 * a new one did. */
static void
victims_check(struct victims *v)
{
	pid_t pids[DAEMON_WORKERS];
	unsigned gone = 0, broken;
	size_t n = daemon_workers(v->d, pids), i, j;

	for (i = 0; i < v->n; i++) {
		for (j = 0; j < n && pids[j] != v->pids[i]; j++)
			;
		if (j < n)
			continue;
		gone++;
		v->lost += v->channels[i];
	}
	broken = count_broken(v->d) - v->broken;
	assert_true(gone <= broken);
	v->lost += (broken - gone) * KEPT;
}

static void
send_poison(uint16_t port, int64_t until)
{
	int64_t ms;
	int fd = peer_connect(port);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	(void)!write(fd, "!", 1);
	ms = until - procs_now();
	poll(&pfd, 1, ms > 0 ? (int)ms : 0);
	close(fd);
	ms = until - procs_now();
	if (ms > 0)
		poll(NULL, 0, (int)ms);
}

/* A dying worker resets or ends what it has; all else is somebody's fault. */
static void
expect_others_served(
	const struct load_result *r, const struct victims *v, unsigned poisons)
{
	uint64_t ok = load_ok(r), all, in_hands, kept;

	in_hands = load_failed(r, LOAD_UNSERVED) + load_failed(r, LOAD_RESET) +
		   load_failed(r, LOAD_SHORT);
	kept = r->failed[LOAD_KEPT][LOAD_UNSERVED] +
	       r->failed[LOAD_KEPT][LOAD_RESET] +
	       r->failed[LOAD_KEPT][LOAD_SHORT];
	all = ok + load_failed(r, LOAD_KINDS_N);
	print_message("# %u poisons, %u workers killed, which had %u channels; "
		      "%llu of %llu were answered, %llu were in the hands of "
		      "these, %llu of them kept; of all others %.2f %%\n",
		poisons, v->broken, v->lost, (unsigned long long)ok,
		(unsigned long long)all, (unsigned long long)in_hands,
		(unsigned long long)kept,
		100.0 * (double)ok / (double)(all - in_hands));
	/* One at a time; and what lives on keeps what it has. */
	assert_true(v->broken <= poisons);
	assert_true(kept <= v->lost);
	assert_true(in_hands <= v->lost + (uint64_t)v->broken * BRIEF);
	assert_true(ok * 100 >= (all - in_hands) * 99);
}

void
crash_poison(unsigned seconds)
{
	struct load_plan plan = {
		.connections = { [LOAD_BRIEF] = BRIEF, [LOAD_KEPT] = KEPT },
		.seconds = 600,
		.brief_rate = 300,
		.kept_rate = 200,
		.late_ms = LATE_MS
	};
	struct load *l = load_new();
	struct victims v = { 0 };
	struct load_result r;
	int64_t next;
	unsigned i;

	relay_use_trial();
	v.d = daemon_start("process = { workers = %d; };\n"
			   "servers = ( { name = \"r\";"
			   " listen = \"127.0.0.1:0\";"
			   " middlewares = ( { type = \"forward\";"
			   "  to = \"127.0.0.1:%u\"; } ); },"
			   "{ name = \"poison\"; listen = \"127.0.0.1:0\";"
			   " middlewares = ( \"word\", \"echo\" ); } );",
		WORKERS, load_echo(l, NULL));
	daemon_expect_alert(v.d, "was killed by signal 6");
	for (i = 0; i < WORKERS; i++)
		daemon_wait_log(v.d, "is ready", DAEMON_MS);
	v.own = sockets_of(daemon_worker(v.d, 0));
	plan.ports[0] = daemon_port(v.d, "r", 0);
	load_start(l, &plan);
	next = procs_now();
	for (i = 0; i < seconds * 1000 / POISON_MS; i++) {
		load_settle(l);
		victims_note(&v);
		next += POISON_MS;
		send_poison(daemon_port(v.d, "poison", 0), next);
		victims_check(&v);
	}
	load_stop(l, &r);
	load_say(&r, "a client that kills, every 200 ms");
	v.broken = count_broken(v.d);
	assert_true(v.broken >= seconds);
	expect_others_served(&r, &v, i);
	daemon_stop(v.d);
}

/* ---- workers that break in their start ----------------------------------- */

static void
write_conf(struct daemon *d, unsigned workers, uint16_t backend,
	const char *fragile)
{
	daemon_write(d,
		"process = { workers = %u; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";"
		" middlewares = ( { type = \"heed\"; fragile = %s; },"
		"  { type = \"forward\"; to = \"127.0.0.1:%u\"; } ); } );",
		workers, fragile, backend);
}

/* A load alone for so long; the master's CPU meanwhile. */
static int64_t
load_for(struct daemon *d, struct load *l, unsigned seconds)
{
	struct load_plan plan = {
		.connections = { [LOAD_BRIEF] = BRIEF, [LOAD_KEPT] = 4 },
		.ports = { daemon_port(d, "r", 0) },
		.seconds = seconds,
		.brief_rate = 100,
		.kept_rate = 100
	};
	int64_t cpu_ms = procs_cpu_ms(daemon_pid(d));
	struct load_result r;

	load_start(l, &plan);
	load_end(l, &r);
	load_say(&r, "one slot cannot start");
	load_check(&r);
	return procs_cpu_ms(daemon_pid(d)) - cpu_ms;
}

void
crash_loop(unsigned seconds, unsigned most)
{
	struct load *l = load_new();
	uint16_t backend = load_echo(l, NULL);
	struct daemon *d;
	int64_t cpu_ms, ms;
	unsigned forks;

	relay_use_trial();
	d = daemon_new();
	write_conf(d, WORKERS, backend, "true");
	daemon_launch(d);
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_expect_alert(d, "was killed by signal 6");
	daemon_put(d, "abort", "");
	forks = daemon_log_count(d, ") started");
	kill(daemon_worker(d, 1), SIGKILL);
	daemon_wait_log(d, "was killed by signal 9", DAEMON_MS);
	cpu_ms = load_for(d, l, seconds);
	forks = daemon_log_count(d, ") started") - forks;
	write_conf(d, WORKERS, backend, "false");
	ms = procs_now();
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	ms = procs_now() - ms;
	print_message("# %u forks in %u s, %lld ms CPU of the master; ready "
		      "%lld ms after its repair\n",
		forks, seconds, (long long)cpu_ms, (long long)ms);
	assert_in_range(forks, 3, most);
	assert_in_range(cpu_ms, 0, seconds * 10 * CPU_PERCENT);
	assert_in_range(ms, 0, CRASH_READY_MS + 900);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	unlink(daemon_path(d, "abort"));
	daemon_stop(d);
}

/* Longest time from one start of a worker to the next, for so long. */
static int64_t
longest_gap(struct daemon *d, unsigned seconds)
{
	int64_t now = procs_now(), last = now, end = now + seconds * 1000;
	unsigned n, before = daemon_log_count(d, ") started");
	int64_t longest = 0;

	for (; now < end; now = procs_now()) {
		n = daemon_log_count(d, ") started");
		if (now - last > longest)
			longest = now - last;
		if (n != before)
			last = now;
		before = n;
		poll(NULL, 0, 10);
	}
	return longest;
}

void
crash_loop_of_all(unsigned workers, unsigned seconds, unsigned most)
{
	uint16_t port;
	int backend = peer_listen(&port), client, server;
	int64_t gap, ms;
	struct daemon *d;
	unsigned forks, i;

	relay_use_trial();
	d = daemon_new();
	write_conf(d, workers, port, "true");
	daemon_launch(d);
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_expect_alert(d, "was killed by signal 6");
	daemon_put(d, "abort", "");
	forks = daemon_log_count(d, ") started");
	for (i = 0; i < workers; i++)
		kill(daemon_worker(d, i), SIGKILL);
	gap = longest_gap(d, seconds);
	forks = daemon_log_count(d, ") started") - forks;
	unlink(daemon_path(d, "abort"));
	ms = procs_now();
	client = peer_connect(daemon_port(d, "r", 0));
	server = peer_accept(backend);
	ms = procs_now() - ms;
	close(client);
	close(server);
	close(backend);
	print_message(
		"# all of %u slots: %u forks in %u s, %lld ms without one; "
		"served %lld ms after the repair\n",
		workers, forks, seconds, (long long)gap, (long long)ms);
	assert_in_range(forks, seconds, most);
	assert_in_range(gap, 0, CRASH_TRY_MS);
	assert_in_range(ms, 0, CRASH_TRY_MS);
	daemon_stop(d);
}
