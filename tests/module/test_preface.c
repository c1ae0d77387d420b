/* test_preface.c - who begins with the right bytes is let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"

extern const struct weir_middleware mw_preface;

static const struct {
	const char *bytes;
	bool keep;
} drops = { "hello", false }, keeps = { "hello", true };

static void
test_right_bytes_are_taken_off(void **state)
{
	(void)state;
	each_cut(&mw_preface, &drops, "hello you",
		&(struct cut_seen){ .up = " you", .why = "done" });
	each_cut(&mw_preface, &drops, "hello",
		&(struct cut_seen){ .up = "", .why = "done" });
}

static void
test_right_bytes_are_kept(void **state)
{
	(void)state;
	each_cut(&mw_preface, &keeps, "hello you",
		&(struct cut_seen){ .up = "hello you", .why = "done" });
}

static void
test_wrong_bytes_are_refused(void **state)
{
	static const char *const texts[] = { "help me", "hellx", "Hello", "x",
		"hell", "" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		each_cut(&mw_preface, &drops, texts[i],
			&(struct cut_seen){ .why = "protocol" });
}

static void
hello_of(const char *text, size_t len, struct cut_seen *seen)
{
	seen->up = len < 5 ? NULL : text + 5;
	seen->down = "";
	seen->why = len < 5 ? "protocol" : "done";
}

static void
test_every_end(void **state)
{
	(void)state;
	each_end_of(&(struct cut_talk){ .mw = &mw_preface,
			    .options = "bytes = \"hello\";",
			    .text = "hello hello you" },
		hello_of);
}

/* One wrong byte is enough: nobody waits for the others. */
static void
test_first_wrong_byte_is_refused_at_once(void **state)
{
	pair_start(state);
	rig_add(&rig, &mw_preface, &drops);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "hex");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_PROTOCOL);
	pair_stop(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_bytes_are_taken_off),
		cmocka_unit_test(test_right_bytes_are_kept),
		cmocka_unit_test(test_wrong_bytes_are_refused),
		cmocka_unit_test(test_every_end),
		cmocka_unit_test(test_first_wrong_byte_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
