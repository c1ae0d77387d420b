/* test_callers.c - those who call the master: let in, refused, dropped. */
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>

#include "base/log.h"
#include "callers_try.h"

static void
test_socket_is_private(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fcntl(cs.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(cs.fd, F_GETFL) & O_NONBLOCK);
	callers_close(&cs);
	assert_int_equal(lstat(path, &st), -1);
}

static void
test_one_too_many_is_told(void **state)
{
	int fds[CALLERS_MAX], more, i;

	(void)state;
	for (i = 0; i < CALLERS_MAX; i++) {
		fds[i] = call_with("reload");
		turn();
	}
	turn();
	assert_int_equal(nwords, CALLERS_MAX);
	assert_int_equal(present(), CALLERS_MAX);
	/* One whose word is there already, and one without. */
	more = call_with("reload");
	turn();
	expect(more, "end 1 busy: 16 callers are waiting; try again\n");
	more = call();
	turn();
	assert_int_equal(send(more, "stop", 4, MSG_NOSIGNAL), -1);
	expect(more, "end 1 busy: 16 callers are waiting; try again\n");
	assert_int_equal(nwords, CALLERS_MAX);
	/* A place that was left is free. */
	close(fds[3]);
	turn();
	assert_int_equal(present(), CALLERS_MAX - 1);
	fds[3] = call_with("reload");
	turn();
	turn();
	callers_begin(&cs, CALLER_RELOAD);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	for (i = 0; i < CALLERS_MAX; i++)
		expect(fds[i], "end 0 done\n");
}

static void
test_silent_one_is_dropped(void **state)
{
	int fd = call();
	bool ended;

	(void)state;
	turn();
	assert_int_equal(present(), 1);
	assert_true(callers_next(&cs) == START_MS + CALLER_MS);
	now_ms = START_MS + CALLER_MS - 1;
	turn();
	assert_int_equal(present(), 1);
	now_ms++;
	turn();
	assert_int_equal(present(), 0);
	assert_true(callers_next(&cs) == UINT64_MAX);
	heard(fd, &ended);
	assert_true(ended);
	close(fd);
}

static void
test_leaving_early_harms_nothing(void **state)
{
	int fd = call(), other;

	(void)state;
	turn();
	close(fd);
	turn();
	assert_int_equal(present(), 0);
	assert_int_equal(nwords, 0);
	/* With its word said: that is done all the same. */
	close(call_with("reload"));
	turn();
	turn();
	assert_int_equal(nwords, 1);
	turn();
	assert_int_equal(present(), 0);
	callers_begin(&cs, CALLER_RELOAD);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	/* In the middle of the answer. */
	fd = call_with("reload");
	other = call_with("reload");
	turn();
	turn();
	callers_begin(&cs, CALLER_RELOAD);
	callers_say(&cs, CALLER_RELOAD, CALLER_SAYS_INFO, "one");
	close(fd);
	callers_say(&cs, CALLER_RELOAD, CALLER_SAYS_INFO, "two");
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	expect(other, "info one\ninfo two\nend 0 done\n");
	assert_int_equal(present(), 0);
}

