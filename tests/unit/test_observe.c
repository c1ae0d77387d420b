/* test_observe.c - what extensions learn of the channels of their process. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/observe.h"
#include "lib/pair.h"

#define MB ((uint64_t)1 << 20)

static char said[4096]; /* by the first observer, a word an event */
static struct weir_facts last;
static struct weir_addr reached;
static uint64_t calls, called_bytes, called_ns;
static unsigned second_opened, second_closed;
static struct weir_moved moved;
static _Atomic uint64_t events[2];
static struct observers observers;

static void
say(const struct weir_seen *seen, const char *word)
{
	size_t len = strlen(said);
	unsigned *n = seen->own;

	assert_int_equal(seen->server, 0);
	snprintf(said + len, sizeof(said) - len, "%llu:%s/%u ",
		(unsigned long long)seen->id, word, (*n)++);
}

static struct weir_moved *
first_moved(struct weir_service *s, unsigned number)
{
	(void)s;
	assert_int_equal(number, 0);
	return &moved;
}

static _Atomic uint64_t *
first_events(struct weir_service *s, unsigned number, unsigned stage)
{
	(void)s;
	(void)number;
	assert_int_equal(stage, 0); /* others have no counters */
	return events;
}

static void
first_opened(struct weir_service *s, const struct weir_seen *seen)
{
	assert_string_equal(s->name, "first");
	say(seen, "opened");
}

static void
first_connected(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_addr *to, int err, uint64_t us)
{
	(void)s;
	reached = *to;
	assert_in_range(us, 0, 60000000);
	say(seen, err == 0 ? "connected" : strerror(err));
}

static void
first_answered(
	struct weir_service *s, const struct weir_seen *seen, uint64_t us)
{
	(void)s;
	assert_in_range(us, 0, 60000000);
	say(seen, "answered");
}

static void
first_called(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_called *called)
{
	(void)s;
	if (called->stage != 0)
		return;
	calls++;
	called_bytes += called->bytes;
	called_ns += called->ns;
	if (called->bytes == 0)
		say(seen, called->hook);
}

static void
first_closed(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_facts *facts)
{
	(void)s;
	last = *facts;
	say(seen, "closed");
}

static const struct weir_observer first_look = {
	.channel_size = sizeof(unsigned),
	.moved = first_moved,
	.events = first_events,
	.opened = first_opened,
	.connected = first_connected,
	.answered = first_answered,
	.called = first_called,
	.closed = first_closed,
};

/* Its bytes of a channel are its own. */
static void
second_open(struct weir_service *s, const struct weir_seen *seen)
{
	uint64_t *own = seen->own;

	(void)s;
	assert_int_equal(own[0] | own[4], 0);
	own[0] = own[4] = ~seen->id;
	second_opened++;
}

static void
second_close(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_facts *facts)
{
	const uint64_t *own = seen->own;

	(void)s;
	assert_int_equal(own[0], ~facts->id);
	assert_int_equal(own[4], ~facts->id);
	second_closed++;
}

static const struct weir_observer second_look = { .channel_size =
							  5 * sizeof(uint64_t),
	.opened = second_open,
	.closed = second_close };

static const struct weir_extension first = { .name = "first",
	.observer = &first_look };
static const struct weir_extension blind = { .name = "blind" };
static const struct weir_extension second = { .name = "second",
	.observer = &second_look };
static struct weir_service services[] = {
	{ .type = &first, .name = "first" },
	{ .type = NULL }, /* could not start */
	{ .type = &blind, .name = "blind" },
	{ .type = &second, .name = "second" },
};

static int
start(void **state)
{
	pair_start(state);
	said[0] = '\0';
	calls = called_bytes = called_ns = 0;
	second_opened = second_closed = 0;
	memset((void *)&moved, 0, sizeof(moved));
	memset((void *)events, 0, sizeof(events));
	if (observers_init(&observers, services, 4, &rig.server) == -1)
		return -1;
	rig.observers = &observers;
	return 0;
}

static int
stop(void **state)
{
	pair_stop(state);
	observers_done(&observers);
	/* Nobody was forgotten. */
	return second_opened == second_closed ? 0 : -1;
}

/* ---- what a middleware does ---------------------------------------------- */

static const char *const counted[] = { "calls", "bytes", NULL };

static struct weir_verdict
look(struct weir_call *c, struct weir_bytes in)
{
	weir_count(c, 0, 1);
	weir_count(c, 1, in.len);
	return weir_pass(in.len);
}

static struct weir_verdict
looks_opened(struct weir_call *c)
{
	(void)c;
	return weir_pass(0);
}

static const struct weir_middleware looks = {
	.name = "looks", .counters = counted, .open = looks_opened, .up = look
};
static struct weir_verdict
looks_closed(struct weir_call *c, enum weir_reason reason)
{
	(void)c;
	(void)reason;
	return weir_pass(0);
}
static const struct weir_middleware looks_on = { .name = "looks_on",
	.up = look,
	.counters = counted,
	.close = looks_closed };
