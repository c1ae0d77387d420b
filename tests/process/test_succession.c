/* test_succession.c - one generation after another, under load: what a new
 * configuration does not change goes on as if there were none. */
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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
#include "lib/reload.h"

#define RELOADS 20
#define IDLE	200
#define WORKERS 8 /* at most */

/* A load of all sorts. */
static const struct load_plan plan_all = { .seconds = 60,
	.connections = { [LOAD_BRIEF] = 4,
		[LOAD_KEPT] = 8,
		[LOAD_IDLE] = IDLE },
	.brief_rate = 300,
	.kept_rate = 300 };

/* A generation: so many workers, with a socket for each of them or for all. */
struct turn {
	unsigned workers;
	bool reuseport;
};

static void
write_relay(struct daemon *d, const struct turn *turn, uint16_t echo)
{
	daemon_write(d,
		"process = { workers = %u; max_generations = 64; };\n"
		"servers = ( { name = \"r\"; listen ="
		" { address = \"127.0.0.1:0\"; reuseport = %s; };"
		" middlewares = ( { type = \"forward\";"
		" to = \"127.0.0.1:%u\"; } ); } );",
		turn->workers, turn->reuseport ? "true" : "false", echo);
}

/* Starts with the first of n turns and reloads for each other; sockets that are
 * kept without need may be more descriptors at the end. */
static void
reload_under_load(
	const char *label, const struct turn *turns, unsigned n, int more_fds)
{
	struct load_plan plan = plan_all;
	struct load *l = load_new();
	uint16_t echo = load_echo(l, NULL);
	struct daemon *d = daemon_new();
	struct load_result r;
	unsigned i;

	write_relay(d, &turns[0], echo);
	daemon_launch(d);
	daemon_fds_allow(d, more_fds);
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	for (i = 1; i < n; i++) {
		write_relay(d, &turns[i], echo);
		reload_takes(d, i + 1);
		load_await(l, 20);
	}
	load_stop(l, &r);
	load_say(&r, label);
	load_check(&r);
	reload_alone(d, turns[n - 1].workers);
	reload_gone(d, n - 1);
	daemon_fds_settle(d);
	daemon_stop(d);
}

static void
test_f20_idle_channels_outlive_reloads(void **state)
{
	struct turn turns[1 + RELOADS];
	unsigned i;

	(void)state;
	for (i = 0; i <= RELOADS; i++)
		turns[i] = (struct turn){ .workers = 2 };
	reload_under_load("20 reloads", turns, 1 + RELOADS, 0);
}

/* From 8 round and round through 1 to 8, then 8, 2, 8. */
static void
change_workers(const char *label, bool reuseport)
{
	struct turn turns[1 + RELOADS + 3];
	unsigned i;

	for (i = 0; i <= RELOADS; i++)
		turns[i].workers = 1 + (i + WORKERS - 1) % WORKERS;
	turns[i++].workers = WORKERS;
	turns[i++].workers = 2;
	turns[i++].workers = WORKERS;
	while (i-- > 0)
		turns[i].reuseport = reuseport;
	reload_under_load(label, turns, sizeof(turns) / sizeof(turns[0]), 0);
}

static void
test_f23_number_of_workers_changes(void **state)
{
	(void)state;
	change_workers("23 reloads, 1 to 8 workers", false);
}

static void
test_f23_number_of_sockets_changes(void **state)
{
	(void)state;
	change_workers("23 reloads, 1 to 8 sockets", true);
}

static void
test_f19_one_socket_and_several(void **state)
{
	static const struct turn turns[] = { { 4, false }, { 4, true },
		{ 4, false }, { 2, true }, { 2, false } };

	(void)state;
	reload_under_load("one socket and several in turn", turns,
		sizeof(turns) / sizeof(turns[0]), 3);
}

/* ---- addresses that come, stay and go ------------------------------------ */

static ino_t
file_inode(struct daemon *d, const char *name)
{
	struct stat st;

	return lstat(daemon_path(d, name), &st) == 0 ? st.st_ino : 0;
}

