/* test_retire.c - workers that drain while the master stays, and channels that
 * are not ended all at once. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define CROWD 60

#define CONF(settings, more)                                                   \
	"process = { pidfile = \"weir.pid\"; " settings " };\n"                \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\"; " more "\n"     \
	"  middlewares = \"echo\"; } );\n"

static void
say(struct daemon *d, const char *word, const char *answer)
{
	assert_int_equal(daemon_say(d, word, answer), 0);
}

/* ---- the workers leave, the master stays --------------------------------- */

static void
test_drain_until_a_reload(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 2;", ""));
	int old = peer_connect(daemon_port(d, "r", 0)), waits;
	struct pollfd p = { .events = POLLIN };

	(void)state;
	peer_echo(old, "a");
	say(d, "drain", "");
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	reload_drained(d, 2);
	assert_true(daemon_logged(d, "draining: 1 channels"));
	/* Nobody accepts, and nobody is refused. */
	waits = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(waits, "b");
	peer_echo(old, "c");
	p.fd = waits;
	assert_int_equal(poll(&p, 1, 100), 0);
	say(d, "status", "state: draining");
	say(d, "status",
		"generation 1: 1 of 2 workers, 1 channels, the oldest for "
		"0 s, draining");
	/* Once more changes nothing. */
	daemon_signal(d, SIGWINCH);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	peer_expect_text(waits, "b");
	peer_echo(old, "d");
	close(old);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	peer_echo(waits, "e");
	say(d, "status", "state: serving");
	close(waits);
	daemon_stop(d);
}

/* All of its workers are gone, and still it comes back. */
static void
test_drained_to_the_last(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 2;", ""));
	int fd;

	(void)state;
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, ") left", DAEMON_MS);
	daemon_wait_log(d, ") left", DAEMON_MS);
	fd = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(fd, "a");
	/* A file that is no good changes nothing here either. */
	daemon_write(d, "nonsense");
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "generation 2 is given up", DAEMON_MS);
	daemon_write(d, CONF("workers = 1;", ""));
	say(d, "reload", "");
	peer_expect_text(fd, "a");
	close(fd);
	daemon_stop(d);
}

static void
test_drained_and_told_to_leave(void **state)
{
	static const int signals[] = { SIGQUIT, SIGTERM };
	struct daemon *d;
	int fd, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		d = daemon_start(
			CONF("workers = 1;", "close_wait = \"200ms\";"));
		fd = peer_connect(daemon_port(d, "r", 0));
		peer_echo(fd, "a");
		daemon_signal(d, SIGWINCH);
		if (i < 2)
			daemon_wait_log(d, "draining: 1 channels", DAEMON_MS);
		daemon_signal(d, signals[i % 2]);
		daemon_finish(d, 0);
		peer_expect_reset(fd);
		close(fd);
	}
}

/* One that comes while a reload is under way is of the new generation. */
static void
test_drain_during_a_reload(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 4;", ""));

	(void)state;
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "as generation 2", DAEMON_MS);
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	say(d, "reload", "");
	say(d, "status", "state: serving");
	daemon_stop(d);
}

/* The same where those who served before drain already; a reload that fails
 * leaves nothing of it. */
static void
test_drain_during_a_reload_of_drained(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 4;", ""));
	uint16_t port;
	int taken = peer_listen(&port);

	(void)state;
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "as generation 2", DAEMON_MS);
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	daemon_write(d,
		"process = { pidfile = \"weir.pid\"; workers = 4; };\n"
		"servers = ( { name = \"r\"; middlewares = \"echo\";\n"
		"  listen = ( \"127.0.0.1:0\", \"127.0.0.1:%u\" ); } );\n",
		port);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "as generation 3", DAEMON_MS);
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "generation 3 is given up", DAEMON_MS);
	close(taken);
	say(d, "reload", "");
	say(d, "status", "state: serving");
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	assert_int_equal(
		daemon_log_count(d, "nobody accepts until a reload"), 3);
	daemon_stop(d);
}

/* However they came to drain: from QUIT on close_wait counts, though it be
 * longer than what was left. */
static void
test_quit_gives_those_who_drain_more_time(void **state)
{
	struct daemon *drained, *reloaded;
	int one, other;

	(void)state;
	drained = daemon_start(CONF("workers = 1; drain_timeout = \"2s\";",
		"close_wait = \"20s\";"));
	reloaded = daemon_start(CONF("workers = 1; drain_timeout = \"2s\";",
		"close_wait = \"20s\";"));
	one = peer_connect(daemon_port(drained, "r", 0));
	other = peer_connect(daemon_port(reloaded, "r", 0));
	peer_echo(one, "a");
	peer_echo(other, "a");
	daemon_signal(drained, SIGWINCH);
	daemon_signal(reloaded, SIGHUP);
	daemon_wait_log(drained, "draining: 1 channels", DAEMON_MS);
	daemon_wait_log(reloaded, "draining: 1 channels", DAEMON_MS);
	daemon_signal(drained, SIGQUIT);
	daemon_signal(reloaded, SIGQUIT);
	/* Until drain_timeout and its margin are over. */
	assert_true(peer_is_silent(one, 3300));
	peer_echo(one, "b");
	peer_echo(other, "b");
	close(one);
	close(other);
	daemon_finish(drained, 0);
	daemon_finish(reloaded, 0);
}

static void
test_drain_has_a_limit(void **state)
{
	struct daemon *d = daemon_start(
		CONF("workers = 1; drain_timeout = \"300ms\";", ""));
	int fd = peer_connect(daemon_port(d, "r", 0));

	(void)state;
	peer_echo(fd, "a");
	daemon_signal(d, SIGWINCH);
	peer_expect_reset(fd);
	close(fd);
	daemon_wait_log(d, ") left", DAEMON_MS);
	say(d, "reload", "");
	daemon_stop(d);
}

