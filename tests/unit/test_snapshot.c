/* test_snapshot.c - a table in a file: what comes back, and files that are
 * damaged. */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"
#include "lib/tempdir.h"
#include "shm/owner.h"
#include "shm/snapshot.h"

static char file[64], beside[72];
static const struct snapshot_way way = { .busy_ms = 100 };

static int
stop(void **state)
{
	unlink(file);
	return shared_stop(state);
}

/* Into an empty table of these options. */
static void
load_anew(void)
{
	const char *why;

	shared_anew();
	assert_int_equal(snapshot_load(&table, file, &why), 0);
	assert_null(why);
}

static void
test_what_comes_back(void **state)
{
	uint64_t got, left_ms;
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
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	weir_table_add(&table, shared_key("a"), RATE, 7, NULL);
	weir_table_hold(&table, shared_key("a"), HELD, 1, 1, NULL);
	weir_table_draw(&table, shared_key("a"), TOKENS, NULL, 3, NULL);
	weir_table_set(
		&table, shared_key("a"), VALUE, shared_key("hello world"));
	weir_table_set(&table, shared_key(""), VALUE, shared_key(""));
	weir_table_spend(&table, shared_key("a"), PERIOD, 86400000, 5, 9, &got,
		&left_ms);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(beside, F_OK), -1);
	load_anew();
	assert_int_equal(table_count(&table), 1002);
	assert_int_equal(shared_read("a", COUNT), 7);
	assert_int_equal(shared_read("a", RATE), 0);
	assert_int_equal(shared_read("a", HELD), 0);
	/* They go on to come. */
	assert_in_range(shared_read("a", TOKENS), 2, 5);
	assert_int_equal(shared_read("a", PERIOD), 5);
	clock_advance(left_ms);
	assert_int_equal(shared_read("a", PERIOD), 0);
	assert_int_equal(
		weir_table_get(&table, shared_key("a"), VALUE, out, 11, &len),
		0);
	assert_int_equal(len, 11);
	assert_memory_equal(out, "hello world", 11);
	assert_int_equal(shared_read("", VALUE), 0);
}

static void
test_times_go_on(void **state)
{
	(void)state;
	options.ttl_ms = 60000;
	shared_anew();
	weir_table_add(&table, shared_key("old"), COUNT, 1, NULL);
	clock_advance(59000);
	weir_table_add(&table, shared_key("new"), COUNT, 1, NULL);
	weir_table_add(&table, shared_key("own"), COUNT, 1, NULL);
	weir_table_expire(&table, shared_key("own"), 500000);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	options.ttl_ms = 50000;
	load_anew();
	assert_true(shared_read("old", COUNT) == UINT64_MAX);
	assert_int_equal(shared_read("new", COUNT), 1);
	clock_advance(400000);
	assert_true(shared_read("new", COUNT) == UINT64_MAX);
	assert_int_equal(shared_read("own", COUNT), 1);
	clock_advance(100000);
	assert_true(shared_read("own", COUNT) == UINT64_MAX);
}

/* A bucket is what who draws says, and goes on to be filled. */
static void
test_buckets_go_on(void **state)
{
	const struct weir_bucket b = {
		.rate = 1, .per_ms = 60000, .burst = 20
	};
	uint64_t wait_ms;

	(void)state;
	assert_int_equal(
		weir_table_draw(&table, shared_key("a"), TOKENS, &b, 18, NULL),
		0);
	clock_advance(60000);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	load_anew();
	assert_int_equal(shared_read("a", TOKENS), 3);
	assert_int_equal(weir_table_draw(&table, shared_key("a"), TOKENS, &b, 4,
				 &wait_ms),
		-1);
	assert_in_range(wait_ms, 50000, 60000);
	clock_advance(60000);
	assert_int_equal(shared_read("a", TOKENS), 4);
	assert_int_equal(
		weir_table_draw(&table, shared_key("a"), TOKENS, &b, 4, NULL),
		0);
}

/* Who was used longest ago is still the first to leave, and a restart is no
 * use. */
static void
test_ages_go_on(void **state)
{
	uint64_t left_ms;
	uint32_t n;

	(void)state;
	options.ttl_ms = 60000;
	shared_anew();
	for (n = 0; n < 1000; n++) {
		clock_advance(1);
		(void)weir_table_add(&table, shared_number(&n), COUNT, 1, NULL);
	}
	clock_advance(20000);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	options.size = SHM_EXTENT;
	load_anew();
	/* There is room for the last ones only, in two parts. */
	assert_in_range(table_count(&table), 100, 400);
	for (n = 0; n < 500; n++)
		assert_int_equal(
			weir_table_left(&table, shared_number(&n), &left_ms),
			-1);
	for (n = 950; n < 1000; n++) {
		assert_int_equal(
			weir_table_left(&table, shared_number(&n), &left_ms),
			0);
		assert_in_range(left_ms, 35000, 40000);
	}
}

static bool
never(void)
{
	return false;
}

static void
test_one_that_is_not_to_go_on(void **state)
{
	static const struct snapshot_way stopped = { .goes_on = never };

	(void)state;
	assert_int_equal(snapshot_save(&table, file, &stopped), -1);
	assert_int_equal(errno, ECANCELED);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(access(beside, F_OK), -1);
}