static const struct weir_middleware looks_not = { .name = "looks_not",
	.open = looks_opened };

static void
end(void)
{
	rig_close(&client);
	rig_hear_end(&rig, server);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == rig.opened);
}

/* ---- tests --------------------------------------------------------------- */

static void
test_a_channel_from_its_beginning_to_its_end(void **state)
{
	(void)state;
	rig_add(&rig, &looks, NULL);
	pair_join();
	assert_string_equal(said, "1:opened/0 1:open/1 1:connected/2 ");
	assert_memory_equal(&reached.in, &dial.to[0].in, sizeof(reached.in));
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	rig_say(server, "abc");
	rig_hear(&rig, client, "abc");
	rig_say(server, "defg");
	rig_hear(&rig, client, "defg");
	end();
	assert_string_equal(said,
		"1:opened/0 1:open/1 1:connected/2 1:answered/3 1:up/4 "
		"1:closed/5 ");
	assert_int_equal(last.up_bytes, 5);
	assert_int_equal(last.down_bytes, 7);
	assert_int_equal(last.reason, WEIR_R_DONE);
	assert_int_equal(last.ended_by, WEIR_FRONTEND);
	assert_int_equal(calls, 3);
	assert_int_equal(called_bytes, 5);
	assert_true(called_ns > 0);
}

static void
test_a_callback_that_is_shown_nothing(void **state)
{
	(void)state;
	rig_add(&rig, &looks_on, NULL);
	pair_join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	rig_reset(&client);
	rig_hear_reset(&rig, server);
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(
		said, "1:opened/0 1:connected/1 1:closed/2 1:close/3 ");
	assert_int_equal(last.reason, WEIR_R_RESET);
	assert_int_equal(last.ended_by, WEIR_FRONTEND);
}

static void
test_a_backend_that_fails_and_one_that_does_not(void **state)
{
	struct weir_addr refusing;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = dial.to[0];
	dial.to[0] = refusing;
	dial.n = 2;
	rig_add(&rig, &looks_not, NULL);
	pair_join();
	assert_string_equal(said,
		"1:opened/0 1:open/1 1:Connection refused/2 1:connected/3 ");
	end();
}

static void
test_a_backend_that_never_answers(void **state)
{
	(void)state;
	rig_add(&rig, &looks_not, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	end();
	assert_string_equal(
		said, "1:opened/0 1:open/1 1:connected/2 1:closed/3 ");
}

static void
test_one_that_is_answered_here_has_no_backend(void **state)
{
	(void)state;
	rig_add(&rig, &looks, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	rig_until(&rig, events[0] > 0);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(said, "1:opened/0 1:open/1 1:up/2 1:closed/3 ");
}

static void
test_counters_of_a_middleware(void **state)
{
	(void)state;
	rig_add(&rig, &looks, NULL);
	pair_join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	assert_int_equal(events[0], 1);
	assert_int_equal(events[1], 5);
	end();
	assert_int_equal(events[0], 2);
	assert_int_equal(events[1], 5);
}

static void
test_counters_that_nobody_wants(void **state)
{
	(void)state;
	rig.observers = NULL;
	rig_add(&rig, &looks, NULL);
	pair_join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	end();
	assert_int_equal(events[0], 0);
	assert_string_equal(said, "");
}

/* Bytes are counted while they move, not when it is over. */
static void
test_bytes_as_they_pass(void **state)
{
	const char *way = mode_now()->splice;
	uint64_t up, down;

	(void)state;
	rig.server.read_max = 131072;
	pair_join();
	pair_carry(client, server, 0, 3 * MB);
	pair_carry(server, client, 0, 5 * MB + 3);
	up = moved.copied[WEIR_UP] + moved.spliced[WEIR_UP];
	down = moved.copied[WEIR_DOWN] + moved.spliced[WEIR_DOWN];
	assert_int_equal(up, 3 * MB);
	assert_int_equal(down, 5 * MB + 3);
	assert_int_equal(moved.sent[WEIR_UP], 3 * MB);
	assert_int_equal(moved.sent[WEIR_DOWN], 5 * MB + 3);
	if (strcmp(way, "off") == 0)
		assert_int_equal(
			moved.spliced[WEIR_UP] + moved.spliced[WEIR_DOWN], 0);
	if (strcmp(way, "on") == 0)
		assert_int_equal(
			moved.copied[WEIR_UP] + moved.copied[WEIR_DOWN], 0);
	end();
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		mode_tests(test_a_channel_from_its_beginning_to_its_end, start,
			stop),
		CASE(test_a_callback_that_is_shown_nothing),
		CASE(test_a_backend_that_fails_and_one_that_does_not),
		CASE(test_a_backend_that_never_answers),
		CASE(test_one_that_is_answered_here_has_no_backend),
		CASE(test_counters_of_a_middleware),
		CASE(test_counters_that_nobody_wants),
		mode_tests(test_bytes_as_they_pass, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
