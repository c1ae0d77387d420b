/* test_holders.c - how many processes may hold something of one key. */
#include "unit/conf_try.h"

#include <errno.h>

#include "master/tables.h"
#include "shm/owner.h"

/* Of that key, one after the other, until there is no room. */
static unsigned
hold_all(struct shm *shm, const struct conf *conf, unsigned workers)
{
	struct weir_bytes key = { .p = (const uint8_t *)"k", .len = 1 };
	struct tables tables = { 0 };
	unsigned n = 0;

	assert_int_equal(tables_open(&tables, shm, conf, workers), 0);
	do
		table_own(tables.v[0].table, owner_begin(shm_owners(shm)));
	while (weir_table_hold(
		       tables.v[0].table, key, 0, 1, UINT32_MAX, NULL) == 0 &&
		++n < 1000);
	assert_int_equal(errno, ENOSPC);
	tables_done(&tables);
	return n;
}

/* Every process of all generations, and of one that is about to serve. */
static void
test_all_processes_may_hold_a_key(void **state)
{
	struct trial t =
		try_text("process = { max_generations = 16; };\n"
			 "extensions = ( { type = \"table\"; } );\n"
			 "servers = ( { listen = \"127.0.0.1:0\"; } );");
	struct shm shm;

	(void)state;
	assert_non_null(t.conf);
	assert_int_equal(shm_init(&shm, 8 << 20), 0);
	assert_in_range(hold_all(&shm, t.conf, 2), 34, 64);
	shm_done(&shm);
	assert_int_equal(shm_init(&shm, 8 << 20), 0);
	assert_in_range(hold_all(&shm, t.conf, 8), 136, 160);
	shm_done(&shm);
	/* As many as a row has room for. */
	assert_int_equal(shm_init(&shm, 8 << 20), 0);
	assert_in_range(hold_all(&shm, t.conf, 64), 300, 500);
	shm_done(&shm);
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_processes_may_hold_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