/* ---- a few at a time ----------------------------------------------------- */

struct crowd {
	int fds[CROWD];
	int64_t gone_ms[CROWD]; /* after the start */
};

static void
crowd_gather(struct daemon *d, struct crowd *c)
{
	unsigned i;

	for (i = 0; i < CROWD; i++) {
		c->fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_echo(c->fds[i], "a");
	}
}

/* Every fourth one says something every now and then; notes when each is
 * reset. */
static void
crowd_watch(struct crowd *c, int64_t start)
{
	struct pollfd p[CROWD];
	unsigned i, left = CROWD;
	int64_t said = start;
	char bytes[64];
	bool talk;

	for (i = 0; i < CROWD; i++)
		p[i] = (struct pollfd){ .fd = c->fds[i], .events = POLLIN };
	while (left > 0) {
		assert_true(procs_now() - start < DAEMON_MS);
		(void)poll(p, CROWD, 50);
		talk = procs_now() - said >= 200;
		said = talk ? procs_now() : said;
		for (i = 0; i < CROWD; i++) {
			if (p[i].fd == -1)
				continue;
			if (talk && i % 4 == 0)
				(void)send(p[i].fd, "x", 1, MSG_NOSIGNAL);
			/* The reset may have been told to the send. */
			errno = 0;
			if (recv(p[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT) >
					0 ||
				errno == EAGAIN)
				continue;
			c->gone_ms[i] = procs_now() - start;
			close(p[i].fd);
			p[i].fd = -1;
			left--;
		}
	}
}

/* 60 at 30 a second in a limit of 3.5 s: not before 1.5 s, not all at once,
 * silent ones first (each worker sees to its own; we may see them in
 * another order). */
static void
crowd_check(const struct crowd *c, bool ordered)
{
	int64_t first = INT64_MAX, last = 0, silent = 0, busy = INT64_MAX;
	unsigned i, late = 0;

	for (i = 0; i < CROWD; i++) {
		int64_t ms = c->gone_ms[i];

		first = ms < first ? ms : first;
		last = ms > last ? ms : last;
		late += ms > 3000;
		if (i % 4 == 0)
			busy = ms < busy ? ms : busy;
		else
			silent = ms > silent ? ms : silent;
	}
	print_message("# first %lld ms, last silent %lld, first busy %lld, "
		      "last %lld, %u in the end\n",
		(long long)first, (long long)silent, (long long)busy,
		(long long)last, late);
	assert_true(first >= 1400);
	assert_true(last <= 4000);
	assert_true(!ordered || silent <= busy + 100);
	assert_true(late < CROWD / 2);
}

static void
test_reloads_end_a_few_at_a_time(void **state)
{
	struct daemon *d = daemon_start(CONF(
		"workers = 1; drain_timeout = \"3500ms\"; drain_rate = 30;",
		""));
	struct crowd c;

	(void)state;
	crowd_gather(d, &c);
	say(d, "reload", "");
	crowd_watch(&c, procs_now());
	crowd_check(&c, true);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

static void
test_quit_ends_a_few_at_a_time(void **state)
{
	struct daemon *d = daemon_start(CONF(
		"workers = 2; drain_rate = 30;", "close_wait = \"3500ms\";"));
	struct crowd c;

	(void)state;
	crowd_gather(d, &c);
	daemon_signal(d, SIGQUIT);
	crowd_watch(&c, procs_now());
	crowd_check(&c, false);
	daemon_finish(d, 0);
}

/* The rate is for those whose time is over first: 10 at 5 a second in 2 s. */
static void
test_servers_with_times_of_their_own(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; drain_rate = 5; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		"  close_wait = 2; middlewares = \"echo\"; },\n"
		" { name = \"s\"; listen = \"127.0.0.1:0\";\n"
		"  close_wait = 20; middlewares = \"echo\"; } );\n");
	int64_t start, gone_ms[10];
	int fds[10], others[50], i;

	(void)state;
	for (i = 0; i < 50; i++) {
		others[i] = peer_connect(daemon_port(d, "s", 0));
		peer_echo(others[i], "a");
	}
	for (i = 0; i < 10; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_echo(fds[i], "a");
	}
	start = procs_now();
	daemon_signal(d, SIGQUIT);
	for (i = 0; i < 10; i++) {
		/* They have been silent for so long, in this order. */
		peer_expect_reset(fds[i]);
		gone_ms[i] = procs_now() - start;
		close(fds[i]);
	}
	print_message("# gone: %lld, %lld, %lld ms\n", (long long)gone_ms[0],
		(long long)gone_ms[4], (long long)gone_ms[9]);
	assert_true(gone_ms[0] < 1000);
	assert_in_range(gone_ms[4], 600, 1700);
	assert_in_range(gone_ms[9], 1500, 2500);
	for (i = 0; i < 50; i++)
		peer_echo(others[i], "b");
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
	for (i = 0; i < 50; i++)
		close(others[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_drain_until_a_reload),
		daemon_test(test_drained_to_the_last),
		daemon_test(test_drained_and_told_to_leave),
		daemon_test(test_drain_during_a_reload),
		daemon_test(test_drain_during_a_reload_of_drained),
		daemon_test(test_quit_gives_those_who_drain_more_time),
		daemon_test(test_drain_has_a_limit),
		daemon_test(test_reloads_end_a_few_at_a_time),
		daemon_test(test_quit_ends_a_few_at_a_time),
		daemon_test(test_servers_with_times_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
