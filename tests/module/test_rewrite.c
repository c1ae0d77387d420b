/* test_rewrite.c - strings are replaced wherever the bytes were cut. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/alloc.h"
#include "lib/cut.h"
#include "lib/pair.h"
#include "lib/said.h"

#define RULES 6
#define TEXT  200
#define WIDE  (TEXT * 8) /* what it may become */

#define DIGITS	"01234567890123456789"
#define DIGITS5 DIGITS DIGITS DIGITS DIGITS DIGITS

extern const struct weir_middleware mw_rewrite;

enum direction { UP, DOWN, BOTH };

struct rule {
	const char *from, *to;
	int direction;
};

static const struct weir_list *
rules(struct weir_list *list, const struct rule *r, size_t n)
{
	*list = (struct weir_list){ .n = n, .v = (void *)(uintptr_t)r };
	return list;
}

#define TURNS(r, text, result)                                                 \
	do {                                                                   \
		struct weir_list list;                                         \
		each_cut(&mw_rewrite,                                          \
			rules(&list, r, sizeof(r) / sizeof((r)[0])), text,     \
			&(struct cut_seen){ .up = result, .why = "done" });    \
	} while (0)

static void
test_a_string_is_replaced(void **state)
{
	static const struct rule r[] = { { "cat", "dog", BOTH } };

	(void)state;
	TURNS(r, "", "");
	TURNS(r, "cat", "dog");
	TURNS(r, "a cat at", "a dog at");
	TURNS(r, "catcat", "dogdog");
	TURNS(r, "cacat ca", "cadog ca");
	TURNS(r, "ccat cat", "cdog dog");
}

static void
test_what_is_put_in_is_not_searched(void **state)
{
	static const struct rule r[] = { { "a", "aa", BOTH }, { "b", "", BOTH },
		{ "c", "ab", BOTH } };

	(void)state;
	TURNS(r, "abc", "aaab");
	TURNS(r, "bbb", "");
	TURNS(r, "xbax", "xaax");
}

static void
test_leftmost_then_longest(void **state)
{
	static const struct rule r[] = { { "ab", "1", BOTH },
		{ "abcd", "2", BOTH }, { "bc", "3", BOTH },
		{ "cx", "4", BOTH } };

	(void)state;
	TURNS(r, "abcd", "2");
	TURNS(r, "abc", "1c");
	TURNS(r, "abcx", "14");
	TURNS(r, "bcx", "3x");
	TURNS(r, "aabcab", "a1c1");
	TURNS(r, "abcabcd", "1c2");
}

static void
test_each_direction_has_its_rules(void **state)
{
	static const struct rule r[] = { { "up", "UP", UP },
		{ "down", "DOWN", DOWN }, { "any", "ANY", BOTH } };
	struct weir_list list;

	pair_start(state);
	rig_add(&rig, &mw_rewrite, rules(&list, r, 3));
	pair_join();
	rig_say(client, "up down any!");
	rig_hear(&rig, server, "UP down ANY!");
	rig_say(server, "up down any!");
	rig_hear(&rig, client, "up DOWN ANY!");
	pair_stop(state);
}

static void
test_without_a_rule_nobody_looks(void **state)
{
	static const struct rule r[] = { { "up", "UP", UP } };
	struct weir_list list;

	pair_start(state);
	rig_add(&rig, &mw_rewrite, rules(&list, r, 1));
	pair_join();
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(
		flow_interest(&rig_channel(&rig)->flows[WEIR_DOWN]), 0);
	assert_int_not_equal(
		flow_interest(&rig_channel(&rig)->flows[WEIR_UP]), 0);
	pair_stop(state);
}

/* Only what may become a string is kept back, and no longer than needed. */
static void
test_no_more_is_held_than_need_be(void **state)
{
	static const struct rule r[] = { { "abc", "1", BOTH },
		{ "abcabd", "2", BOTH } };
	struct weir_list list;

	pair_start(state);
	rig_add(&rig, &mw_rewrite, rules(&list, r, 2));
	pair_join();
	rig_say(client, "xxab");
	rig_hear(&rig, server, "xx");
	rig_hear_nothing(&rig, server);
	rig_say(client, "c");
	rig_hear_nothing(&rig, server);
	rig_say(client, "abx");
	rig_hear(&rig, server, "1abx");
	rig_say(client, "abcabd");
	rig_hear(&rig, server, "2");
	pair_stop(state);
}

