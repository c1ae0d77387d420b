/* test_forward.c - the first address that takes the connection gets it. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/entry.h"
#include "lib/hole.h"
#include "lib/pair.h"
#include "lib/said.h"
#include "lib/spy.h"

extern const struct weir_middleware mw_forward;

static struct weir_addr to[2]; /* nobody, and the backend */
static struct entry entry;

/* Forwards to nobody, and then to the backend (most = 2). */
static void
forward_start(int most)
{
	char nobody[WEIR_ADDR_TEXT], options[256];

	pair_start(NULL);
	rig_refusing(&to[0]);
	to[1] = dial.to[0];
	snprintf(options, sizeof(options), "to = [ \"%s\"%s ];",
		weir_addr_text(&to[0], nobody),
		most > 1 ? ", \"${BACKEND}\"" : "");
	entry_load(&entry, "forward", options, &to[1]);
	rig_add(&rig, spy_on(&mw_forward), entry.stage->conf);
	rig_start(&rig);
	client = rig_client(&rig);
}

static void
forward_stop(void)
{
	pair_stop(NULL);
	entry_free(&entry);
	to[1].len = 0;
}

static void
address_is(const struct weir_addr *a)
{
	char text[WEIR_ADDR_TEXT];

	assert_string_equal(spy_text("address"), weir_addr_text(a, text));
}

static void
test_bytes_pass_as_they_are(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_forward,
			    .options = "to = [ \"127.0.0.1:1\", "
				       "\"${BACKEND}\" ];",
			    .text = "hello" },
		&(struct cut_seen){ .up = "hello", .why = "done" });
}

static void
test_the_next_address_is_tried(void **state)
{
	(void)state;
	forward_start(2);
	server = rig_take(&rig, listener);
	rig_say(client, "hello");
	rig_hear(&rig, server, "hello");
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	address_is(&to[1]);
	forward_stop();
}

static void
test_the_last_address_is_the_last(void **state)
{
	(void)state;
	forward_start(1);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	address_is(&to[0]);
	forward_stop();
}

/* Loads a forward with these options, before the rig starts; the backend is the
 * listener unless the test has set another address. */
static void
forward_load(const char *options)
{
	pair_start(NULL);
	if (to[1].len == 0)
		to[1] = dial.to[0];
	entry_load(&entry, "forward", options, &to[1]);
	rig.server.connect_timeout_ms = 3600000;
}

static void
test_each_address_has_its_time(void **state)
{
	char options[128];
	struct hole hole;

	(void)state;
	hole_dig(&hole);
	snprintf(options, sizeof(options),
		"to = [ \"127.0.0.1:%u\", \"${BACKEND}\" ]; "
		"connect_timeout = \"10m\";",
		hole.port);
	forward_load(options);
	rig_add(&rig, &mw_forward, entry.stage->conf);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_advance(&rig, 599000);
	rig_hear_nothing(&rig, listener);
	rig_advance(&rig, 2000);
	server = rig_take(&rig, listener);
	forward_stop();
	hole_fill(&hole);
}

static void
test_the_source_is_bound(void **state)
{
	struct weir_addr from = { .len = sizeof(from.in) };

	(void)state;
	forward_load("to = \"${BACKEND}\"; source = \"127.0.0.2:0\";");
	rig_add(&rig, &mw_forward, entry.stage->conf);
	rig_start(&rig);
	client = rig_client(&rig);
	server = rig_take(&rig, listener);
	assert_int_equal(getpeername(server, &from.sa, &from.len), 0);
	assert_int_equal(from.in.sin_addr.s_addr, htonl(0x7f000002));
	forward_stop();
}

/* Wants two bytes of the client before a backend is chosen. */
static struct weir_verdict
two_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.len < 2 && !in.eof ? weir_need(2) : weir_detach();
}

static const struct weir_middleware mw_two = {
	.name = "two", .flags = WEIR_PREREAD, .up = two_up
};

