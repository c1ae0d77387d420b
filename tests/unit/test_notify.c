/* test_notify.c - what a service manager is told, and when it does not hear. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "lib/tempdir.h"
#include "master/notify.h"

static struct notify n;
static char path[64], log_path[64];
static int manager = -1;

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/notify", tempdir);
	snprintf(log_path, sizeof(log_path), "%s/log", tempdir);
	unsetenv("NOTIFY_SOCKET");
	return log_open(log_path, LOG_LEVEL_INFO);
}

static int
teardown(void **state)
{
	(void)state;
	if (manager != -1)
		close(manager);
	manager = -1;
	unlink(path);
	log_open("stderr", LOG_LEVEL_INFO);
	unlink(log_path);
	return 0;
}

/* A manager that listens there; '@' begins an abstract name. */
static void
listen_at(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(un.sun_path, name, len);
	if (*name == '@')
		un.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(manager, (struct sockaddr *)&un,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_init(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
}

/* The next message, or "" when there is none. */
static const char *
heard(void)
{
	static char text[512];
	ssize_t len = recv(manager, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static const char *
logged(void)
{
	static char text[2048];
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static uint64_t
now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
hears_all_of_it(const char *name)
{
	uint64_t before, usec;
	int used = 0;

	listen_at(name);
	notify_ready(&n, 77, "generation %d, 2 workers", 1);
	assert_string_equal(
		heard(), "READY=1\nMAINPID=77\nSTATUS=generation 1, 2 workers");
	notify_status(&n, "%d channels", 12);
	assert_string_equal(heard(), "STATUS=12 channels");
	before = now_usec();
	notify_reloading(&n);
	assert_int_equal(sscanf(heard(),
				 "RELOADING=1\nMONOTONIC_USEC=%" SCNu64
				 "\nSTATUS=reloading%n",
				 &usec, &used),
		1);
	assert_int_not_equal(used, 0);
	assert_true(usec >= before && usec <= now_usec());
	notify_stopping(&n);
	assert_string_equal(heard(), "STOPPING=1\nSTATUS=stopping");
	assert_string_equal(heard(), "");
	assert_true(notify_next(&n) == UINT64_MAX);
	assert_string_equal(logged(), "");
}

static void
test_path(void **state)
{
	(void)state;
	hears_all_of_it(path);
}

static void
test_abstract_name(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@weir-test-notify-%d", (int)getpid());
	hears_all_of_it(name);
}

/* The longest that a path can be has no NUL behind it. */
static void
test_longest_name(void **state)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	(void)state;
	memset(name, 'n', sizeof(name));
	snprintf(name, sizeof(name), "@weir-test-notify-%d", (int)getpid());
	name[strlen(name)] = '-';
	name[sizeof(name) - 2] = '\0';
	hears_all_of_it(name);
}

static void
test_nobody_wants_to_know(void **state)
{
	(void)state;
	notify_init(&n);
	notify_ready(&n, 1, "x");
	notify_reloading(&n);
	notify_stopping(&n);
	notify_status(&n, "x");
	notify_turn(&n, 1000);
	assert_true(notify_next(&n) == UINT64_MAX);
	assert_string_equal(logged(), "");
}

static void
test_useless_sockets_are_named(void **state)
{
	static char longer[200];
	static const char *const names[] = { "", "/", "@", "weir/notify",
		"vsock:2:1234", longer };
	size_t i;

	(void)state;
	memset(longer, '/', sizeof(longer) - 1);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(truncate(log_path, 0), 0);
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_init(&n);
		assert_null(getenv("NOTIFY_SOCKET"));
		assert_non_null(strstr(logged(), "nobody is told that weir"));
		notify_ready(&n, 1, "x");
		assert_true(notify_next(&n) == UINT64_MAX);
	}
}

static void
test_socket_that_is_not_there(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init(&n);
	notify_ready(&n, 1, "x");
	assert_non_null(strstr(logged(), ": No such file or directory"));
	/* It is not tried again and again. */
	assert_true(notify_next(&n) == UINT64_MAX);
	listen_at(path);
	close(manager);
	manager = -1;
	notify_ready(&n, 1, "x");
	assert_non_null(strstr(logged(), ": Connection refused"));
	assert_true(notify_next(&n) == UINT64_MAX);
}

/* A manager that is slow loses nothing, and nobody waits for it. */
static void
test_full_socket(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int i;

	(void)state;
	listen_at(path);
	memcpy(un.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	while (send(fd, "X=1", 3, 0) == 3)
		continue;
	assert_int_equal(errno, EAGAIN);
	close(fd);
	notify_reloading(&n);
	notify_ready(&n, 77, "two");
	notify_status(&n, "left out");
	assert_true(notify_next(&n) == 0);
	notify_turn(&n, 5000);
	assert_true(notify_next(&n) == 5100);
	while (strcmp(heard(), "X=1") == 0)
		continue;
	notify_turn(&n, 5099);
	assert_string_equal(heard(), "");
	notify_turn(&n, 5100);
	assert_true(notify_next(&n) == UINT64_MAX);
	assert_memory_equal(heard(), "RELOADING=1\n", 12);
	assert_string_equal(heard(), "READY=1\nMAINPID=77\nSTATUS=two");
	assert_string_equal(heard(), "");
	/* More than anybody needs is lost, and that is said. */
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init(&n);
	for (i = 0; i < NOTIFY_QUEUE; i++)
		memcpy(n.queue[i], "X=1", 4);
	n.n = NOTIFY_QUEUE;
	notify_ready(&n, 1, "lost");
	assert_non_null(strstr(logged(), "is full: a message is lost"));
}

/* No text makes a second assignment, or an endless one. */
static void
test_text_stays_a_line(void **state)
{
	static char page[2000];

	(void)state;
	memset(page, 'x', sizeof(page) - 1);
	listen_at(path);
	notify_status(&n, "a\nMAINPID=1\r%s", "\33");
	assert_string_equal(heard(), "STATUS=a MAINPID=1  ");
	notify_ready(&n, 7, "%s", page);
	assert_int_equal(strlen(heard()), NOTIFY_TEXT - 1);
}

int
main(void)
{
#define NOTIFY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		NOTIFY_TEST(test_path),
		NOTIFY_TEST(test_abstract_name),
		NOTIFY_TEST(test_longest_name),
		NOTIFY_TEST(test_nobody_wants_to_know),
		NOTIFY_TEST(test_useless_sockets_are_named),
		NOTIFY_TEST(test_socket_that_is_not_there),
		NOTIFY_TEST(test_full_socket),
		NOTIFY_TEST(test_text_stays_a_line),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
