/* test_accept.c - connections are taken a few a turn, and neither a lack of
 * descriptors nor a broken listener spins. */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/board.h"
#include "base/clock.h"
#include "heritage.h"
#include "lib/rig.h"
#include "worker/accept.h"

#define CLIENTS 20

static struct rig rig;
static struct acceptor acceptor;
static struct heritage_listener listeners[2];
static struct heritage heritage;
static struct board board;
static struct weir_addr at[2];
static int masters[2]; /* what the master keeps of the same sockets */
static int clients[CLIENTS];

static int
start(void **state)
{
	int i;

	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	for (i = 0; i < CLIENTS; i++)
		clients[i] = -1;
	for (i = 0; i < 2; i++) {
		masters[i] = rig_backend(&at[i]);
		assert_int_equal(fcntl(masters[i], F_SETFL, O_NONBLOCK), 0);
		listeners[i] =
			(struct heritage_listener){ .fd = dup(masters[i]) };
		assert_int_not_equal(listeners[i].fd, -1);
	}
	assert_int_equal(board_init(&board, 2), 0);
	heritage = (struct heritage){ .listeners = listeners,
		.nlisteners = 2,
		.workers = 2,
		.board = &board };
	assert_int_equal(
		acceptor_init(&acceptor, &rig.loop, &rig.engine, &heritage), 0);
	acceptor_open(&acceptor);
	return 0;
}

static int
stop(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		rig_close(&clients[i]);
	rig_close(&masters[0]);
	rig_close(&masters[1]);
	acceptor_done(&acceptor);
	board_done(&board);
	rig_stop(&rig);
	return 0;
}

static void
connect_all(int n, int listener)
{
	int i;

	for (i = 0; n > 0; i++) {
		assert_true(i < CLIENTS);
		if (clients[i] != -1)
			continue;
		n--;
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_not_equal(clients[i], -1);
		assert_int_equal(
			connect(clients[i], &at[listener].sa, at[listener].len),
			0);
	}
}

static void
opened(unsigned n)
{
	rig_until(&rig, rig.loop.channels == n);
	rig.opened = n;
}

/* Would the loop be woken now? */
static bool
is_woken(void)
{
	struct epoll_event e;

	return epoll_wait(rig.loop.poller.epfd, &e, 1, 0) > 0;
}

static void
test_a_few_a_turn(void **state)
{
	unsigned before = 0;

	(void)state;
	connect_all(CLIENTS, 0);
	while (rig.loop.channels < CLIENTS) {
		rig_turn_wait(&rig);
		assert_true(rig.loop.channels - before <= 4);
		before = (unsigned)rig.loop.channels;
	}
	opened(CLIENTS);
}

