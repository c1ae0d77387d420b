/* test_pause.c - servers that are paused, in shared memory. */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/shared.h"
#include "shm/pause.h"

static void
test_another_process_sees_a_pause_after_the_end_of_who_made_it(void **state)
{
	struct pauses *ps = pauses_open(&shm);
	pid_t pid;

	(void)state;
	assert_non_null(ps);
	assert_false(pauses_have(ps, &shm, "web"));
	pid = fork();
	if (pid == 0) {
		(void)pauses_set(ps, &shm, "web", true);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(pauses_have(ps, &shm, "web"));
	assert_false(pauses_have(ps, &shm, "db"));
	/* A reload opens it again. */
	assert_ptr_equal(pauses_open(&shm), ps);
	assert_true(pauses_have(ps, &shm, "web"));
	assert_int_equal(pauses_set(ps, &shm, "web", true), 0);
	assert_int_equal(pauses_set(ps, &shm, "web", false), 0);
	assert_false(pauses_have(ps, &shm, "web"));
	assert_int_equal(pauses_set(ps, &shm, "web", false), 0);
}

static void
test_there_is_an_end_of_room(void **state)
{
	struct pauses *ps = pauses_open(&shm);
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < PAUSES; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(pauses_set(ps, &shm, name, true), 0);
	}
	assert_int_equal(pauses_set(ps, &shm, "more", true), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(pauses_set(ps, &shm, "s17", true), 0);
	assert_int_equal(pauses_set(ps, &shm, "s17", false), 0);
	assert_int_equal(pauses_set(ps, &shm, "more", true), 0);
	for (i = 0; i < PAUSES; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(pauses_have(ps, &shm, name), i != 17);
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, shared_start, shared_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_another_process_sees_a_pause_after_the_end_of_who_made_it),
		test(test_there_is_an_end_of_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