static char *
logged_by(void (*f)(void))
{
	static char text[1024];
	char log[80];
	ssize_t n;
	int in;

	snprintf(log, sizeof(log), "%s/log", tempdir);
	assert_int_equal(log_open(log, LOG_LEVEL_INFO), 0);
	f();
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	in = open(log, O_RDONLY | O_CLOEXEC);
	n = read(in, text, sizeof(text) - 1);
	close(in);
	unlink(log);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* As another user where that is possible; else the socket is another's. */
static void
stranger(void)
{
	int status;
	pid_t pid;

	chmod(path, 0666);
	if (geteuid() != 0)
		cs.uid++;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		char text[256];
		ssize_t n;
		int fd;

		alarm(30);
		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(2);
		fd = try_call();
		if (fd == -1)
			_exit(3);
		/* It may have been refused before that. */
		(void)send(fd, "stop", 4, MSG_NOSIGNAL);
		fcntl(fd, F_SETFL, 0);
		n = recv(fd, text, sizeof(text) - 1, 0);
		text[n < 0 ? 0 : n] = '\0';
		_exit(strncmp(text, "end 1 only root and user ", 25) == 0 ? 0
									  : 4);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd pfd = { .fd = cs.fd, .events = POLLIN };

		poll(&pfd, 1, 10);
		turn();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_strangers_are_refused(void **state)
{
	const char *log = logged_by(stranger);

	(void)state;
	assert_non_null(strstr(log, "control socket: refused process "));
	assert_int_equal(nwords, 0);
	assert_int_equal(present(), 0);
}

static void
call_without_descriptors(void)
{
	struct rlimit before, none;
	struct pollfd pfds[CALLERS_FDS];
	int fd = call_with("reload"), top = dup(fd);

	close(top);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)top;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* It does not spin until then. */
	assert_int_equal(callers_fds(&cs, pfds), 0);
	assert_true(callers_next(&cs) == START_MS + 1000);
	now_ms += 1000;
	turn();
	turn();
	turn();
	assert_int_equal(nwords, 1);
	close(fd);
}

static void
test_out_of_descriptors(void **state)
{
	(void)state;
	assert_non_null(strstr(logged_by(call_without_descriptors),
		"control socket: cannot accept: Too many open files"));
}

static void
test_stale_file_is_replaced(void **state)
{
	struct callers second;
	int fd;

	(void)state;
	/* A live one is not, and does not notice. */
	callers_init(&second, told, &cs);
	assert_int_equal(callers_open(&second, pidfile, why), -1);
	assert_non_null(strstr(why, "weir.pid.ctl: another process listens"));
	callers_close(&second);
	turn();
	assert_int_equal(present(), 0);
	close(call());
	turn();
	/* As after kill -9. */
	callers_shed(&cs);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(try_call(), -1);
	assert_int_equal(callers_open(&second, pidfile, why), 0);
	fd = call();
	/* The first one does not unlink what is the second's. */
	callers_close(&cs);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	callers_close(&second);
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_what_cannot_be_opened(void **state)
{
	char name[200];
	int fd;

	(void)state;
	callers_close(&cs);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(callers_open(&cs, pidfile, why), -1);
	assert_non_null(strstr(why, "it exists and is not a socket"));
	assert_int_equal(unlink(path), 0);
	/* A link is not followed, wherever it points. */
	assert_int_equal(symlink("/tmp/weir-callers-elsewhere", path), 0);
	assert_int_equal(callers_open(&cs, pidfile, why), -1);
	assert_int_equal(unlink(path), 0);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(callers_open(&cs, name, why), -1);
	assert_non_null(strstr(why, "has 203 bytes, and 107 are the most"));
	assert_int_equal(callers_open(&cs, "/nonexistent/weir.pid", why), -1);
	assert_non_null(strstr(why, "No such file or directory"));
	assert_int_equal(cs.fd, -1);
}

/* All of it may be called where there is no pidfile. */
static void
test_never_opened(void **state)
{
	struct callers none;
	struct pollfd pfds[CALLERS_FDS];

	(void)state;
	callers_init(&none, told, &cs);
	assert_int_equal(callers_fds(&none, pfds), 0);
	assert_true(callers_next(&none) == UINT64_MAX);
	callers_read(&none, pfds, 0, now_ms);
	callers_turn(&none, now_ms);
	callers_begin(&none, CALLER_RELOAD);
	callers_end(&none, CALLER_RELOAD, 0, "done");
	assert_false(callers_waiting(&none, CALLER_RELOAD));
	callers_close(&none);
	callers_shed(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CALLERS_TEST(test_socket_is_private),
		CALLERS_TEST(test_one_too_many_is_told),
		CALLERS_TEST(test_silent_one_is_dropped),
		CALLERS_TEST(test_leaving_early_harms_nothing),
		CALLERS_TEST(test_strangers_are_refused),
		CALLERS_TEST(test_out_of_descriptors),
		CALLERS_TEST(test_stale_file_is_replaced),
		CALLERS_TEST(test_what_cannot_be_opened),
		CALLERS_TEST(test_never_opened),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
