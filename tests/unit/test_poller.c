/* test_poller.c - the set tells each edge once, with all that the kernel says.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "lib/rig.h"

static struct rig rig;
static int client;

static int
start(void **state)
{
	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	client = -1;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rig_close(&client);
	rig_stop(&rig);
	return 0;
}

/* A channel that nobody runs: its bits stay latched. */
static struct endpoint *
latch(void)
{
	struct weir_channel *ch;

	client = rig_client(&rig);
	rig_quiet(&rig);
	ch = rig_channel(&rig);
	ch->flows[WEIR_UP].held = 1; /* stops its reading */
	ch->flows[WEIR_UP].active = 0;
	ch->state = CHANNEL_CONNECT;
	return &ch->ends[WEIR_FRONTEND];
}

static void
unlatch(void)
{
	rig_channel(&rig)->flows[WEIR_UP].held = 0;
	rig_channel(&rig)->state = CHANNEL_JOINED;
}

static void
test_bits_are_latched(void **state)
{
	struct endpoint *ep = latch();

	(void)state;
	assert_int_equal(ep->mask, ENDPOINT_OUT);
	rig_say(client, "x");
	rig_quiet(&rig);
	assert_int_equal(ep->mask, ENDPOINT_OUT | ENDPOINT_IN);
	shutdown(client, SHUT_WR);
	rig_quiet(&rig);
	assert_int_equal(ep->mask, ENDPOINT_OUT | ENDPOINT_IN | ENDPOINT_RDHUP);
	unlatch();
}

static void
test_edges_are_told_once(void **state)
{
	struct endpoint *ep = latch();

	(void)state;
	rig_say(client, "x");
	rig_quiet(&rig);
	ep->mask = 0;
	rig_quiet(&rig);
	assert_int_equal(ep->mask, 0);
	rig_say(client, "y");
	rig_quiet(&rig);
	assert_true(ep->mask & ENDPOINT_IN);
	unlatch();
}

static unsigned told;

static void
count(struct poll_source *source, uint32_t events)
{
	(void)source;
	assert_true(events & ENDPOINT_IN);
	told++;
}

static void
test_listeners_are_told_until_they_are_removed(void **state)
{
	struct poll_source source = { .ready = count };
	struct weir_addr at;
	int listener = rig_backend(&at);

	(void)state;
	told = 0;
	assert_int_equal(
		poller_add_source(&rig.loop.poller, listener, &source), 0);
	rig_quiet(&rig);
	assert_int_equal(told, 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, &at.sa, at.len), 0);
	rig_turn(&rig);
	rig_turn(&rig);
	assert_true(told >= 2);
	assert_int_equal(poller_remove(&rig.loop.poller, listener), 0);
	told = 0;
	rig_quiet(&rig);
	assert_int_equal(told, 0);
	assert_int_equal(poller_remove(&rig.loop.poller, listener), -1);
	rig_close(&listener);
}

static void
test_what_cannot_be_registered_is_said(void **state)
{
	struct endpoint ep;

	(void)state;
	endpoint_init(&ep, WEIR_BACKEND);
	assert_int_equal(poller_add_endpoint(&rig.loop.poller, &ep, true), -1);
	assert_int_equal(errno, EBADF);
}

/* A socket closed by an earlier event of the same wait is not run. */
static void
test_events_of_closed_sockets_do_nothing(void **state)
{
	struct endpoint *ep = latch();

	(void)state;
	unlatch();
	endpoint_close(ep, false);
	channel_ready(ep, ENDPOINT_IN | ENDPOINT_ERR);
	assert_int_equal(ep->mask, 0);
	assert_false(rig_channel(&rig)->queued);
}

/* The wall clock of this program (libevent's, too), set by hand. */
static long wall_s;

int
gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec + wall_s;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

static void
never(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail();
}

/* A timer stays as far away as it is, whoever sets the clock. */
static void
test_f54_the_wall_clock_is_set(void **state)
{
	static const long steps[] = { 0, -3600, 3600 };
	struct poller *p = &rig.loop.poller;
	struct event *timer = evtimer_new(p->base, never, NULL);
	size_t i;

	(void)state;
	assert_non_null(timer);
	assert_int_equal(poller_timer(p, timer, 60000), 0);
	for (i = 0; i < 3; i++) {
		wall_s = steps[i];
		rig_turn(&rig);
		assert_true(p->next_ms > clock_ms() + 50000);
		assert_true(p->next_ms <= clock_ms() + 60100);
	}
	wall_s = 0;
	event_free(timer);
}

#define poller_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		poller_test(test_bits_are_latched),
		poller_test(test_edges_are_told_once),
		poller_test(test_listeners_are_told_until_they_are_removed),
		poller_test(test_what_cannot_be_registered_is_said),
		poller_test(test_f54_the_wall_clock_is_set),
		poller_test(test_events_of_closed_sockets_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
