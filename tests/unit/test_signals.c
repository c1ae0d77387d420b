/* test_signals.c - signals are flags, each told once. */
#include <sys/wait.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "master/signals.h"

static int
setup(void **state)
{
	(void)state;
	signals_open();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signals_close();
	return 0;
}

/* Lets pending signals through, as the loop does. */
static void
look(void)
{
	const struct timespec now = { 0, 0 };

	ppoll(NULL, 0, &now, signals_mask());
}

static void
test_each_comes_once(void **state)
{
	const struct signal_row *row;

	(void)state;
	for (row = signals_rows; row->name != NULL; row++) {
		kill(getpid(), row->signo);
		assert_false(signals_take(row->signo));
		look();
		assert_true(signals_take(row->signo));
		assert_false(signals_take(row->signo));
		look();
		assert_false(signals_take(row->signo));
	}
}

static void
test_pipe_is_ignored(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	close(fds[1]);
}

static void
test_words(void **state)
{
	const struct signal_row *row;

	(void)state;
	assert_int_equal(signals_find("stop")->signo, SIGTERM);
	assert_int_equal(signals_find("quit")->signo, SIGQUIT);
	assert_int_equal(signals_find("reload")->signo, SIGHUP);
	assert_null(signals_find(""));
	assert_null(signals_find("STOP"));
	for (row = signals_rows; row->name != NULL; row++)
		if (row->word != NULL)
			assert_ptr_equal(signals_find(row->word), row);
}

/* What a child does with that signal sent to itself, after more() unless that
 * is NULL: the wait status; exit status 1 when it has it still before it. */
static int
child_gets(int signo, void (*more)(void))
{
	sigset_t later;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		signals_child();
		if (more != NULL)
			more();
		raise(signo);
		sigpending(&later);
		_exit(sigismember(&later, signo));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_children_are_fresh(void **state)
{
	int status;

	(void)state;
	/* The master's catching and blocking must not be theirs. */
	status = child_gets(SIGALRM, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	assert_int_equal(child_gets(SIGCHLD, NULL), 0);
	assert_int_equal(child_gets(SIGWINCH, NULL), 0);
	/* These wait until there is something to stop. */
	assert_int_equal(WEXITSTATUS(child_gets(SIGTERM, NULL)), 1);
	assert_int_equal(WEXITSTATUS(child_gets(SIGQUIT, NULL)), 1);
	/* Ctrl-C and a pkill by name are the master's affair alone. */
	assert_int_equal(child_gets(SIGINT, NULL), 0);
	assert_int_equal(child_gets(SIGHUP, NULL), 0);
	assert_int_equal(child_gets(SIGUSR1, NULL), 0);
	assert_int_equal(child_gets(SIGUSR2, NULL), 0);
	assert_int_equal(child_gets(SIGPIPE, NULL), 0);
}

static void
test_children_without_a_loop(void **state)
{
	(void)state;
	assert_int_equal(
		WTERMSIG(child_gets(SIGTERM, signals_through)), SIGTERM);
	assert_int_equal(
		WTERMSIG(child_gets(SIGQUIT, signals_through)), SIGQUIT);
	assert_int_equal(child_gets(SIGHUP, signals_through), 0);
	assert_int_equal(child_gets(SIGUSR1, signals_through), 0);
}

int
main(void)
{
#define SIGNAL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		SIGNAL_TEST(test_each_comes_once),
		SIGNAL_TEST(test_pipe_is_ignored),
		SIGNAL_TEST(test_words),
		SIGNAL_TEST(test_children_are_fresh),
		SIGNAL_TEST(test_children_without_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
