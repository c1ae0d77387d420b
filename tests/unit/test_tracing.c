/* test_tracing.c - keepers that watch channels. */
#include "link_try.h"

static size_t event_at; /* of the next event in the packet; 0: none */

/* Reads events, from where it was, until one has those words; what it is. */
static const struct link_event *
event_of(const char *what)
{
	const struct link_events *es = (const void *)packet;
	int left;

	for (left = 1000; left > 0; left--) {
		const struct link_event *e = (void *)(packet + event_at);

		if (event_at == 0 || event_at >= packet_len) {
			es = answer(LINK_TRACE);
			event_at = es->n == 0 ? 0 : sizeof(*es);
			continue;
		}
		event_at += e->size;
		if (strcmp(e->what, what) == 0)
			return e;
	}
	fail_msg("there is no event \"%s\"", what);
	return NULL;
}

static void
test_trace_of_one(void **state)
{
	struct link_trace q = {
		.head = { LINK_TRACE, 6 }, .id = 2, .bytes = 4
	};
	const struct link_event *e;

	(void)state;
	event_at = 0;
	(void)answer(LINK_HELLO);
	join(3);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	rig_say(clients[0], "not this one");
	rig_quiet(&rig);
	rig_say(clients[1], "hello");
	e = event_of("read");
	assert_int_equal(e->id, 2);
	assert_int_equal(e->n, 5);
	assert_int_equal(e->side, WEIR_FRONTEND);
	assert_int_equal(e->len, 4);
	assert_memory_equal(e->data, "hell", 4);
	rig_close(&clients[1]);
	rig_close(&servers[1]);
	(void)event_of("dead");
	(void)event_of("cleanup finished");
	(void)answer(LINK_DONE);
	assert_true(LIST_EMPTY(&rig.loop.tracers));
	/* Nobody has that number now. */
	ask(&q, sizeof(q));
	assert_int_equal(
		((const struct link_done *)answer(LINK_DONE))->err, ENOENT);
}

static void
test_trace_of_one_that_is_silent_begins_at_once(void **state)
{
	struct link_trace q = { .head = { LINK_TRACE, 6 }, .id = 2 };
	const struct link_events *es;

	(void)state;
	(void)answer(LINK_HELLO);
	join(3);
	ask(&q, sizeof(q));
	es = answer(LINK_TRACE);
	assert_int_equal(es->n, 0);
	assert_int_equal(es->lost, 0);
	rig_quiet(&rig);
	assert_false(comes());
}

static void
test_trace_of_those_who_come(void **state)
{
	struct link_trace q = { .head = { LINK_TRACE, 6 }, .client.all = true };

	(void)state;
	event_at = 0;
	(void)answer(LINK_HELLO);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	join(1);
	assert_int_equal(event_of("accepted by rig")->id, 1);
	(void)event_of("joined");
	ask_head(LINK_END, 6);
	rig_until(&rig, LIST_EMPTY(&rig.loop.tracers));
	rig_say(clients[0], "x");
	rig_hear(&rig, servers[0], "x");
}

static void
test_a_slow_reader_of_a_trace_is_told_what_it_lost(void **state)
{
	struct link_trace q = { .head = { LINK_TRACE, 6 },
		.client.all = true,
		.bytes = LINK_TRACE_MOST };
	uint64_t events = 0, lost = 0;
	int i;

	(void)state;
	event_at = 0;
	(void)answer(LINK_HELLO);
	join(1);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	for (i = 0; i < 4000; i++) {
		rig_say(clients[0], "0123456789");
		rig_hear(&rig, servers[0], "0123456789");
	}
	while (lost == 0) {
		const struct link_events *es = answer(LINK_TRACE);

		events += es->n;
		lost += es->lost;
	}
	assert_true(events > 100);
	assert_int_equal(events + lost, 8000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		link_test(test_trace_of_one),
		link_test(test_trace_of_one_that_is_silent_begins_at_once),
		link_test(test_trace_of_those_who_come),
		link_test(test_a_slow_reader_of_a_trace_is_told_what_it_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