/* A client behind that, which says text and then nothing for so long. */
static void
race_start(const char *options, const char *text)
{
	forward_load(options);
	rig_add(&rig, &mw_two, NULL);
	rig_add(&rig, &mw_forward, entry.stage->conf);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, text);
	rig_quiet(&rig);
	rig_advance(&rig, 300);
	rig_quiet(&rig);
}

static void
test_no_race_unless_asked_for(void **state)
{
	(void)state;
	race_start("to = \"${BACKEND}\";", "");
	rig_hear_nothing(&rig, listener);
	rig_say(client, "xy");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "xy");
	forward_stop();
}

static void
test_a_race_that_the_backend_wins(void **state)
{
	(void)state;
	race_start("to = \"${BACKEND}\"; first_byte = \"race\";", "");
	server = rig_take(&rig, listener);
	rig_say(server, "hello");
	rig_hear(&rig, client, "hello");
	forward_stop();
}

/* It comes over the connection that is there. */
static void
test_a_race_that_the_client_wins(void **state)
{
	(void)state;
	race_start("to = [ \"${BACKEND}\", \"127.0.0.1:1\" ]; "
		   "first_byte = \"race\";",
		"");
	server = rig_take(&rig, listener);
	rig_say(client, "xy");
	rig_hear(&rig, server, "xy");
	rig_hear_nothing(&rig, listener);
	forward_stop();
}

static void
test_no_race_after_a_byte(void **state)
{
	(void)state;
	race_start("to = \"${BACKEND}\"; first_byte = \"race\";", "x");
	rig_hear_nothing(&rig, listener);
	rig_say(client, "y");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "xy");
	forward_stop();
}

/* Nobody has taken the connection in the race: all are tried again then. */
static void
test_after_a_race_all_are_tried_again(void **state)
{
	static const int on = 1;

	(void)state;
	rig_refusing(&to[1]);
	race_start("to = [ \"${BACKEND}\", \"127.0.0.1:1\" ]; "
		   "first_byte = \"race\";",
		"");
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_ROUTE);
	rig_close(&listener);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
		0);
	assert_int_equal(bind(listener, &to[1].sa, to[1].len), 0);
	assert_int_equal(listen(listener, 8), 0);
	rig_say(client, "xy");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "xy");
	forward_stop();
}

/* Which a listener that defers would keep from happening. */
static void
test_a_race_is_told(void **state)
{
	static const char *const first[] = { "client", "race" };
	char options[64];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(options, sizeof(options),
			"to = \"127.0.0.1:9\"; first_byte = \"%s\";", first[i]);
		entry_load(&entry, "forward", options, NULL);
		assert_int_equal(mw_forward.races(entry.stage->conf), i == 1);
		entry_free(&entry);
	}
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("forward", "to = \"127.0.0.1:1\"; source = \"127.0.0.2:0\";",
		"");
	said_of("forward", "to = [ \"127.0.0.1:1\", \"[::1]:0\" ];",
		"\"to\" wants a port from 1, not [::1]:0");
	said_of("forward", "to = \"[::1]:1\"; source = \"127.0.0.1:0\";",
		"\"source\" is of another family than [::1]:1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_pass_as_they_are),
		cmocka_unit_test(test_the_next_address_is_tried),
		cmocka_unit_test(test_the_last_address_is_the_last),
		cmocka_unit_test(test_each_address_has_its_time),
		cmocka_unit_test(test_the_source_is_bound),
		cmocka_unit_test(test_no_race_unless_asked_for),
		cmocka_unit_test(test_a_race_that_the_backend_wins),
		cmocka_unit_test(test_a_race_that_the_client_wins),
		cmocka_unit_test(test_no_race_after_a_byte),
		cmocka_unit_test(test_after_a_race_all_are_tried_again),
		cmocka_unit_test(test_a_race_is_told),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
