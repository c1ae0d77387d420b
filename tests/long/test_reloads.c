/* test_reloads.c - hundreds of reloads and thousands of signals under load:
 * nobody fails, and nothing is left. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"
#include "lib/reload.h"

#define SECONDS	    900 /* that one of these may last */
#define RELOADS	    200
#define IDLE	    4000
#define LOADS	    4	/* that begin one after the other */
#define CHANGES	    100 /* of the number of workers */
#define CHANGES_TOP 8	/* workers */
#define BAD	    100 /* under load */
#define BAD_LEAST   60	/* kinds of files */
#define BAD_MORE    1000
#define BAD_LATE    10 /* every so many fail late */
#define GROWTH_KB   64
#define SIGNALS	    2000
#define STOP_MS	    2000

static const struct load_plan plan_all = { .seconds = SECONDS,
	.connections = { [LOAD_BRIEF] = 8, [LOAD_KEPT] = 32 },
	.brief_rate = 1000,
	.kept_rate = 1000,
	.bytes_max = 20000 };

static void
write_relay(
	struct daemon *d, unsigned workers, const char *options, uint16_t echo)
{
	daemon_write(d,
		"process = { workers = %u; max_generations = 64; };\n"
		"servers = ( { name = \"r\"; listen ="
		" { address = \"127.0.0.1:0\"; %s };"
		" middlewares = ( { type = \"forward\";"
		" to = \"127.0.0.1:%u\"; } ); } );",
		workers, options, echo);
}

/* Memory of a process that is its own, in kB. */
static long
memory_kb(pid_t pid)
{
	const char *text = procs_status(pid, "RssAnon");

	assert_non_null(text);
	return strtol(text, NULL, 10);
}

static void
check_growth(long kb)
{
	print_message("# the master's memory: %+ld kB\n", kb);
#ifndef __SANITIZE_ADDRESS__ /* whose quarantine grows */
	assert_true(kb < GROWTH_KB);
#endif
}

/* ---- they take over ------------------------------------------------------ */

/* The idle channels are all of the first generation, the kept ones of those in
 * which their loads began. */
static void
test_f20_reloads_with_idle_channels(void **state)
{
	struct load_plan plan = plan_all;
	struct daemon *d = daemon_new();
	struct load *l[LOADS];
	struct load_result r;
	uint16_t echo;
	char label[64];
	unsigned i, n = 0;

	(void)state;
	daemon_watchdog(SECONDS);
	l[n] = load_new();
	echo = load_echo(l[n], NULL);
	write_relay(d, 2, "", echo);
	daemon_launch(d);
	plan.ports[0] = daemon_port(d, "r", 0);
	plan.connections[LOAD_IDLE] = IDLE;
	load_start(l[n], &plan);
	load_settle(l[n++]);
	plan.connections[LOAD_IDLE] = plan.connections[LOAD_BRIEF] = 0;
	plan.kept_rate = 50;
	for (i = 1; i <= RELOADS; i++) {
		reload_takes(d, i + 1);
		load_await(l[0], 100);
		if (i < n * RELOADS / LOADS)
			continue;
		if (n < LOADS) {
			l[n] = load_new();
			load_start(l[n], &plan);
			load_settle(l[n++]);
		}
	}
	/* The first has the backends of all. */
	while (n-- > 0) {
		load_stop(l[n], &r);
		snprintf(label, sizeof(label), "%d reloads, load %u", RELOADS,
			n + 1);
		load_say(&r, label);
		load_check(&r);
	}
	reload_alone(d, 2);
	reload_gone(d, RELOADS);
	daemon_fds_settle(d);
	daemon_stop(d);
}

/* Each time another number, with these options of the listener. */
static void
change_workers(const char *options, const char *label)
{
	struct load_plan plan = plan_all;
	struct load *l = load_new();
	uint16_t echo = load_echo(l, NULL);
	struct daemon *d = daemon_new();
	struct load_result r;
	unsigned i, workers = CHANGES_TOP;
	long kb = 0;
	int fds;

	daemon_watchdog(SECONDS);
	write_relay(d, workers, options, echo);
	daemon_launch(d);
	fds = procs_fds(daemon_pid(d)) - (int)workers;
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	for (i = 1; i <= CHANGES; i++) {
		/* 8, 3, 6, 1, 4, 7, 2, 5 and from the start: up and down. */
		workers = 1 + (workers + 2) % CHANGES_TOP;
		write_relay(d, workers, options, echo);
		reload_takes(d, i + 1);
		load_await(l, 100);
		/* Each number has been there once. */
		if (i == CHANGES_TOP)
			kb = memory_kb(daemon_pid(d));
	}
	load_stop(l, &r);
	load_say(&r, label);
	load_check(&r);
	reload_alone(d, workers);
	reload_gone(d, CHANGES);
	daemon_fds_settle(d);
	assert_int_equal(procs_fds(daemon_pid(d)) - (int)workers, fds);
	check_growth(memory_kb(daemon_pid(d)) - kb);
	daemon_stop(d);
}

static void
test_f23_number_of_workers_changes_often(void **state)
{
	(void)state;
	change_workers("", "100 reloads, 1 to 8 workers");
}