/* Bytes of any value but NUL, and no string of theirs is special. */
static void
test_bytes_of_all_values(void **state)
{
	static const struct rule r[] = { { "\xff\x80", "\x01", BOTH },
		{ "\x01", "\xff\x80", BOTH } };
	static const uint8_t sent[] = { 0, 0xff, 0x80, 0, 1, 0xff },
			     want[] = { 0, 1, 0, 0xff, 0x80, 0xff };
	uint8_t got[sizeof(want) + 1];
	struct weir_list list;
	size_t n = 0;
	long some;

	pair_start(state);
	rig_add(&rig, &mw_rewrite, rules(&list, r, 2));
	pair_join();
	rig_send(client, sent, sizeof(sent));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	while ((some = rig_read(server, got + n, sizeof(got) - n)) > 0)
		n += (size_t)some;
	assert_int_equal(some, 0);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(got, want, n);
	pair_stop(state);
}

/* The obvious way, for comparison; what comes of text. */
static void
replace(const struct rule *r, size_t n, const char *text, char *out)
{
	while (*text != '\0') {
		const struct rule *best = NULL;
		size_t i;

		for (i = 0; i < n; i++)
			if (strncmp(text, r[i].from, strlen(r[i].from)) == 0 &&
				(best == NULL ||
					strlen(r[i].from) > strlen(best->from)))
				best = &r[i];
		if (best == NULL) {
			*out++ = *text++;
			continue;
		}
		memcpy(out, best->to, strlen(best->to));
		out += strlen(best->to);
		text += strlen(best->from);
	}
	*out = '\0';
}

static const struct rule ends[] = { { "ab", "12345", BOTH },
	{ "abcabd", "", BOTH }, { "bca", "x", BOTH } };

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	static char out[WIDE];

	(void)len;
	replace(ends, sizeof(ends) / sizeof(ends[0]), text, out);
	seen->up = out;
	seen->why = "done";
}

static void
down_want(const char *text, size_t len, struct cut_seen *seen)
{
	end_want(text, len, seen);
	seen->down = seen->up;
	seen->up = "?";
}

/* What is held when the end comes goes on, or is replaced after all. */
static void
test_the_end_may_come_anywhere(void **state)
{
	struct weir_list list;
	struct cut_talk talk = { .mw = &mw_rewrite,
		.conf = rules(&list, ends, sizeof(ends) / sizeof(ends[0])),
		.text = "abcabdbcabcabcxabcab" };

	(void)state;
	each_end_of(&talk, end_want);
	talk.dir = WEIR_DOWN;
	talk.ask = "?";
	each_end_of(&talk, down_want);
}

static char *
word(char *text, size_t least, size_t most, long letters)
{
	size_t n = least + (size_t)random() % (most - least + 1), i;

	for (i = 0; i < n; i++)
		text[i] = (char)('a' + random() % letters);
	text[n] = '\0';
	return text;
}

/* Sends text in pieces of any size, then an end; all that comes of it. */
static void
relay(const char *text, char *got)
{
	size_t n = strlen(text), most = 1 + (size_t)random() % 20, piece;
	size_t have = 0;
	long some;

	for (; n > 0; n -= piece, text += piece) {
		piece = 1 + (size_t)random() % most;
		piece = piece < n ? piece : n;
		rig_send(client, text, piece);
		rig_turn(&rig);
	}
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	while ((some = rig_read(server, got + have, WIDE - have)) > 0)
		have += (size_t)some;
	assert_int_equal(some, 0);
	got[have] = '\0';
}

static void
test_any_rules_and_cuts_against_the_obvious_way(void **state)
{
	static char from[RULES][8], to[RULES][8], text[TEXT + 1];
	static char want[WIDE + 1], got[WIDE + 1];
	struct weir_list list;
	struct rule r[RULES];
	int round;
	size_t n, i, j;

	srandom(1);
	for (round = 0; round < 400; round++) {
		n = 1 + (size_t)random() % RULES;
		for (i = 0; i < n; i++) {
			r[i] = (struct rule){ from[i], word(to[i], 0, 7, 4),
				random() % 2 ? UP : BOTH };
			do {
				word(from[i], 1, 7, 2 + round % 2);
				for (j = 0; strcmp(from[j], from[i]) != 0;)
					j++;
			} while (j < i);
		}
		word(text, 0, TEXT, 2 + round % 2);
		replace(r, n, text, want);
		pair_start(state);
		rig_add(&rig, &mw_rewrite, rules(&list, r, n));
		pair_join();
		relay(text, got);
		assert_string_equal(got, want);
		pair_stop(state);
	}
}

