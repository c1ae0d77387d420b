/* test_stats_backends.c - what the extension stats counts of backends. */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "stats.h"
#include "stats_try.h"

static void
test_backends_have_figures_of_their_own(void **state)
{
	struct weir_addr at = dial.to[0], refusing;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	assert_true(backend("connects_total", &at, "") == 1);
	assert_true(backend("connect_seconds_total", &at, "") ==
		    counted_metric("weir_connect_seconds_sum{server=\"web\"}"));
	assert_true(backend("failures_total", &at, "") == 0);
	assert_true(backend("active", &at, "") == 1);
	assert_true(backend("connects_total", &refusing, "") == 0);
	assert_true(backend("failures_total", &refusing, "") == 1);
	assert_true(backend("active", &refusing, "") == 0);
	end();
	assert_true(backend("active", &at, "") == 0);
	assert_true(backend("bytes_total", &at, ",direction=\"up\"") == 5);
	assert_true(backend("connects_total", NULL, "") == 0);
}

static void
test_backends_are_bounded(void **state)
{
	struct weir_addr at = dial.to[0], refusing;
	char text[WEIR_ADDR_TEXT];

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	counted_conf.backends = 1;
	join();
	assert_true(backend("failures_total", &refusing, "") == 1);
	assert_true(backend("connects_total", NULL, "") == 1);
	assert_true(backend("active", NULL, "") == 1);
	assert_null(strstr(reply, weir_addr_text(&at, text)));
	end();
	assert_true(backend("active", NULL, "") == 0);
}

/* A place that nobody has asked for long is another one's, and what was counted
 * there that of all others. */
static void
test_places_of_backends_become_free(void **state)
{
	struct weir_addr at = dial.to[0], refusing;
	char text[WEIR_ADDR_TEXT];
	int i;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	counted_conf.backends = 1;
	join();
	end();
	dial.to[0] = at;
	dial.n = 1;
	for (i = 0; i < 64; i++) {
		rig_join(&rig, listener, &client, &server);
		end();
	}
	assert_in_range(backend("connects_total", &at, ""), 16, 64);
	assert_true(backend("connects_total", NULL, "") +
			    backend("connects_total", &at, "") +
			    backend("failures_total", NULL, "") ==
		    66);
	assert_null(strstr(reply, weir_addr_text(&refusing, text)));
}

/* ---- a death meanwhile --------------------------------------------------- */

#define FIGURES cells_in(backend_figures)

/* Of one place, and of all others. */
struct figures {
	_Atomic uint64_t place[FIGURES], others[FIGURES];
};

/* Traced: makes the place another one's. */
static void
take_the_place(struct figures *f)
{
	_Atomic uint64_t active[2] = { 0 };
	struct backend v[2] = { { .cells = f->place, .active = &active[0] },
		{ .cells = f->others, .active = &active[1] } };
	uint16_t index[16] = { 0 }, texts[16] = { 0 };
	struct backends b = { .v = v,
		.n = 1,
		.index = index,
		.texts = texts,
		.nindex = 16,
		.turn = 1000 };
	struct weir_addr at;

	rig_refusing(&at);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(1);
	raise(SIGSTOP);
	(void)backends_find(&b, &at);
	_exit(0);
}

static uint64_t
connects_of(struct figures *f)
{
	return *cell_of(f->place, backend_figures, connects) +
	       *cell_of(f->others, backend_figures, connects);
}

/* Whenever it dies: who has its figures next gives the others what is left. */
static void
test_nothing_is_counted_twice(void **state)
{
	struct figures *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long steps = 0;
	pid_t pid;
	int status;

	(void)state;
	assert_true(f != MAP_FAILED);
	*cell_of(f->place, backend_figures, used) = 1;
	*cell_of(f->place, backend_figures, connects) = 7;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		take_the_place(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status); steps++) {
		if (connects_of(f) > 7) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			fail_msg("after %lu steps a figure is there twice",
				steps);
		}
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_int_equal(status, 0);
	assert_int_equal(*cell_of(f->place, backend_figures, connects), 0);
	assert_int_equal(connects_of(f), 7);
	munmap(f, sizeof(*f));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, counted_start, counted_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_backends_have_figures_of_their_own),
		CASE(test_backends_are_bounded),
		CASE(test_places_of_backends_become_free),
		cmocka_unit_test(test_nothing_is_counted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