static void
test_accepted_sockets_do_not_block_or_leak(void **state)
{
	int fd;

	(void)state;
	connect_all(1, 1);
	opened(1);
	fd = rig_channel(&rig)->ends[WEIR_FRONTEND].fd;
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
test_who_left_the_queue_does_not_matter(void **state)
{
	(void)state;
	connect_all(2, 0);
	rig_reset(&clients[0]);
	rig_until(&rig, rig.loop.channels + rig_ends.n == 2);
	rig.opened = 2;
}

static void
test_without_descriptors_it_pauses(void **state)
{
	struct rlimit was, now;
	int spare = dup(masters[0]);

	(void)state;
	connect_all(CLIENTS, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)spare;
	close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	rig_turn_wait(&rig);
	rig_turn_wait(&rig);
	rig_turn_wait(&rig);
	assert_true(acceptor.paused);
	assert_false(is_woken());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(rig_logged(&rig, "accepting pauses"));
	opened(CLIENTS);
	assert_false(acceptor.paused);
}

static void
test_closing_takes_the_queue_first(void **state)
{
	(void)state;
	connect_all(CLIENTS, 0);
	acceptor_close(&acceptor);
	opened(CLIENTS);
	assert_int_equal(acceptor.listeners[0].fd, -1);
	acceptor_close(&acceptor);
}

static void
test_closed_listeners_wake_nobody(void **state)
{
	(void)state;
	acceptor_close(&acceptor);
	/* The master's descriptor keeps the socket alive, and in the set. */
	connect_all(1, 0);
	rig_quiet(&rig);
	assert_false(is_woken());
	assert_int_equal(rig.loop.channels, 0);
}

static void
test_a_broken_listener_pauses(void **state)
{
	(void)state;
	assert_int_equal(shutdown(masters[0], SHUT_RD), 0);
	rig_until(&rig, acceptor.paused);
	assert_true(rig_logged(&rig, "Invalid argument"));
	connect_all(1, 1);
	rig_until(&rig, rig.loop.channels == 1);
	opened(1);
	acceptor_close(&acceptor);
}

/* Two workers serve, and this one has all channels. */
static void
get_ahead(void)
{
	connect_all(8, 0);
	opened(8);
	assert_false(acceptor.away);
	board.lines[1].serves = true;
}

/* It looks away for a while, then takes what the others have left. */
static void
test_one_that_is_ahead_gives_others_time(void **state)
{
	(void)state;
	get_ahead();
	connect_all(9, 0);
	rig_turn_wait(&rig);
	assert_true(acceptor.away);
	assert_false(is_woken());
	assert_int_equal(rig.loop.channels, 8);
	opened(17);
	/* They hang: they get no more time, until they move. */
	connect_all(1, 0);
	rig_turn_wait(&rig);
	assert_false(acceptor.away);
	opened(18);
	board.lines[1].turns++;
	connect_all(1, 0);
	rig_until(&rig, acceptor.away);
	acceptor_turn(&acceptor);
	assert_true(acceptor.away);
	board.lines[1].channels = 18;
	acceptor_turn(&acceptor);
	assert_false(acceptor.away);
	opened(19);
}

/* What they take in time was theirs: the next is left to them again. */
static void
test_others_that_take_it_keep_their_time(void **state)
{
	int fd;

	(void)state;
	get_ahead();
	connect_all(1, 0);
	rig_until(&rig, acceptor.away);
	fd = accept(masters[0], NULL, NULL);
	assert_int_not_equal(fd, -1);
	rig_until(&rig, !acceptor.away);
	clock_advance(1000);
	connect_all(1, 0);
	rig_until(&rig, acceptor.away);
	opened(9);
	close(fd);
}

static void
test_who_does_not_serve_gets_no_time(void **state)
{
	(void)state;
	get_ahead();
	board.lines[1].serves = false;
	connect_all(1, 0);
	rig_until(&rig, rig.loop.channels == 9);
	assert_false(acceptor.away);
	opened(9);
}

/* Over the limit nobody is refused: they wait. */
static void
test_a_limit_of_channels(void **state)
{
	(void)state;
	acceptor.channels_most = 2;
	connect_all(4, 0);
	rig_until(&rig, acceptor.full);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 2);
	assert_false(is_woken());
	assert_true(rig_logged(&rig, "process.worker_channels is reached"));
	acceptor_turn(&acceptor);
	assert_true(acceptor.full);
	rig_close(&clients[0]);
	rig_until(&rig, rig.loop.channels == 1);
	acceptor_turn(&acceptor);
	rig_until(&rig, rig.loop.channels == 2);
	rig_until(&rig, acceptor.full);
	acceptor.channels_most = SIZE_MAX;
	acceptor_turn(&acceptor);
	rig_until(&rig, rig.loop.channels == 3);
	rig.opened = 4;
}

/* Who waits in a socket that is closed is let in all the same. */
static void
test_closing_knows_no_limit_of_channels(void **state)
{
	(void)state;
	acceptor.channels_most = 2;
	connect_all(6, 0);
	rig_until(&rig, acceptor.full);
	acceptor_close(&acceptor);
	opened(6);
}

/* Sockets of another slot are left alone unless they are adopted. */
static void
test_adopted_sockets(void **state)
{
	(void)state;
	acceptor.listeners[1].shared = false;
	acceptor.listeners[1].slot = 7;
	acceptor_adopt(&acceptor, 7, false);
	connect_all(1, 1);
	rig_quiet(&rig);
	assert_false(is_woken());
	acceptor_adopt(&acceptor, 8, true);
	assert_false(is_woken());
	acceptor_adopt(&acceptor, 7, true);
	opened(1);
	acceptor_adopt(&acceptor, 7, false);
	connect_all(1, 1);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 1);
	/* Nor is their queue this one's when it leaves. */
	acceptor_close(&acceptor);
	assert_int_equal(rig.loop.channels, 1);
}

#define accept_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		accept_test(test_a_few_a_turn),
		accept_test(test_accepted_sockets_do_not_block_or_leak),
		accept_test(test_who_left_the_queue_does_not_matter),
		accept_test(test_without_descriptors_it_pauses),
		accept_test(test_closing_takes_the_queue_first),
		accept_test(test_closed_listeners_wake_nobody),
		accept_test(test_a_broken_listener_pauses),
		accept_test(test_one_that_is_ahead_gives_others_time),
		accept_test(test_others_that_take_it_keep_their_time),
		accept_test(test_who_does_not_serve_gets_no_time),
		accept_test(test_closing_knows_no_limit_of_channels),
		accept_test(test_a_limit_of_channels),
		accept_test(test_adopted_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
