/* test_bang.c - one byte decides, however the others come. */
#include "lib/cut.h"
#include "lib/rig.h"

extern const struct weir_middleware mw_bang;

static void
test_bang_is_dropped(void **state)
{
	(void)state;
	each_cut(&mw_bang, NULL, "!",
		&(struct cut_seen){ .down = "", .why = "denied" });
	each_cut(&mw_bang, NULL, "!hello",
		&(struct cut_seen){ .down = "", .why = "denied" });
}

static void
test_others_pass(void **state)
{
	(void)state;
	each_cut(&mw_bang, NULL, "",
		&(struct cut_seen){ .up = "", .down = "", .why = "done" });
	each_cut(&mw_bang, NULL, "hello!",
		&(struct cut_seen){
			.up = "hello!", .down = "", .why = "done" });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bang_is_dropped),
		cmocka_unit_test(test_others_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