/* Whether a file may be written over. */
static void
test_whose_it_is(void **state)
{
	const char *why;

	(void)state;
	assert_false(snapshot_fits(&table, file, &why));
	assert_null(why);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	assert_true(snapshot_fits(&table, file, &why));
	options.ncolumns--;
	shared_anew();
	assert_false(snapshot_fits(&table, file, &why));
	assert_string_equal(why, "it is of a table with other columns or keys");
	assert_int_equal(truncate(file, 20), 0);
	assert_false(snapshot_fits(&table, file, &why));
	assert_string_equal(why, "it is too short");
	assert_false(snapshot_fits(&table, "/root/none/x/", &why));
}

/* Where room on disk ends, what is there stays. */
static void
test_no_room(void **state)
{
	struct rlimit was, least = { 1 << 20, 1 << 20 };
	const char *why;

	(void)state;
	options.size = 32 << 20;
	options.ncolumns = 1;
	shared_anew();
	(void)shared_fill(1000);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	(void)shared_fill(60000);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_IGN);
	least.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &least), 0);
	assert_int_equal(snapshot_save(&table, file, &way), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	shared_anew();
	assert_int_equal(snapshot_load(&table, file, &why), 0);
	assert_int_equal(table_count(&table), 1000);
}

static bool
row_ahead(void *arg, const struct row *row)
{
	((struct row *)(uintptr_t)row)->used_ms += 500;
	(void)arg;
	return true;
}

/* Another process has a clock that is some ms ahead. */
static void
test_a_row_used_meanwhile(void **state)
{
	(void)state;
	options.ttl_ms = 1000;
	shared_anew();
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	assert_int_equal(table_walk(&table, row_ahead, NULL), 0);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	load_anew();
	assert_int_equal(shared_read("a", COUNT), 7);
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
	size_t n, i;
	int fd;

	(void)state;
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	weir_table_set(&table, shared_key("b"), VALUE, shared_key("hello"));
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	shared_anew();
	fd = open(file, O_RDWR);
	n = (size_t)read(fd, p, sizeof(p));
	assert_in_range(n, 100, 400);
	for (i = 0; i < n; i++) {
		p[i] ^= 0x10;
		assert_int_equal(pwrite(fd, p, n, 0), n);
		p[i] ^= 0x10;
		expect_refused(NULL);
	}
	assert_int_equal(pwrite(fd, p, n, 0), n);
	while (n-- > 0) {
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		expect_refused(n < 24 ? "it is too short" : "it is damaged");
	}
	close(fd);
}

static void
test_files_of_others(void **state)
{
	const char *why;

	(void)state;
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	options.ncolumns--;
	shared_anew();
	expect_refused("it is of a table with other columns or keys");
	unlink(file);
	expect_refused("No such file or directory");
	assert_int_equal(snapshot_load(&table, tempdir, &why), -1);
	assert_int_equal(snapshot_load(&table, "/dev/zero", &why), -1);
}

/* What was there before stays. */
static void
test_a_file_that_cannot_be_written(void **state)
{
	char nowhere[80];

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/none/file", tempdir);
	assert_int_equal(snapshot_save(&table, nowhere, &way), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	assert_int_equal(mkdir(beside, 0700), 0);
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	assert_int_equal(snapshot_save(&table, file, &way), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(beside), 0);
	load_anew();
	assert_int_equal(table_count(&table), 0);
}

/* Who writes the file beside it now is not disturbed. */
static void
test_two_write_one_file(void **state)
{
	static const char half[1000];
	int fd;

	(void)state;
	fd = open(beside, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, half, sizeof(half)), sizeof(half));
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(snapshot_save(&table, file, &way), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(half));
	close(fd);
	/* One who died left it. */
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	assert_int_equal(access(beside, F_OK), -1);
	load_anew();
}

/* What is not whole does not take the place of what is. */
static void
test_a_part_that_cannot_be_had(void **state)
{
	int ends[2];
	pid_t pid;
	char c;

	(void)state;
	weir_table_add(&table, shared_key("a"), COUNT, 7, NULL);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)pthread_mutex_lock(&table.stripes[table.n - 1].lock);
		(void)write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(snapshot_save(&table, file, &way), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(access(beside, F_OK), -1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	close(ends[1]);
	load_anew();
	assert_int_equal(shared_read("a", COUNT), 7);
}

/* More rows than the copy of a part has room for at first. */
static void
test_a_large_part(void **state)
{
	uint32_t n;

	(void)state;
	options.size = 16 << 20;
	options.ncolumns = 1;
	shared_anew();
	n = shared_fill(20000);
	assert_int_equal(snapshot_save(&table, file, &way), 0);
	load_anew();
	assert_int_equal(table_count(&table), n);
}

static int
setup(void **state)
{
	if (tempdir_make(state) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/table", tempdir);
	snprintf(beside, sizeof(beside), "%s.new", file);
	return 0;
}

#define snapshot_test(f) cmocka_unit_test_setup_teardown(f, shared_start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		snapshot_test(test_what_comes_back),
		snapshot_test(test_times_go_on),
		snapshot_test(test_buckets_go_on),
		snapshot_test(test_ages_go_on),
		snapshot_test(test_one_that_is_not_to_go_on),
		snapshot_test(test_whose_it_is),
		snapshot_test(test_no_room),
		snapshot_test(test_a_row_used_meanwhile),
		snapshot_test(test_two_write_one_file),
		snapshot_test(test_a_part_that_cannot_be_had),
		snapshot_test(test_a_large_part),
		snapshot_test(test_damaged_files),
		snapshot_test(test_files_of_others),
		snapshot_test(test_a_file_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, setup, tempdir_remove);
}