static void write_listens(struct daemon *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The server "r", whose first address the load has, with these behind it. */
static void
write_listens(struct daemon *d, const char *fmt, ...)
{
	char listens[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(listens, sizeof(listens), fmt, ap);
	va_end(ap);
	daemon_write(d,
		"process = { workers = 2; };\n"
		"servers = ( { name = \"r\"; listen = ( \"127.0.0.1:0\", %s );"
		" middlewares = ( { type = \"echo\"; } ); } );",
		listens);
}

/* What stays: the first address, another one, a unix socket. */
struct stays {
	struct daemon *d;
	struct load *l;
	uint16_t first, other;
	ino_t sockets[2], file;
};

static void
stays_note(struct stays *st)
{
	st->sockets[0] = reload_inode(st->first);
	st->sockets[1] = reload_inode(st->other);
	st->file = file_inode(st->d, "s");
	assert_int_not_equal(st->sockets[0], 0);
	assert_int_not_equal(st->sockets[1], 0);
	assert_int_not_equal(st->file, 0);
}

static void
stays_check(const struct stays *st)
{
	assert_int_equal(reload_inode(st->first), st->sockets[0]);
	assert_int_equal(reload_inode(st->other), st->sockets[1]);
	assert_int_equal(file_inode(st->d, "s"), st->file);
	close(peer_connect_unix(daemon_path(st->d, "s")));
	load_await(st->l, 50);
}

static void
test_f19_addresses_come_and_go_under_load(void **state)
{
	struct load_plan plan = plan_all;
	struct stays st = { .d = daemon_new(), .l = load_new() };
	struct load_result r;
	int holds[2];
	uint16_t goes;
	ino_t first;

	(void)state;
	holds[0] = peer_hold(&goes);
	holds[1] = peer_hold(&st.other);
	write_listens(st.d, "\"127.0.0.1:%u\"", goes);
	daemon_launch(st.d);
	plan.ports[0] = st.first = daemon_port(st.d, "r", 0);
	first = reload_inode(st.first);
	load_start(st.l, &plan);
	load_settle(st.l);

	write_listens(st.d, "\"127.0.0.1:%u\", \"127.0.0.1:%u\", \"unix:s\"",
		goes, st.other);
	reload_takes(st.d, 2);
	stays_note(&st);
	assert_int_equal(st.sockets[0], first);
	stays_check(&st);
	assert_int_equal(peer_connect_error(goes), 0);
	assert_int_equal(peer_connect_error(st.other), 0);

	write_listens(st.d, "\"127.0.0.1:%u\", \"unix:s\"", st.other);
	reload_takes(st.d, 3);
	stays_check(&st);
	reload_drained(st.d, 4);
	assert_int_equal(peer_connect_error(goes), ECONNREFUSED);

	write_listens(st.d,
		"{ address = \"127.0.0.1:%u\"; backlog = 16; },"
		" { address = \"unix:s\"; backlog = 16; }",
		st.other);
	reload_takes(st.d, 4);
	stays_check(&st);
	load_stop(st.l, &r);
	load_say(&r, "addresses come and go");
	load_check(&r);
	/* Its file is gone then, or this fails. */
	daemon_signal(st.d, SIGQUIT);
	daemon_finish(st.d, 0);
	close(holds[0]);
	close(holds[1]);
}

/* The listener on that port as ss(8) shows it: its inode, and the backlog that
 * is in force. */
static ino_t
look_listener(const char *family, uint16_t port, unsigned *backlog)
{
	char command[64], line[512];
	unsigned long inode = 0;
	const char *at;
	unsigned n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "ss -%s -Hltne sport = :%u", family,
		port);
	f = popen(command, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		at = strstr(line, " ino:");
		assert_non_null(at);
		inode = strtoul(at + 5, NULL, 10);
		assert_int_equal(sscanf(line, "LISTEN %*u %u ", backlog), 1);
		n++;
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(n, 1);
	return inode;
}

static void
test_f19_options_change(void **state)
{
	static const unsigned backlogs[] = { 100, 16, 300 };
	static const char *const families[] = { "4", "6" };
	ino_t inodes[2] = { 0, 0 }, inode;
	struct daemon *d = daemon_new();
	unsigned i, j, is;

	(void)state;
	for (i = 0; i < 3; i++) {
		daemon_write(d,
			"process = { workers = 2; };\n"
			"servers = ( { name = \"r\"; listen = ("
			" { address = \"127.0.0.1:0\"; backlog = %u; },"
			" { address = \"[::1]:0\"; backlog = %u; } );"
			" middlewares = \"echo\"; } );",
			backlogs[i], backlogs[i] + 1);
		if (i == 0)
			daemon_launch(d);
		else
			reload_takes(d, i + 1);
		for (j = 0; j < 2; j++) {
			inode = look_listener(
				families[j], daemon_port(d, "r", j), &is);
			assert_int_equal(is, backlogs[i] + j);
			assert_int_not_equal(inode, 0);
			if (i > 0)
				assert_int_equal(inode, inodes[j]);
			inodes[j] = inode;
		}
	}
	daemon_stop(d);
}

static void
test_f19_unix_socket_is_removed_when_dropped(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	write_listens(d, "\"unix:s\"");
	daemon_launch(d);
	write_listens(d, "\"unix:t\"");
	reload_takes(d, 2);
	assert_int_equal(file_inode(d, "s"), 0);
	assert_int_not_equal(file_inode(d, "t"), 0);
	write_listens(d, "\"unix:s\"");
	reload_takes(d, 3);
	assert_int_equal(file_inode(d, "t"), 0);
	close(peer_connect_unix(daemon_path(d, "s")));
	daemon_stop(d);
}

/* ---- old generations do not pile up -------------------------------------- */

static void
test_f21_generations_do_not_pile_up(void **state)
{
	enum { CAP = 4, EACH = 2, LONG = 10, ALL = 30 };
	pid_t pids[DAEMON_WORKERS];
	struct daemon *d = daemon_start(
		"process = { workers = %d; max_generations = %d; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";"
		" middlewares = \"echo\"; } );",
		EACH, CAP);
	int64_t end;
	int fds[LONG];
	char line[64];
	size_t i, n, most = 0;

	(void)state;
	for (i = 0; i < ALL; i++) {
		if (i < LONG) {
			fds[i] = peer_connect(daemon_port(d, "r", 0));
			peer_send_text(fds[i], "a");
			peer_expect_text(fds[i], "a");
		}
		reload_takes(d, (unsigned)i + 2);
		reload_drained(d, (unsigned)(i + 1) * EACH);
		/* One more for as long as the oldest takes to leave. */
		end = procs_now() + DAEMON_MS;
		do {
			n = daemon_workers(d, pids);
			most = n > most ? n : most;
			assert_true(n <= (CAP + 1) * EACH);
			assert_true(procs_now() < end);
			poll(NULL, 0, 1);
		} while (n > CAP * EACH);
		/* While it is there it counts, and others have to go. */
		snprintf(line, sizeof(line), "generation %zu is gone", i + 1);
		if (i >= LONG)
			daemon_wait_log(d, line, DAEMON_MS);
	}
	print_message("# %d reloads with %d long channels: %zu processes at "
		      "most\n",
		ALL, LONG, most);
	/* The oldest had to go, the newest did not. */
	peer_expect_reset(fds[0]);
	peer_send_text(fds[LONG - 1], "b");
	peer_expect_text(fds[LONG - 1], "b");
	for (i = 0; i < LONG; i++)
		close(fds[i]);
	reload_alone(d, EACH);
	daemon_stop(d);
}

/* ---- weir -t beside one that runs ---------------------------------------- */

static void
test_f24_checking_disturbs_nobody(void **state)
{
	struct load_plan plan = {
		.connections = { [LOAD_BRIEF] = 4, [LOAD_KEPT] = 8 },
		.brief_rate = 300,
		.kept_rate = 300
	};
	struct load *l = load_new();
	struct daemon *d = daemon_new();
	struct reload_view before;
	struct stat was, is;
	struct load_result r;
	char *said;
	int i;

	(void)state;
	daemon_write(d, "process = { workers = 2; pidfile = \"weir.pid\"; };\n"
			"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";"
			" middlewares = \"echo\"; } );");
	daemon_launch(d);
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	reload_look(d, &before);
	assert_int_equal(stat(daemon_path(d, "weir.pid"), &was), 0);
	/* It would be refused if it was bound, and made if it was opened. */
	daemon_write(d,
		"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
		"log = { target = \"new.log\"; };\n"
		"servers = ( { name = \"r\"; listen = ( \"127.0.0.1:%u\","
		" \"unix:new.sock\" ); middlewares = \"echo\"; } );",
		plan.ports[0]);
	for (i = 0; i < RELOADS; i++) {
		assert_int_equal(
			daemon_run(d, &said, "-t", "-c", "weir.conf", NULL), 0);
		free(said);
		assert_int_equal(access(daemon_path(d, "new.log"), F_OK), -1);
		assert_int_equal(access(daemon_path(d, "new.sock"), F_OK), -1);
	}
	load_stop(l, &r);
	load_say(&r, "weir -t 20 times");
	load_check(&r);
	reload_unchanged(d, &before);
	assert_int_equal(stat(daemon_path(d, "weir.pid"), &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
	assert_memory_equal(&is.st_mtim, &was.st_mtim, sizeof(is.st_mtim));
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f20_idle_channels_outlive_reloads),
		daemon_test(test_f23_number_of_workers_changes),
		daemon_test(test_f23_number_of_sockets_changes),
		daemon_test(test_f19_one_socket_and_several),
		daemon_test(test_f19_options_change),
		daemon_test(test_f19_addresses_come_and_go_under_load),
		daemon_test(test_f19_unix_socket_is_removed_when_dropped),
		daemon_test(test_f21_generations_do_not_pile_up),
		daemon_test(test_f24_checking_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
