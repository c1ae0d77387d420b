/* test_connect.c - a backend is reached, or every failure leads on. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "lib/hole.h"
#include "lib/pair.h"

static struct hole hole;
static bool is_dug;

static int
start(void **state)
{
	is_dug = false;
	return pair_start(state);
}

static int
stop(void **state)
{
	pair_stop(state);
	if (is_dug)
		hole_fill(&hole);
	return 0;
}

static void
dial_start(void)
{
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
}

/* Nobody answers at the first address. */
static void
dial_hole(void)
{
	hole_dig(&hole);
	is_dug = true;
	dial.to[0].in.sin_port = htons(hole.port);
}

static void
cannot_connect(int err)
{
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_BACKEND);
	assert_int_equal(rig_ends.facts.err, err);
}

static void
missing_path(struct weir_addr *a)
{
	*a = (struct weir_addr){ .len = sizeof(a->un) };
	a->un.sun_family = AF_UNIX;
	snprintf(a->un.sun_path, sizeof(a->un.sun_path), "/nowhere/at/all");
}

/* ---- failures ------------------------------------------------------------ */

static void
test_refused(void **state)
{
	(void)state;
	rig_refusing(&dial.to[0]);
	dial_start();
	cannot_connect(ECONNREFUSED);
}

static void
test_unix_path_is_missing(void **state)
{
	(void)state;
	missing_path(&dial.to[0]);
	dial_start();
	cannot_connect(ENOENT);
}

static void
test_family_that_does_not_exist(void **state)
{
	(void)state;
	dial.to[0].sa.sa_family = AF_MAX;
	dial_start();
	cannot_connect(EAFNOSUPPORT);
}

static void
test_source_of_another_family(void **state)
{
	(void)state;
	dial.source.len = sizeof(dial.source.in6);
	dial.source.in6.sin6_family = AF_INET6;
	dial_start();
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
}

static void
test_connect_timeout(void **state)
{
	(void)state;
	dial_hole();
	rig.server.connect_timeout_ms = 100000;
	dial_start();
	rig_advance(&rig, 95000);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
	rig_advance(&rig, 6000);
	cannot_connect(ETIMEDOUT);
}

static void
test_timeout_of_the_dial_counts_for_each_address(void **state)
{
	(void)state;
	dial_hole();
	dial.to[1] = dial.to[0];
	dial.n = 2;
	dial.timeout_ms = 100000;
	rig.server.connect_timeout_ms = 1000;
	dial_start();
	rig_advance(&rig, 95000);
	rig_advance(&rig, 6000);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
	rig_advance(&rig, 95000);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
	rig_advance(&rig, 6000);
	cannot_connect(ETIMEDOUT);
}

static void
test_session_timeout_while_connecting(void **state)
{
	(void)state;
	dial_hole();
	rig.server.session_timeout_ms = 100000;
	dial_start();
	rig_advance(&rig, 95000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 6000);
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_TIMEOUT);
	assert_string_equal(rig_ends.facts.detail, "session_timeout");
}

/* ---- the next address ---------------------------------------------------- */

static struct weir_verdict
first_byte(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	return weir_detach();
}
static const struct weir_middleware mw_preread = {
	.name = "preread", .flags = WEIR_PREREAD, .up = first_byte
};

static void
test_held_bytes_go_once_to_the_one_that_works(void **state)
{
	(void)state;
	dial.to[3] = dial.to[0];
	rig_refusing(&dial.to[0]);
	missing_path(&dial.to[1]);
	rig_refusing(&dial.to[2]);
	dial.n = 4;
	rig_add(&rig, &mw_preread, NULL);
	dial_start();
	rig_say(client, "held");
	server = rig_take(&rig, listener);
	rig_say(client, " more");
	rig_hear(&rig, server, "held more");
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	rig_hear_nothing(&rig, server);
	assert_int_equal(rig_channel(&rig)->ends[WEIR_BACKEND].port,
		dial.to[3].in.sin_port);
}

static void
test_all_fail(void **state)
{
	(void)state;
	missing_path(&dial.to[0]);
	rig_refusing(&dial.to[1]);
	missing_path(&dial.to[2]);
	rig_refusing(&dial.to[3]);
	dial.n = 4;
	rig_add(&rig, &mw_preread, NULL);
	dial_start();
	rig_say(client, "held");
	cannot_connect(ECONNREFUSED);
}

/* ---- connected ----------------------------------------------------------- */

static char told[64];

/* Emits when it hears of an outcome. */
static void
tell(struct weir_call *c, int err)
{
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%s%d ", (const char *)c->conf,
		err);
	if (err != 0)
		return;
	weir_emit(c, WEIR_UP, c->conf, 1);
	weir_emit(c, WEIR_DOWN, c->conf, 1);
}
static const struct weir_middleware mw_tell = { .name = "tell",
	.connected = tell };

static void
test_emitted_when_connected_goes_first(void **state)
{
	(void)state;
	told[0] = '\0';
	dial.to[1] = dial.to[0];
	rig_refusing(&dial.to[0]);
	dial.n = 2;
	rig_add(&rig, &mw_tell, "a");
	rig_add(&rig, &mw_preread, NULL);
	rig_add(&rig, &mw_tell, "b");
	dial_start();
	rig_say(client, "held");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "abheld");
	rig_hear(&rig, client, "ab");
	/* Only who connects hears of failures. */
	assert_string_equal(told, "a0 b0 ");
}