/* The worst there is: every byte is the beginning of a long string, and a match
 * that grows; all of it would be far more than a channel may hold. */
static void
test_a_long_read_grows_in_bounded_steps(void **state)
{
	static const struct rule r[] = { { "a", DIGITS5 DIGITS5, BOTH },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "", BOTH } };
	static char sent[60000], got[65536];
	const struct flow *up;
	struct weir_list list;
	size_t have = 0, i;
	long some = -1;

	memset(sent, 'a', sizeof(sent));
	pair_start(state);
	rig_add(&rig, &mw_rewrite, rules(&list, r, 2));
	pair_join();
	up = &rig_channel(&rig)->flows[WEIR_UP];
	rig_send(client, sent, sizeof(sent));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_until(&rig, up->out.len > rig.server.hold_max);
	while (some != 0) {
		assert_true(up->out.len <= rig.server.hold_max + 70000);
		some = rig_read(server, got, sizeof(got));
		for (i = 0; some > 0 && i < (size_t)some; i++, have++)
			if (got[i] != '0' + (int)(have % 10))
				fail_msg("%c at %zu", got[i], have);
		if (some == -1)
			rig_turn_wait(&rig);
	}
	assert_int_equal(have, sizeof(sent) * 200);
	pair_stop(state);
}

static void
test_a_start_without_memory_fails(void **state)
{
	static const struct rule r[] = { { "a", "b", BOTH } };
	struct weir_list list;
	struct weir_instance in = { .conf = rules(&list, r, 1),
		.state = calloc(1, mw_rewrite.state_size),
		.name = "rewrite",
		.server = "s" };
	unsigned nth;
	int rc;

	(void)state;
	assert_non_null(in.state);
	for (nth = 1; nth <= 2; nth++) {
		alloc_fail_at(nth);
		rc = mw_rewrite.start(&in);
		assert_true(alloc_failed());
		assert_int_equal(rc, -1);
		assert_int_equal(errno, ENOMEM);
	}
	assert_int_equal(mw_rewrite.start(&in), 0);
	mw_rewrite.stop(&in);
	free(in.state);
}

#define RULE(from, way)                                                        \
	"{ from = \"" from "\"; to = \"x\"; direction = \"" way "\"; }"
#define F200                                                                   \
	"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"  \
	"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"  \
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void
test_options_have_to_fit(void **state)
{
	char many[8192] = "rules = (";
	size_t i, n;

	(void)state;
	said_of("rewrite", "rules = " RULE("a", "up") ";", "");
	said_of("rewrite", "rules = { from = \"\\xff\\x80\\t\"; };", "");
	said_of("rewrite",
		"rules = (" RULE("a", "up") "," RULE("a", "down") ");", "");
	said_of("rewrite", "", "\"rules\" is missing");
	said_of("rewrite", "rules = ( );", "\"rules\" is empty");
	said_of("rewrite", "rules = " RULE("", "up") ";", "1 to 256 bytes");
	said_of("rewrite", "rules = " RULE("a", "left") ";", "\"direction\"");
	said_of("rewrite", "rules = { to = \"a\"; };", "\"from\" is missing");
	said_of("rewrite",
		"rules = (" RULE("a", "up") "," RULE("a", "both") ");",
		"two rules replace \"a\" in the same direction");
	for (i = 0; i < 21; i++) {
		n = strlen(many);
		snprintf(many + n, sizeof(many) - n,
			"%s{ from = \"" F200 "%c\"; }", i > 0 ? ", " : "",
			(char)('a' + i));
	}
	n = strlen(many);
	snprintf(many + n, sizeof(many) - n, ");");
	said_of("rewrite", many, "are 4221 bytes; at most 4095");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_string_is_replaced),
		cmocka_unit_test(test_what_is_put_in_is_not_searched),
		cmocka_unit_test(test_leftmost_then_longest),
		cmocka_unit_test(test_each_direction_has_its_rules),
		cmocka_unit_test(test_without_a_rule_nobody_looks),
		cmocka_unit_test(test_no_more_is_held_than_need_be),
		cmocka_unit_test(test_bytes_of_all_values),
		cmocka_unit_test(test_the_end_may_come_anywhere),
		cmocka_unit_test(
			test_any_rules_and_cuts_against_the_obvious_way),
		cmocka_unit_test(test_a_long_read_grows_in_bounded_steps),
		cmocka_unit_test(test_a_start_without_memory_fails),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
