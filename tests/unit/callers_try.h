/* callers_try.h - a control socket, and calls to it from the same process. */
#ifndef CALLERS_TRY_H
#define CALLERS_TRY_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/tempdir.h"
#include "master/callers.h"

#define START_MS 1000

static struct callers cs;
static uint64_t now_ms;
static char pidfile[48], path[64], why[CALLERS_WHY];
/* What was told, and what told() does with it. */
static enum caller_word words[CALLERS_MAX * 2];
static unsigned nwords;
static bool ends_at_once;

static inline void
told(void *arg, struct caller *c, enum caller_word word)
{
	assert_ptr_equal(arg, &cs);
	assert_true(nwords < CALLERS_MAX * 2);
	words[nwords++] = word;
	if (ends_at_once)
		caller_end(c, 0, "did %s", caller_rows[word].word);
}

static inline int
setup(void **state)
{
	(void)state;
	snprintf(pidfile, sizeof(pidfile), "%s/weir.pid", tempdir);
	snprintf(path, sizeof(path), "%s.ctl", pidfile);
	now_ms = START_MS;
	nwords = 0;
	ends_at_once = false;
	callers_init(&cs, told, &cs);
	return callers_open(&cs, pidfile, why);
}

static inline int
teardown(void **state)
{
	(void)state;
	callers_close(&cs);
	unlink(path);
	return 0;
}

/* One turn of the master's loop, which waits for nothing. */
static inline void
turn(void)
{
	struct pollfd pfds[CALLERS_FDS];
	size_t n = callers_fds(&cs, pfds);

	assert_true(n <= CALLERS_FDS);
	assert_true(poll(pfds, n, 0) >= 0);
	callers_read(&cs, pfds, n, now_ms);
	callers_turn(&cs, now_ms);
}

static inline int
try_call(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path));
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int
call(void)
{
	int fd = try_call();

	assert_int_not_equal(fd, -1);
	return fd;
}

static inline void
say(int fd, const char *word)
{
	assert_int_equal(send(fd, word, strlen(word), MSG_NOSIGNAL),
		(ssize_t)strlen(word));
}

static inline int
call_with(const char *word)
{
	int fd = call();

	say(fd, word);
	return fd;
}

/* All that has come; *ended: the connection is closed. */
static inline const char *
heard(int fd, bool *ended)
{
	static char text[1 << 17];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0) {
		assert_true(n <= CALLER_PACKET);
		assert_int_equal(text[len + (size_t)n - 1], '\n');
		len += (size_t)n;
	}
	*ended = n == 0;
	if (n == -1)
		assert_int_equal(errno, EAGAIN);
	text[len] = '\0';
	return text;
}

/* The whole answer, and the end of the connection. */
static inline void
expect(int fd, const char *want)
{
	bool ended;

	assert_string_equal(heard(fd, &ended), want);
	assert_true(ended);
	close(fd);
}

static inline void
expect_nothing(int fd)
{
	bool ended;

	assert_string_equal(heard(fd, &ended), "");
	assert_false(ended);
}

static inline unsigned
present(void)
{
	struct pollfd pfds[CALLERS_FDS];

	return (unsigned)callers_fds(&cs, pfds) - 1;
}

#define CALLERS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
