/* test_drain.c - stopping, and dying, with channels of every kind alive. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define FULL ((size_t)64 << 20)

/* A channel that works, one whose client does not read, one half closed. */
struct crowd {
	int live[2], blocked[2], half[2];
};

static void
crowd_gather(struct relay *r, struct crowd *c)
{
	relay_join(r, &c->live[0], &c->live[1]);
	relay_join(r, &c->blocked[0], &c->blocked[1]);
	relay_join(r, &c->half[0], &c->half[1]);
	peer_send_text(c->live[0], "a");
	peer_expect_text(c->live[1], "a");
	assert_true(peer_send_until_full(c->blocked[1], FULL, 100) < FULL);
	peer_half_close(c->half[0]);
	peer_read_eof(c->half[1]);
}

static void
expect_gone(int fds[2])
{
	struct pollfd p = { .fd = fds[1] };

	peer_expect_reset(fds[0]);
	/* The other side may have seen FIN or be full: its error shows. */
	assert_int_equal(poll(&p, 1, DAEMON_MS), 1);
	assert_true(p.revents & (POLLERR | POLLHUP));
	close(fds[0]);
	close(fds[1]);
}

static void
test_stop_resets_everybody_at_once(void **state)
{
	struct crowd c;
	struct relay r;
	int64_t start;

	(void)state;
	relay_start(&r, "");
	crowd_gather(&r, &c);
	start = procs_now();
	daemon_signal(r.d, SIGTERM);
	daemon_finish(r.d, 0);
	assert_in_range(procs_now() - start, 0, 1500);
	expect_gone(c.live);
	expect_gone(c.blocked);
	expect_gone(c.half);
	close(r.backend);
}

static void
test_quit_lets_channels_finish(void **state)
{
	struct crowd c;
	struct relay r;

	(void)state;
	relay_start(&r, "");
	crowd_gather(&r, &c);
	daemon_signal(r.d, SIGQUIT);
	relay_wait_line(&r, "draining: 3 channels");
	assert_int_not_equal(peer_connect_error(relay_port(&r)), 0);
	/* All three go on as before. */
	peer_send_text(c.live[0], "still ");
	peer_expect_text(c.live[1], "still ");
	peer_send_text(c.half[1], "here");
	peer_expect_text(c.half[0], "here");
	close(c.live[0]);
	peer_read_eof(c.live[1]);
	close(c.live[1]);
	close(c.half[1]);
	peer_read_eof(c.half[0]);
	close(c.half[0]);
	peer_half_close(c.blocked[1]);
	assert_true(peer_read_to_eof(c.blocked[0], NULL, 0) > 0);
	close(c.blocked[0]);
	close(c.blocked[1]);
	daemon_finish(r.d, 0);
	close(r.backend);
}

static void
test_f22_quit_ends_at_close_wait(void **state)
{
	struct crowd c;
	struct relay r;
	int64_t start, took;

	(void)state;
	relay_start_with(&r, "", "close_wait = 2;");
	crowd_gather(&r, &c);
	start = procs_now();
	daemon_signal(r.d, SIGQUIT);
	daemon_finish(r.d, 0);
	took = procs_now() - start;
	print_message("# gone after %lld ms\n", (long long)took);
	assert_in_range(took, 1900, 2500);
	expect_gone(c.live);
	expect_gone(c.blocked);
	expect_gone(c.half);
	close(r.backend);
}

/* Each server has a close_wait of its own. */
static void
test_quit_ends_each_server_at_its_close_wait(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\n"
		"servers = ( { name = \"soon\"; listen = \"127.0.0.1:0\";\n"
		"  close_wait = 1; middlewares = \"echo\"; },\n"
		"{ name = \"late\"; listen = \"127.0.0.1:0\";\n"
		"  close_wait = 60; middlewares = \"echo\"; } );\n");
	int soon = peer_connect(daemon_port(d, "soon", 0));
	int late = peer_connect(daemon_port(d, "late", 0));
	int64_t start, took;

	(void)state;
	peer_send_text(soon, "x");
	peer_expect_text(soon, "x");
	peer_send_text(late, "x");
	peer_expect_text(late, "x");
	start = procs_now();
	daemon_signal(d, SIGQUIT);
	peer_expect_reset(soon);
	took = procs_now() - start;
	assert_in_range(took, 950, 5000);
	daemon_wait_log(d, "soon: its time is over", DAEMON_MS);
	/* The other one goes on, and ends the process with its last channel. */
	peer_send_text(late, "still");
	peer_expect_text(late, "still");
	close(soon);
	close(late);
	daemon_finish(d, 0);
}

/* Fills clients with channels of whoever is not stopped. */
static void
open_all(struct daemon *d, pid_t stopped, int *clients, size_t n)
{
	size_t i;

	kill(stopped, SIGSTOP);
	for (i = 0; i < n; i++)
		clients[i] = peer_connect(daemon_port(d, "r", 0));
	for (i = 0; i < n; i++) {
		peer_send_text(clients[i], "x");
		peer_expect_text(clients[i], "x");
	}
	kill(stopped, SIGCONT);
}

/* Of two workers one is killed: the other's channels do not notice. */
static void
test_killed_worker_takes_only_its_own(void **state)
{
	enum { EACH = 20 };
	int lost[EACH], kept[EACH], i;
	pid_t workers[DAEMON_WORKERS];
	struct daemon *d;

	(void)state;
	d = daemon_start("process = { workers = 2; };\n"
			 "servers = ( { name = \"r\";"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"echo\"; } ); } );");
	daemon_expect_alert(d, "was killed by signal 9");
	assert_int_equal(daemon_workers(d, workers), 2);
	open_all(d, workers[1], lost, EACH);
	open_all(d, workers[0], kept, EACH);
	kill(workers[0], SIGKILL);
	for (i = 0; i < EACH; i++) {
		peer_read_eof(lost[i]);
		close(lost[i]);
		peer_send_text(kept[i], "y");
		peer_expect_text(kept[i], "y");
		close(kept[i]);
	}
	daemon_wait_log(d, "was killed", DAEMON_MS);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	assert_int_equal(daemon_workers(d, workers), 2);
	daemon_stop(d);
}

/* The master is gone: channels may finish, nobody new is let in. */
static void
test_f11_killed_master_lets_channels_finish(void **state)
{
	int client, server;
	struct relay r;

	(void)state;
	relay_start_with(&r, "", "close_wait = 30;");
	relay_join(&r, &client, &server);
	kill(daemon_pid(r.d), SIGKILL);
	relay_wait_line(&r, "draining: 1 channels");
	assert_int_not_equal(peer_connect_error(relay_port(&r)), 0);
	peer_send_text(client, "to the end");
	peer_expect_text(server, "to the end");
	close(client);
	close(server);
	daemon_kill_master(r.d);
	daemon_launch(r.d);
	relay_join(&r, &client, &server);
	close(client);
	close(server);
	relay_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_stop_resets_everybody_at_once),
		relay_tests(test_quit_lets_channels_finish),
		relay_tests(test_f22_quit_ends_at_close_wait),
		daemon_test(test_quit_ends_each_server_at_its_close_wait),
		daemon_test(test_killed_worker_takes_only_its_own),
		relay_tests(test_f11_killed_master_lets_channels_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
