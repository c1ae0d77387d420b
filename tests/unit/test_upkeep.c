/* test_upkeep.c - whose the files of tables are. */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "heritage.h"
#include "keeper/upkeep.h"
#include "lib/shared.h"
#include "lib/tempdir.h"
#include "shm/snapshot.h"

static char file[64], aside[80], name[] = "t";
static struct heritage_table kept;
static struct heritage heritage;
static struct event_base *base;
static struct upkeep upkeep;

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
begin(bool fresh)
{
	kept = (struct heritage_table){ .table = &table,
		.name = name,
		.file = file,
		.save_ms = 1000,
		.fresh = fresh };
	heritage = (struct heritage){ .tables = &kept, .ntables = 1 };
	assert_int_equal(upkeep_init(&upkeep, &heritage, base), 0);
}

/* The clock goes on, and libevent's is its own. */
static void
turn(void)
{
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void
file_put(const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* One whose generation is given up, or that another has taken over from. */
static void
test_files_of_another_are_left_alone(void **state)
{
	(void)state;
	file_put("nonsense");
	begin(true);
	clock_advance(60000);
	turn();
	upkeep_done(&upkeep);
	assert_true(is_there(file));
	assert_false(is_there(aside));
	begin(true);
	upkeep_serve(&upkeep);
	assert_false(is_there(file));
	assert_true(is_there(aside));
	upkeep_retire(&upkeep);
	clock_advance(60000);
	turn();
	upkeep_done(&upkeep);
	assert_false(is_there(file));
}

static void
test_a_child_writes(void **state)
{
	int turns;

	(void)state;
	begin(true);
	upkeep_serve(&upkeep);
	(void)shared_add("a", COUNT, 7);
	turn();
	assert_int_equal(upkeep.saver.pid, 0);
	clock_advance(1000);
	turn();
	assert_int_not_equal(upkeep.saver.pid, 0);
	for (turns = 0; upkeep.saver.pid != 0 && turns < 100; turns++)
		turn();
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_true(is_there(file));
	/* When it ends it writes itself. */
	assert_int_equal(unlink(file), 0);
	upkeep_done(&upkeep);
	assert_true(is_there(file));
	shared_anew();
	begin(true);
	assert_int_equal(shared_read("a", COUNT), 7);
	upkeep_done(&upkeep);
}

/* One that was interrupted while it filled the table. */
static void
test_it_is_filled_once(void **state)
{
	(void)state;
	(void)shared_add("a", COUNT, 7);
	assert_int_equal(snapshot_save(&table, file), 0);
	begin(true);
	assert_int_equal(shared_read("a", COUNT), 7);
	upkeep_done(&upkeep);
	begin(false);
	assert_int_equal(shared_read("a", COUNT), 7);
	(void)shared_add("a", COUNT, 1);
	upkeep_done(&upkeep);
	assert_int_equal(shared_read("a", COUNT), 8);
}

static int
start(void **state)
{
	base = event_base_new();
	return base == NULL ? -1 : shared_start(state);
}

static int
stop(void **state)
{
	event_base_free(base);
	(void)unlink(file);
	(void)unlink(aside);
	return shared_stop(state);
}

static int
setup(void **state)
{
	if (tempdir_make(state) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/table", tempdir);
	snprintf(aside, sizeof(aside), "%s.damaged", file);
	return 0;
}

#define upkeep_test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		upkeep_test(test_files_of_another_are_left_alone),
		upkeep_test(test_a_child_writes),
		upkeep_test(test_it_is_filled_once),
	};

	return cmocka_run_group_tests(tests, setup, tempdir_remove);
}