static void
test_f23_number_of_sockets_changes_often(void **state)
{
	(void)state;
	change_workers("reuseport = true;",
		"100 reloads, 1 to 8 workers, each with a socket of its own");
}

/* ---- they change nothing ------------------------------------------------- */

/* The n-th that is good to read but not to apply. */
static void
write_late(struct daemon *d, size_t n, uint16_t taken)
{
	static const struct {
		const char *target, *listen, *stage;
	} t[] = {
		{ "stderr", "127.0.0.1:%u", "echo" },
		{ "missing/log", "unix:new.sock", "echo" },
		{ "new.log", "192.0.2.1:%u", "echo" },
		{ "stderr", "unix:new.sock", "heed" },
		{ "new.log", "unix:missing/s", "echo" },
	};
	size_t i = n % (sizeof(t) / sizeof(t[0]));
	char port[8], listen[64];
	const char *at;

	snprintf(port, sizeof(port), "%u", taken);
	at = strstr(t[i].listen, "%u");
	snprintf(listen, sizeof(listen), "%.*s%s",
		at == NULL ? (int)strlen(t[i].listen) : (int)(at - t[i].listen),
		t[i].listen, at == NULL ? "" : port);
	daemon_write(d,
		"process = { workers = 2; };\nlog = { target = \"%s\"; };\n"
		"servers = ( { name = \"r\"; listen = ( \"127.0.0.1:0\","
		" \"%s\" ); middlewares = ( { type = \"%s\"; %s } ); } );",
		t[i].target, listen, t[i].stage,
		strcmp(t[i].stage, "heed") == 0 ? "lame = true;" : "");
}

/* That many, of all kinds, from that generation on. */
static void
fail_often(struct daemon *d, unsigned *generation, size_t n, uint16_t taken,
	const struct reload_view *before)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i % BAD_LATE == BAD_LATE - 1)
			write_late(d, i / BAD_LATE, taken);
		else
			assert_true(reload_bad_file(d, i) >= BAD_LEAST);
		reload_fails(d, (*generation)++);
		if (n <= BAD || i % BAD == 0)
			reload_unchanged(d, before);
	}
	reload_unchanged(d, before);
	assert_int_equal(access(daemon_path(d, "new.log"), F_OK), -1);
	assert_int_equal(access(daemon_path(d, "new.sock"), F_OK), -1);
}

static void
test_f17_a_thousand_bad_files(void **state)
{
	struct load_plan plan = plan_all;
	struct load *l = load_new();
	uint16_t echo = load_echo(l, NULL), port;
	int taken = peer_listen(&port);
	struct daemon *d = daemon_new();
	unsigned generation = 2;
	struct reload_view before;
	struct load_result r;
	long kb;

	(void)state;
	daemon_watchdog(SECONDS);
	relay_use_trial();
	write_relay(d, 2, "", echo);
	daemon_launch(d);
	plan.ports[0] = daemon_port(d, "r", 0);
	plan.connections[LOAD_IDLE] = 50;
	load_start(l, &plan);
	load_settle(l);
	reload_look(d, &before);
	fail_often(d, &generation, BAD, port, &before);
	load_stop(l, &r);
	load_say(&r, "100 broken reloads");
	load_check(&r);
	daemon_fds_settle(d);
	kb = memory_kb(daemon_pid(d));
	fail_often(d, &generation, BAD_MORE, port, &before);
	kb = memory_kb(daemon_pid(d)) - kb;
	print_message("# %d more: %d descriptors, %zu sockets and %zu workers "
		      "as before\n",
		BAD_MORE, before.fds, before.nsockets, before.nworkers);
	check_growth(kb);
	close(taken);
	daemon_stop(d);
}

/* ---- signals ------------------------------------------------------------- */

static void
test_f14_thousands_of_signals(void **state)
{
	struct load_plan plan = plan_all;
	struct load *l = load_new();
	uint16_t echo = load_echo(l, NULL);
	struct daemon *d = daemon_new();
	struct load_result r;
	int64_t ms;

	(void)state;
	daemon_watchdog(SECONDS);
	write_relay(d, 2, "", echo);
	daemon_launch(d);
	plan.ports[0] = daemon_port(d, "r", 0);
	plan.connections[LOAD_IDLE] = 50;
	load_start(l, &plan);
	load_settle(l);
	reload_storm(d, SIGNALS);
	load_await(l, 100);
	load_stop(l, &r);
	load_say(&r, "2000 signals");
	load_check(&r);
	/* No zombie either: it would be a child like others. */
	write_relay(d, 3, "", echo);
	reload_storm_end(d, 3);
	print_message("# %u reloads came of them; one generation is left\n",
		daemon_log_count(d, "ready gen=") - 1);
	daemon_fds_settle(d);
	ms = procs_now();
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
	ms = procs_now() - ms;
	print_message("# gone %lld ms after TERM\n", (long long)ms);
	assert_true(ms < STOP_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f20_reloads_with_idle_channels),
		daemon_test(test_f23_number_of_workers_changes_often),
		daemon_test(test_f23_number_of_sockets_changes_often),
		daemon_test(test_f17_a_thousand_bad_files),
		daemon_test(test_f14_thousands_of_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
