/* test_facts.c - what is told of a channel, and said for it. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/pair.h"

/* ---- facts --------------------------------------------------------------- */

/* Whoever asks for an end that there is not gets none. */
static struct weir_verdict
ask_nowhere(struct weir_call *c)
{
	struct weir_addr *a = c->ctx;

	a[0].len = a[1].len = 1;
	weir_local(c, (enum weir_side)3, &a[0]);
	weir_peer(c, (enum weir_side)99, &a[1]);
	assert_int_equal(a[0].len, 0);
	assert_int_equal(a[1].len, 0);
	return weir_pass(0);
}

static void
test_no_address_of_no_side(void **state)
{
	static const struct weir_middleware mw = { .name = "asks",
		.ctx_size = 2 * sizeof(struct weir_addr),
		.open = ask_nowhere };

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
}

static void
test_facts(void **state)
{
	char text[WEIR_ADDR_TEXT], other[WEIR_ADDR_TEXT];
	struct weir_addr at = { .len = sizeof(at.un) };
	struct weir_facts *f = &rig_ends.facts;

	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
	assert_int_equal(getsockname(client, &at.sa, &at.len), 0);
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	rig_say(server, "123");
	rig_hear(&rig, client, "123");
	clock_advance(5000);
	rig_close(&client);
	rig_hear_end(&rig, server);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(f->up_bytes, 5);
	assert_int_equal(f->down_bytes, 3);
	assert_in_range(f->age_ms, 5000, 15000);
	assert_int_equal(f->reason, WEIR_R_DONE);
	assert_int_equal(f->ended_by, WEIR_FRONTEND);
	assert_int_equal(f->id, 1);
	assert_int_equal(f->err, 0);
	assert_null(f->detail);
	assert_null(f->module);
	assert_string_equal(f->server, "rig");
	assert_string_equal(f->listen, "rig");
	assert_string_equal(
		weir_addr_text(&f->client, text), weir_addr_text(&at, other));
	assert_string_equal(weir_addr_text(&f->target, text),
		weir_addr_text(&dial.to[0], other));
}

static struct weir_verdict
say(struct weir_call *c, struct weir_bytes in)
{
	weir_log(c, "saw %zu%c", in.len, '%');
	return weir_pass(in.len);
}
static const struct weir_middleware mw_say = { .name = "say", .up = say };

static void
test_log_names_server_module_and_channel(void **state)
{
	(void)state;
	rig_add(&rig, &mw_say, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "abc");
	rig_until(&rig, rig_logged(&rig, "rig/say: #1: saw 3%"));
	rig_close(&client);
}

static struct weir_bytes bare_in;
static void *bare_ctx;

static struct weir_verdict
bare(struct weir_call *c, struct weir_bytes in)
{
	bare_in = in;
	bare_ctx = c->ctx;
	return weir_pass(in.len);
}

/* Who forgets ctx_size writes to NULL, not to the context of a neighbour. */
static void
test_what_is_not_there(void **state)
{
	static const struct weir_middleware mw = { .name = "bare", .up = bare };

	(void)state;
	bare_ctx = &bare_in;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	assert_null(bare_ctx);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_end(&rig, server);
	assert_true(bare_in.eof);
	assert_int_equal(bare_in.len, 0);
	assert_non_null(bare_in.p);
}

#define rig_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_no_address_of_no_side),
		rig_test(test_facts),
		rig_test(test_log_names_server_module_and_channel),
		rig_test(test_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
