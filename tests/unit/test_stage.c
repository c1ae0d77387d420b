/* test_stage.c - bytes that are kept until there are more, that pass unshown,
 * or that are shown again after a detach. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/pair.h"

static char shown[256]; /* what the callback was shown, call by call */

static void
note(struct weir_bytes in)
{
	size_t len = strlen(shown);

	snprintf(shown + len, sizeof(shown) - len, "%.*s%s", (int)in.len,
		(const char *)in.p, in.eof ? "." : "|");
}

/* A line that begins with a digit is so many bytes long. */
static struct weir_verdict
count_up(struct weir_call *c, struct weir_bytes in)
{
	size_t want;

	(void)c;
	note(in);
	if (in.len == 0)
		return weir_pass(0);
	want = (size_t)(in.p[0] - '0');
	if (in.len < want && !in.eof)
		return weir_need(want);
	return weir_pass(in.len < want ? in.len : want);
}

static const struct weir_middleware mw_count = { .name = "count",
	.up = count_up };

static int
start(void **state)
{
	shown[0] = '\0';
	return pair_start(state);
}

static void
test_need_is_shown_when_it_is_there(void **state)
{
	(void)state;
	rig_add(&rig, &mw_count, NULL);
	pair_join();
	rig_say(client, "5ab");
	rig_hear_nothing(&rig, server);
	rig_say(client, "c");
	rig_hear_nothing(&rig, server);
	rig_say(client, "d3e");
	rig_hear(&rig, server, "5abcd");
	rig_say(client, "f1");
	rig_hear(&rig, server, "3ef1");
	assert_string_equal(shown, "5ab|5abcd3e|3e|3ef1|1|");
}

static void
test_need_is_shown_at_the_end(void **state)
{
	(void)state;
	rig_add(&rig, &mw_count, NULL);
	pair_join();
	rig_say(client, "9ab");
	rig_hear_nothing(&rig, server);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear(&rig, server, "9ab");
	rig_hear_end(&rig, server);
	assert_string_equal(shown, "9ab|9ab.");
}

/* One byte at a time makes the same of it, and two stages that both hold. */
static void
test_need_byte_by_byte(void **state)
{
	static const char text[] = "5abcd3ef1";
	size_t i;

	(void)state;
	rig_add(&rig, &mw_count, NULL);
	rig_add(&rig, &mw_count, NULL);
	pair_join();
	for (i = 0; text[i] != '\0'; i++) {
		rig_send(client, text + i, 1);
		rig_quiet(&rig);
	}
	rig_hear(&rig, server, text);
}

static struct weir_verdict
need_much(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.eof ? weir_pass(in.len) : weir_need(in.len + 1000);
}

static void
test_need_has_a_limit(void **state)
{
	static const struct weir_middleware mw = { .name = "much",
		.up = need_much };

	(void)state;
	rig.server.read_max = 500;
	rig.server.hold_max = 999;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.module, "much");
	assert_non_null(rig_ends.facts.detail);
	assert_string_equal(rig_ends.facts.detail, "needs more than hold_max");
}

static struct weir_verdict
need_ten(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.len < 10 ? weir_need(10) : weir_pass(in.len);
}

static void
test_need_of_the_limit_itself(void **state)
{
	static const struct weir_middleware mw = { .name = "ten",
		.up = need_ten };

	(void)state;
	rig.server.read_max = rig.server.hold_max = 10;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "12345");
	rig_hear_nothing(&rig, server);
	rig_say(client, "67890");
	rig_hear(&rig, server, "1234567890");
}

static struct weir_verdict
skip_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	note(in);
	if (in.len == 0)
		return weir_pass(0);
	return weir_skip((size_t)(in.p[0] - '0'));
}

static void
test_skip_passes_unshown(void **state)
{
	static const struct weir_middleware mw = { .name = "skip",
		.up = skip_up };

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "4a");
	rig_hear(&rig, server, "4a");
	rig_say(client, "bc2d1");
	rig_hear(&rig, server, "bc2d1");
	rig_say(client, "9");
	rig_hear(&rig, server, "9");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_end(&rig, server);
	assert_string_equal(shown, "4a|2d1|1|9|.");
}

