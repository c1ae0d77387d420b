/* test_client.c - weir -s, as it hears answers of every kind. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/tempdir.h"
#include "master/caller.h"
#include "master/client.h"

#define LONG_MS	 20000 /* of which nothing is used up */
#define SHORT_MS 20    /* which are */

static char path[64];
static int listen_fd = -1;
static char *out, *err;

static int
setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(path, sizeof(path), "%s/weir.pid.ctl", tempdir);
	listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	memcpy(un.sun_path, path, strlen(path));
	if (bind(listen_fd, (struct sockaddr *)&un, sizeof(un)) == -1)
		return -1;
	return listen(listen_fd, 1);
}

static int
teardown(void **state)
{
	(void)state;
	close(listen_fd);
	unlink(path);
	free(out);
	free(err);
	out = err = NULL;
	return 0;
}

/* What client_ask() returns; what it shows is in out and err. */
static int
ask(const char *at, const char *word, uint32_t limit_ms)
{
	size_t out_len, err_len;
	FILE *o, *e;
	int status;

	free(out);
	free(err);
	o = open_memstream(&out, &out_len);
	e = open_memstream(&err, &err_len);
	assert_non_null(o);
	assert_non_null(e);
	status = client_ask(at, word, limit_ms, o, e);
	fclose(o);
	fclose(e);
	return status;
}

/* Is the next caller's word that one, and are these packets (ended by NULL) its
 * answer?  In a child, which then exits: 0 if so. */
static pid_t
answer(const char *word, const char *const *packets)
{
	char text[64];
	ssize_t n;
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	alarm(30);
	fd = accept(listen_fd, NULL, NULL);
	n = recv(fd, text, sizeof(text), 0);
	if (n != (ssize_t)strlen(word) || memcmp(text, word, (size_t)n) != 0)
		_exit(1);
	for (; *packets != NULL; packets++)
		if (send(fd, *packets, strlen(*packets), MSG_NOSIGNAL) == -1 &&
			errno != EPIPE)
			_exit(2);
	_exit(0);
}

static int
ask_one(const char *const *packets)
{
	pid_t pid = answer("reload", packets);
	int status = ask(path, "reload", LONG_MS), child;

	assert_int_equal(waitpid(pid, &child, 0), pid);
	assert_int_equal(child, 0);
	return status;
}

static void
test_answers_are_shown(void **state)
{
	static const char *const good[] = { "info one\ninfo two\n",
		"error a warning\ninfo \n", "end 0 generation 2 serves\n",
		NULL };
	static const char *const bad[] = {
		"error weir.conf:3: bad\nend 1 nothing has changed\n", NULL
	};
	static const char *const mute[] = { "end 0 \n", NULL };

	(void)state;
	assert_int_equal(ask_one(good), 0);
	assert_string_equal(out, "one\ntwo\n\nweir: generation 2 serves\n");
	assert_string_equal(err, "a warning\n");
	assert_int_equal(ask_one(bad), 1);
	assert_string_equal(out, "");
	assert_string_equal(
		err, "weir.conf:3: bad\nweir: nothing has changed\n");
	assert_int_equal(ask_one(mute), 0);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

/* Whatever answers there: exit status 1, and it is said. */
static void
test_broken_answers(void **state)
{
	static char big[CALLER_PACKET + 2];
	static const char *const packets[][3] = { { "end 0 fine", NULL },
		{ "what?\n", NULL }, { "end\n", NULL }, { "end \n", NULL },
		{ "end 0\n", NULL }, { "end zero fine\n", NULL },
		{ "end 0fine\n", NULL }, { "info\n", NULL }, { "\n", NULL },
		{ "INFO x\n", NULL }, { "info one\n", "no\nend 0 x\n", NULL },
		{ big, NULL } };
	size_t i;

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	memcpy(big, "end 0 fine\n", 11);
	for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		assert_int_equal(ask_one(packets[i]), 1);
		assert_non_null(strstr(err, "that is not how a weir answers"));
	}
}

static void
test_answer_that_does_not_end(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const some[] = { "info loading\n", NULL };

	(void)state;
	assert_int_equal(ask_one(none), 1);
	assert_non_null(strstr(err,
		"has closed the control socket before it said how \"reload\" "
		"went\n"));
	assert_int_equal(ask_one(some), 1);
	assert_string_equal(out, "loading\n");
	assert_non_null(strstr(err, "has closed the control socket"));
}

/* One that was turned away before it said its word. */
static void
test_refusal_is_read(void **state)
{
	int status, child;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		caller_refuse(accept(listen_fd, NULL, NULL), "busy: %d", 16);
		_exit(0);
	}
	status = ask(path, "reload", LONG_MS);
	assert_int_equal(waitpid(pid, &child, 0), pid);
	assert_int_equal(child, 0);
	assert_int_equal(status, 1);
	assert_string_equal(err, "weir: busy: 16\n");
}

/* A master that is stuck: nobody accepts, then there is no room either. */
static void
test_waits_no_longer_than_that(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fds[8], n = 0;

	(void)state;
	assert_int_equal(ask(path, "reload", SHORT_MS), 1);
	assert_string_equal(err,
		"weir: the weir that runs has not said within 0.020 s how "
		"\"reload\" went; its log will\n");
	memcpy(un.sun_path, path, strlen(path));
	do {
		assert_true(n < 8);
		fds[n] = socket(AF_UNIX,
			SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} while (connect(fds[n++], (struct sockaddr *)&un, sizeof(un)) == 0);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ask(path, "reload", SHORT_MS), 1);
	assert_non_null(strstr(err, "has not said within 0.020 s"));
	while (n > 0)
		close(fds[--n]);
}

static void
test_nobody_listens(void **state)
{
	char name[256];

	(void)state;
	assert_int_equal(
		ask("/nonexistent/weir.pid.ctl", "reload", LONG_MS), 1);
	assert_string_equal(err,
		"weir: control socket /nonexistent/weir.pid.ctl: No such file "
		"or directory; weir is only just starting or stopping, or it "
		"is one that does not listen there\n");
	close(listen_fd);
	listen_fd = -1;
	assert_int_equal(ask(path, "reload", LONG_MS), 1);
	assert_non_null(strstr(err, ": Connection refused; weir is only"));
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ask(name, "reload", LONG_MS), 1);
	assert_non_null(
		strstr(err, "no weir listens on a path of more than 107"));
}

int
main(void)
{
#define CLIENT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_answers_are_shown),
		CLIENT_TEST(test_broken_answers),
		CLIENT_TEST(test_answer_that_does_not_end),
		CLIENT_TEST(test_refusal_is_read),
		CLIENT_TEST(test_waits_no_longer_than_that),
		CLIENT_TEST(test_nobody_listens),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