static struct weir_verdict
hello(struct weir_call *c)
{
	weir_emit(c, WEIR_DOWN, "hello", 5);
	weir_emit(c, WEIR_UP, "!", 1);
	return weir_pass(0);
}
static const struct weir_middleware mw_hello = { .name = "hello",
	.open = hello };

static void
test_greeting_does_not_wait_for_the_backend(void **state)
{
	(void)state;
	dial_hole();
	rig_add(&rig, &mw_hello, NULL);
	dial_start();
	rig_hear(&rig, client, "hello");
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
}

static void
sorry(struct weir_call *c, int err)
{
	if (err != 0)
		weir_emit(c, WEIR_DOWN, "sorry", 5);
}

static void
to_nowhere(struct weir_call *c)
{
	weir_connect(c, c->conf, NULL);
}
static const struct weir_middleware mw_sorry = {
	.name = "sorry", .route = to_nowhere, .connected = sorry
};

static void
test_last_words_when_nothing_works(void **state)
{
	struct weir_addr nowhere;

	(void)state;
	missing_path(&nowhere);
	rig_add(&rig, &mw_sorry, &nowhere);
	dial_start();
	rig_say(client, "unread");
	rig_hear(&rig, client, "sorry");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
}

/* ---- meanwhile ----------------------------------------------------------- */

static void
test_client_resets_meanwhile(void **state)
{
	(void)state;
	dial_hole();
	dial_start();
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_FRONTEND);
}

static void
test_client_ends_meanwhile(void **state)
{
	(void)state;
	rig_add(&rig, &mw_preread, NULL);
	dial_start();
	rig_say(client, "all");
	shutdown(client, SHUT_WR);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "all");
	rig_hear_end(&rig, server);
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
}

static void
test_server_accepts_and_resets_at_once(void **state)
{
	(void)state;
	dial_start();
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(server, -1);
	rig_say(server, "bye");
	rig_reset(&server);
	rig_hear(&rig, client, "bye");
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_BACKEND);
}

/* ---- source -------------------------------------------------------------- */

static void
test_source_address(void **state)
{
	struct weir_addr peer = { .len = sizeof(peer.un) };

	(void)state;
	dial.source.len = sizeof(dial.source.in);
	dial.source.in.sin_family = AF_INET;
	dial.source.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6);
	dial_start();
	server = rig_take(&rig, listener);
	assert_int_equal(getpeername(server, &peer.sa, &peer.len), 0);
	assert_int_equal(peer.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK + 6));
	assert_int_not_equal(peer.in.sin_port, 0);
}

static void
test_source_that_is_not_ours(void **state)
{
	(void)state;
	dial.source.len = sizeof(dial.source.in);
	dial.source.in.sin_family = AF_INET;
	dial.source.in.sin_addr.s_addr = htonl(0xc0000201); /* RFC 5737 */
	dial_start();
	cannot_connect(EADDRNOTAVAIL);
	assert_true(rig_logged(&rig, "[error]"));
}

#define connect_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

static struct weir_verdict
say_yes(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len);
}

static void
say_hello(struct weir_call *c, int err)
{
	if (err == 0)
		weir_emit(c, WEIR_UP, "HELLO", 5);
}

/* It goes ahead even of an end. */
static void
test_emission_goes_ahead_of_an_end(void **state)
{
	static const struct weir_middleware yes = {
		.name = "yes", .up = say_yes, .flags = WEIR_PREREAD
	};
	static const struct weir_middleware hello = { .name = "hello",
		.connected = say_hello };

	(void)state;
	rig_add(&rig, &yes, NULL);
	rig_add(&rig, &hello, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "HELLO");
	rig_hear_end(&rig, server);
}

static struct weir_addr nowhere;

static void
try_for_ever(struct weir_call *c, int err)
{
	(void)err;
	weir_connect(c, &nowhere, NULL);
}

static void
try_first(struct weir_call *c)
{
	weir_connect(c, &nowhere, NULL);
}

/* A module that never gives up does not keep the loop from others. */
static void
test_tries_without_end_leave_the_turn(void **state)
{
	static const struct weir_middleware mw = { .name = "stubborn",
		.route = try_first,
		.connected = try_for_ever };
	const char *why;
	int i;

	(void)state;
	assert_int_equal(addr_parse(&nowhere, "unix:/no/where", &why), 0);
	rig_add(&rig, &mw, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	for (i = 0; i < 10; i++)
		rig_turn(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
	engine_close_all(&rig.engine, WEIR_R_STOPPED);
	rig_until(&rig, rig_ends.n == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		connect_test(test_refused),
		connect_test(test_unix_path_is_missing),
		connect_test(test_family_that_does_not_exist),
		connect_test(test_source_of_another_family),
		connect_test(test_connect_timeout),
		connect_test(test_timeout_of_the_dial_counts_for_each_address),
		connect_test(test_session_timeout_while_connecting),
		connect_test(test_held_bytes_go_once_to_the_one_that_works),
		connect_test(test_all_fail),
		connect_test(test_emitted_when_connected_goes_first),
		connect_test(test_greeting_does_not_wait_for_the_backend),
		connect_test(test_last_words_when_nothing_works),
		connect_test(test_client_resets_meanwhile),
		connect_test(test_client_ends_meanwhile),
		connect_test(test_server_accepts_and_resets_at_once),
		connect_test(test_source_address),
		connect_test(test_source_that_is_not_ours),
		connect_test(test_emission_goes_ahead_of_an_end),
		connect_test(test_tries_without_end_leave_the_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