/* ---- breaches ------------------------------------------------------------ */

static struct weir_verdict
need_none(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_need(in.len);
}

static struct weir_verdict
need_at_end(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.eof ? weir_need(in.len + 1) : weir_pass(in.len);
}

static struct weir_verdict
need_after_emit(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_DOWN, "x", 1);
	return weir_need(in.len + 1);
}

static struct weir_verdict
skip_none(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	return weir_skip(0);
}

static struct weir_verdict
attach_nothing(struct weir_call *c, struct weir_bytes in)
{
	weir_attach(c, WEIR_DOWN);
	return weir_pass(in.len);
}

static void
test_breaches(void **state)
{
	static const struct weir_middleware all[] = {
		{ .name = "need_none", .up = need_none },
		{ .name = "need_at_end", .up = need_at_end },
		{ .name = "need_after_emit", .up = need_after_emit },
		{ .name = "skip_none", .up = skip_none },
		{ .name = "attach_nothing", .up = attach_nothing },
	};
	static const char *const said[] = { "needs no more than",
		"needs more than there will", "holds bytes after it has acted",
		"judged none", "a verb where" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (i > 0)
			pair_start(state);
		rig.alerts_wanted = true;
		rig_add(&rig, &all[i], NULL);
		pair_join();
		rig_say(client, "x");
		shutdown(client, SHUT_WR);
		rig_until(&rig, rig_ends.n == 1);
		assert_int_equal(rig_ends.reason, WEIR_R_BUG);
		assert_string_equal(rig_ends.facts.module, all[i].name);
		assert_true(rig_logged(&rig, said[i]));
		if (i + 1 < sizeof(all) / sizeof(all[0]))
			pair_stop(state);
	}
}

/* ---- attach, ready ------------------------------------------------------- */

static struct weir_verdict
detach_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	note(in);
	return weir_detach();
}

/* What comes down decides whether what goes up is looked at. */
static struct weir_verdict
watch_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0 && in.p[0] == '!')
		weir_attach(c, WEIR_UP);
	return weir_pass(in.len);
}

static void
test_attach_takes_back_a_detach(void **state)
{
	static const struct weir_middleware mw = {
		.name = "watch", .up = detach_up, .down = watch_down
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "one");
	rig_hear(&rig, server, "one");
	rig_say(client, "two");
	rig_hear(&rig, server, "two");
	assert_int_equal(flow_interest(&rig_channel(&rig)->flows[WEIR_UP]), 0);
	rig_say(server, "!");
	rig_hear(&rig, client, "!");
	assert_int_equal(flow_interest(&rig_channel(&rig)->flows[WEIR_UP]), 1);
	rig_say(client, "three");
	rig_hear(&rig, server, "three");
	rig_say(client, "four");
	rig_hear(&rig, server, "four");
	assert_string_equal(shown, "one|three|");
}

/* Wants the whole line, but its first byte is enough to choose a backend. */
static struct weir_verdict
early_up(struct weir_call *c, struct weir_bytes in)
{
	weir_ready(c);
	return in.len < 4 && !in.eof ? weir_need(4) : weir_detach();
}

static void
test_ready_lets_the_backend_be_chosen(void **state)
{
	static const struct weir_middleware mw = {
		.name = "early", .up = early_up, .flags = WEIR_PREREAD
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "a");
	server = rig_take(&rig, listener);
	rig_hear_nothing(&rig, server);
	rig_say(client, "bcd");
	rig_hear(&rig, server, "abcd");
}

int
main(void)
{
#define stage_tests(f) mode_tests(f, start, pair_stop)
	const struct CMUnitTest tests[] = {
		stage_tests(test_need_is_shown_when_it_is_there),
		stage_tests(test_need_is_shown_at_the_end),
		stage_tests(test_need_byte_by_byte),
		stage_tests(test_need_has_a_limit),
		stage_tests(test_need_of_the_limit_itself),
		stage_tests(test_skip_passes_unshown),
		stage_tests(test_breaches),
		stage_tests(test_attach_takes_back_a_detach),
		stage_tests(test_ready_lets_the_backend_be_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
