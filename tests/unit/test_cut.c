/* test_cut.c - the tests of modules notice what depends on how bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"

extern const struct weir_middleware mw_echo, mw_forward, mw_preface;

static const char *program;

/* ---- what fails, in a process of its own --------------------------------- */

/* Wrong: takes a piece for a line. */
static struct weir_verdict
piece_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.len > 0 && in.p[0] == '!' ? weir_drop(in.len)
					    : weir_pass(in.len);
}
static const struct weir_middleware mw_piece = { .name = "piece",
	.up = piece_up };

/* Wrong: forgets what it waits for when the end comes. */
static struct weir_verdict
tail_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	if (in.len >= 4 || in.len == 0)
		return weir_pass(in.len);
	return in.eof ? weir_drop(in.len) : weir_need(4);
}
static const struct weir_middleware mw_tail = { .name = "tail", .up = tail_up };

/* Wrong: passes what it was not shown. */
static struct weir_verdict
more_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len + 1);
}
static const struct weir_middleware mw_more = { .name = "more", .up = more_up };

static void
piece(void **state)
{
	(void)state;
	each_cut(&mw_piece, NULL, "a!b",
		&(struct cut_seen){ .up = "a!b", .why = "done" });
}

static void
piece_long(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_piece,
			    .text = "a!b!c!d!e!f!g!h!i!j!k!l!m!n!o!p" },
		NULL);
}

static void
tail(void **state)
{
	(void)state;
	each_end_of(
		&(struct cut_talk){ .mw = &mw_tail, .text = "1234567" }, NULL);
}

static void
heard(void **state)
{
	(void)state;
	each_cut(&mw_echo, NULL, "x\n",
		&(struct cut_seen){ .down = "x", .why = "done" });
}

static void
reason(void **state)
{
	(void)state;
	each_cut(&mw_preface, &(const char *){ "x" }, "y",
		&(struct cut_seen){ .why = "denied" });
}

static void
options(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_preface,
			    .options = "byte = \"x\";",
			    .text = "x" },
		NULL);
}

static void
breach(void **state)
{
	(void)state;
	each_cut(&mw_more, NULL, "x",
		&(struct cut_seen){ .up = "x", .down = "", .why = "done" });
}

static void
breach_of_itself(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_more, .text = "xyz" }, NULL);
}

/* Nothing is wrong here, whatever failed before. */
static void
breach_is_over(void **state)
{
	(void)state;
	each_cut(&mw_echo, NULL, "x",
		&(struct cut_seen){ .down = "x", .why = "done" });
}

static int
failing_main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(piece),
		cmocka_unit_test(piece_long),
		cmocka_unit_test(tail),
		cmocka_unit_test(heard),
		cmocka_unit_test(reason),
		cmocka_unit_test(options),
		cmocka_unit_test(breach),
		cmocka_unit_test(breach_of_itself),
		cmocka_unit_test(breach_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ---- that it does -------------------------------------------------------- */

/* The case fails, and this is said. */
static void
assert_fails(const char *name, const char *said)
{
	char command[4096], out[8192];
	size_t n;
	FILE *p;

	snprintf(command, sizeof(command),
		"ONLY='%s' SEED=7 CMOCKA_MESSAGE_OUTPUT=tap "
		"ASAN_OPTIONS=detect_leaks=0 '%s' failing 2>&1",
		name, program);
	p = popen(command, "r");
	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	assert_int_not_equal(pclose(p), 0);
	if (strstr(out, said) == NULL)
		fail_msg("%s\nwanted: %s", out, said);
}

static void
test_the_cut_is_named(void **state)
{
	(void)state;
	assert_fails("piece", "the client sent \"a|!b\": the backend got "
			      "\"a\", wanted \"a!b\" (SEED=7)");
	assert_fails("piece_long", "\"a|!|b|!|c|");
	assert_fails("tail", "the client sent \"1234|5\": the backend got "
			     "\"1234\", wanted \"12345\"");
}

static void
test_all_that_came_of_it_counts(void **state)
{
	(void)state;
	assert_fails("heard", "the client got \"x\\x0a\", wanted \"x\"");
	assert_fails("reason", "the reason is protocol, wanted denied");
	assert_fails("options", "did you mean \"bytes\"?");
}

static void
test_the_broken_rule_is_named(void **state)
{
	static const char *const rule =
		"[alert] rig/more: #1: broke its contract: judged more bytes "
		"than it was shown\n";

	(void)state;
	assert_fails("breach", rule);
	assert_fails("breach", "the reason is bug, wanted done");
	assert_fails("breach_of_itself", rule);
	assert_fails("breach_of_itself", "is bug, wanted any other");
}

static void
test_a_failure_harms_no_later_case(void **state)
{
	(void)state;
	assert_fails("breach*", "not ok 2 - breach_of_itself\n");
	assert_fails("breach*", "\nok 3 - breach_is_over\n");
}

static void
test_only_what_is_there(void **state)
{
	(void)state;
	assert_fails("nope", "ONLY=nope: no case of that name; there are: "
			     "piece, piece_long, tail, heard, ");
}

/* ---- and what does not --------------------------------------------------- */

static void
test_bytes_of_the_backend(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_preface,
			    .options = "bytes = \"hello\";",
			    .dir = WEIR_DOWN,
			    .ask = "hello you",
			    .text = "I am here" },
		&(struct cut_seen){
			.up = " you", .down = "I am here", .why = "done" });
	each_cut_of(&(struct cut_talk){ .mw = &mw_forward,
			    .options = "to = \"${BACKEND}\";",
			    .dir = WEIR_DOWN,
			    .text = "a\0b",
			    .len = 3 },
		&(struct cut_seen){ .up = "",
			.down = "a\0b",
			.down_len = 3,
			.why = "done" });
}

static void
preface_of(const char *text, size_t len, struct cut_seen *seen)
{
	seen->why = len < 2 ? "protocol" : "done";
	seen->down = "";
	seen->up = len < 2 ? NULL : text + 2;
}

static void
test_every_end(void **state)
{
	const struct cut_talk talk = { .mw = &mw_preface,
		.options = "bytes = \"he\";",
		.text = "hello you" };

	(void)state;
	each_end_of(&talk, preface_of);
	each_end_of(&talk, NULL);
}

static void
test_long_text(void **state)
{
	static char text[5001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	each_cut(&mw_echo, NULL, text,
		&(struct cut_seen){ .down = text, .why = "done" });
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_cut_is_named),
		cmocka_unit_test(test_all_that_came_of_it_counts),
		cmocka_unit_test(test_the_broken_rule_is_named),
		cmocka_unit_test(test_a_failure_harms_no_later_case),
		cmocka_unit_test(test_only_what_is_there),
		cmocka_unit_test(test_bytes_of_the_backend),
		cmocka_unit_test(test_every_end),
		cmocka_unit_test(test_long_text),
	};

	program = argv[0];
	if (argc > 1)
		return failing_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
