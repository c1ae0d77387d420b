/* test_snapshot.c - a table in a file: what comes back, and files that are
 * damaged. */
#include <sys/stat.h>

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

#include "base/clock.h"
#include "shm/owner.h"
#include "shm/snapshot.h"
#include "shm/table.h"

enum { COUNT, RATE, HELD, TOKENS, VALUE, COLUMNS };

static const struct weir_column columns[COLUMNS] = {
	[COUNT] = { .name = "count", .type = WEIR_COLUMN_COUNT },
	[RATE] = { .name = "rate",
		.type = WEIR_COLUMN_RATE,
		.window_ms = 1000 },
	[HELD] = { .name = "held", .type = WEIR_COLUMN_HELD },
	[TOKENS] = { .name = "tokens", .type = WEIR_COLUMN_TOKENS, .burst = 5 },
	[VALUE] = { .name = "value", .type = WEIR_COLUMN_VALUE, .size = 11 },
};

static struct shm shm;
static struct weir_table table;
static struct table_options options;
static char dir[] = "/tmp/weir-test-XXXXXX";
static char file[64], beside[72];

/* An empty table, in memory of its own. */
static void
table_new(void)
{
	bool fresh;

	assert_int_equal(shm_init(&shm, (size_t)256 * SHM_EXTENT), 0);
	assert_int_equal(table_init(&table, &shm, &options, &fresh), 0);
	table_own(&table, owner_begin(shm_owners(&shm)));
}

static void
table_end(void)
{
	assert_null(table_check(&table));
	table_done(&table);
	shm_done(&shm);
}

static int
start(void **state)
{
	(void)state;
	clock_update();
	options = (struct table_options){ .name = "t",
		.columns = columns,
		.ncolumns = COLUMNS,
		.key_most = 16,
		.holders = 2,
		.size = 1 << 20 };
	table_new();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	table_end();
	unlink(file);
	return 0;
}

static struct weir_bytes
text(const char *s)
{
	return (struct weir_bytes){ .p = (const uint8_t *)s, .len = strlen(s) };
}

static uint64_t
value_of(const char *key, unsigned column)
{
	uint64_t n = UINT64_MAX;

	if (weir_table_read(&table, text(key), column, &n) == -1)
		assert_int_equal(errno, ENOENT);
	return n;
}

/* Into an empty table of these options. */
static void
load_anew(void)
{
	const char *why;

	table_end();
	table_new();
	assert_int_equal(snapshot_load(&table, file, &why), 0);
	assert_null(why);
}

static void
test_what_comes_back(void **state)
{
	struct stat st;
	uint32_t n;
	char out[11];
	size_t len;

	(void)state;
	for (n = 0; n < 1000; n++)
		weir_table_add(&table,
			(struct weir_bytes){
				.p = (uint8_t *)&n, .len = sizeof(n) },
			COUNT, n, NULL);
	weir_table_add(&table, text("a"), COUNT, 7, NULL);
	weir_table_add(&table, text("a"), RATE, 7, NULL);
	weir_table_hold(&table, text("a"), HELD, 1, 1, NULL);
	weir_table_draw(&table, text("a"), TOKENS, 3, NULL);
	weir_table_set(&table, text("a"), VALUE, text("hello world"));
	weir_table_set(&table, text(""), VALUE, text(""));
	assert_int_equal(snapshot_save(&table, file), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(beside, F_OK), -1);
	load_anew();
	assert_int_equal(table_count(&table), 1002);
	assert_int_equal(value_of("a", COUNT), 7);
	assert_int_equal(value_of("a", RATE), 0);
	assert_int_equal(value_of("a", HELD), 0);
	assert_int_equal(value_of("a", TOKENS), 2);
	assert_int_equal(
		weir_table_get(&table, text("a"), VALUE, out, 11, &len), 0);
	assert_int_equal(len, 11);
	assert_memory_equal(out, "hello world", 11);
	assert_int_equal(value_of("", VALUE), 0);
}

static void
test_times_go_on(void **state)
{
	(void)state;
	options.ttl_ms = 60000;
	table_end();
	table_new();
	weir_table_add(&table, text("old"), COUNT, 1, NULL);
	clock_advance(59000);
	weir_table_add(&table, text("new"), COUNT, 1, NULL);
	weir_table_add(&table, text("own"), COUNT, 1, NULL);
	weir_table_expire(&table, text("own"), 500000);
	assert_int_equal(snapshot_save(&table, file), 0);
	options.ttl_ms = 50000;
	load_anew();
	assert_true(value_of("old", COUNT) == UINT64_MAX);
	assert_int_equal(value_of("new", COUNT), 1);
	clock_advance(400000);
	assert_true(value_of("new", COUNT) == UINT64_MAX);
	assert_int_equal(value_of("own", COUNT), 1);
	clock_advance(100000);
	assert_true(value_of("own", COUNT) == UINT64_MAX);
}

static void
expect_refused(const char *wanted)
{
	const char *why;

	assert_int_equal(snapshot_load(&table, file, &why), -1);
	if (wanted != NULL)
		assert_string_equal(why, wanted);
	assert_int_equal(table_count(&table), 0);
}

/* Whatever byte of it is another one, or where it stops. */
static void
test_damaged_files(void **state)
{
	uint8_t p[512];
	ssize_t n, i;
	int fd;

	(void)state;
	weir_table_add(&table, text("a"), COUNT, 7, NULL);
	weir_table_set(&table, text("b"), VALUE, text("hello"));
	assert_int_equal(snapshot_save(&table, file), 0);
	table_end();
	table_new();
	fd = open(file, O_RDWR);
	n = read(fd, p, sizeof(p));
	assert_in_range(n, 100, 400);
	for (i = 0; i < n; i++) {
		p[i] ^= 0x10;
		assert_int_equal(pwrite(fd, p, (size_t)n, 0), n);
		p[i] ^= 0x10;
		expect_refused(NULL);
	}
	assert_int_equal(pwrite(fd, p, (size_t)n, 0), n);
	while (n-- > 0) {
		assert_int_equal(ftruncate(fd, n), 0);
		expect_refused(n < 40 ? "it is too short"
				      : "it is damaged: its sum is wrong");
	}
	close(fd);
}

static void
test_files_of_others(void **state)
{
	const char *why;

	(void)state;
	weir_table_add(&table, text("a"), COUNT, 7, NULL);
	assert_int_equal(snapshot_save(&table, file), 0);
	options.ncolumns--;
	table_end();
	table_new();
	expect_refused("it is of a table with other columns or keys");
	unlink(file);
	expect_refused("No such file or directory");
	assert_int_equal(snapshot_load(&table, dir, &why), -1);
	assert_int_equal(snapshot_load(&table, "/dev/zero", &why), -1);
}

/* What was there before stays. */
static void
test_a_file_that_cannot_be_written(void **state)
{
	char nowhere[80];

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/none/file", dir);
	assert_int_equal(snapshot_save(&table, nowhere), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(snapshot_save(&table, file), 0);
	assert_int_equal(mkdir(beside, 0700), 0);
	weir_table_add(&table, text("a"), COUNT, 7, NULL);
	assert_int_equal(snapshot_save(&table, file), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(beside), 0);
	load_anew();
	assert_int_equal(table_count(&table), 0);
}

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/table", dir);
	snprintf(beside, sizeof(beside), "%s.new", file);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define snapshot_test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		snapshot_test(test_what_comes_back),
		snapshot_test(test_times_go_on),
		snapshot_test(test_damaged_files),
		snapshot_test(test_files_of_others),
		snapshot_test(test_a_file_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
