/* test_limit_bytes.c - the limit itself may pass, one byte more may not. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"

extern const struct weir_middleware mw_limit_bytes;

static const struct {
	size_t up, down;
} five_up = { 5, 0 }, five_down = { 0, 5 }, both = { 5, 7 };

static void
test_up_to_the_limit(void **state)
{
	(void)state;
	each_cut(&mw_limit_bytes, &five_up, "",
		&(struct cut_seen){ .up = "", .why = "done" });
	each_cut(&mw_limit_bytes, &five_up, "1234",
		&(struct cut_seen){ .up = "1234", .why = "done" });
	each_cut(&mw_limit_bytes, &five_up, "12345",
		&(struct cut_seen){ .up = "12345", .why = "done" });
}

static void
test_beyond_the_limit(void **state)
{
	(void)state;
	each_cut(&mw_limit_bytes, &five_up, "123456",
		&(struct cut_seen){ .up = "12345", .why = "limit" });
	each_cut(&mw_limit_bytes, &five_up, "123456789",
		&(struct cut_seen){ .up = "12345", .why = "limit" });
}

static void
test_other_direction_has_its_own(void **state)
{
	pair_start(state);
	rig_add(&rig, &mw_limit_bytes, &five_down);
	pair_join();
	rig_say(client, "as much as it likes");
	rig_hear(&rig, server, "as much as it likes");
	rig_say(server, "123");
	rig_hear(&rig, client, "123");
	rig_say(server, "456");
	rig_hear(&rig, client, "45");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.module, "limit_bytes");
	pair_stop(state);
}

static void
test_both_directions_are_limited(void **state)
{
	pair_start(state);
	rig_add(&rig, &mw_limit_bytes, &both);
	pair_join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	rig_say(server, "1234567");
	rig_hear(&rig, client, "1234567");
	rig_say(client, "6");
	rig_hear_end(&rig, client);
	pair_stop(state);
}

/* Until then nobody looks at the bytes. */
static void
test_nothing_is_shown_before(void **state)
{
	pair_start(state);
	rig_add(&rig, &mw_limit_bytes, &five_up);
	pair_join();
	rig_say(client, "1");
	rig_hear(&rig, server, "1");
	assert_int_equal(rig_channel(&rig)->flows[WEIR_UP].skipping, 1);
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(
		flow_interest(&rig_channel(&rig)->flows[WEIR_DOWN]), 0);
	pair_stop(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_to_the_limit),
		cmocka_unit_test(test_beyond_the_limit),
		cmocka_unit_test(test_other_direction_has_its_own),
		cmocka_unit_test(test_both_directions_are_limited),
		cmocka_unit_test(test_nothing_is_shown_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
