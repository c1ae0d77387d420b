/* test_listeners.c - binding all, or naming what could not be bound. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "lib/options.h"
#include "lib/peer.h"
#include "lib/tempdir.h"
#include "master/activation.h"
#include "master/listeners.h"
#include "unit/listeners_try.h"

static char file[64], text[128];

static int
group_setup(void **state)
{
	if (tempdir_make(state) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/a.sock", tempdir);
	snprintf(text, sizeof(text), "unix:%s", file);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	listeners_unlink(&ls);
	listeners_done(&ls);
	unlink(file);
	server.listen.n = 0;
	return 0;
}

static void
test_sockets_are_as_workers_want_them(void **state)
{
	struct weir_addr a;
	int fd, client, i;
	size_t n;

	(void)state;
	listen_on("127.0.0.1:0");
	listen_on("[::1]:0");
	listen_on(text);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(ls.n, 3);
	assert_int_equal(ls.v[0].fd, -1);
	assert_int_equal(listeners_bind(&ls), 0);
	for (n = 0; n < ls.n; n++) {
		fd = ls.v[n].fd;
		assert_int_equal(ls.v[n].listen, n);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	}
	assert_int_equal(option_of(ls.v[1].fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			option_of(ls.v[i].fd, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(listeners_address(&ls, 0, &a), 0);
	assert_int_not_equal(ntohs(a.in.sin_port), 0);
	/* What is set on the listener is inherited (tcp(7)). */
	client = peer_connect(ntohs(a.in.sin_port));
	fd = peer_accept(ls.v[0].fd);
	assert_int_not_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(fd);
	close(client);
	/* Binding again changes nothing. */
	fd = ls.v[0].fd;
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(ls.v[0].fd, fd);
}

static void
test_busy_until_the_other_leaves(void **state)
{
	char address[32];
	uint16_t port;
	int fd = peer_listen(&port);

	(void)state;
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	listen_on("127.0.0.1:0");
	listen_on(address);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_true(listeners_busy(&ls));
	assert_int_equal(ls.info[1].err, EADDRINUSE);
	close(fd);
	assert_int_equal(listeners_bind(&ls), 0);
	close(peer_connect(port));
}

static void
test_not_busy_but_impossible(void **state)
{
	(void)state;
	listen_on("192.0.2.1:0");
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_false(listeners_busy(&ls));
	assert_int_equal(ls.info[0].err, EADDRNOTAVAIL);
}

static void
test_unlinks_only_its_own(void **state)
{
	struct listeners other;
	struct stat st;
	char moved[80];
	int fd;

	(void)state;
	listen_on(text);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	/* While it lives, nobody else takes the path. */
	assert_int_equal(listeners_init(&other, &conf, 1), 0);
	assert_int_equal(listeners_bind(&other), 1);
	assert_true(listeners_busy(&other));
	listeners_unlink(&other);
	assert_int_equal(lstat(file, &st), 0);
	/* What another one puts in its place is not its own any more. */
	snprintf(moved, sizeof(moved), "%s.new", file);
	fd = open(moved, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(rename(moved, file), 0);
	listeners_unlink(&ls);
	assert_int_equal(lstat(file, &st), 0);
	unlink(file);
	/* The file of a socket that nobody has open is stale. */
	listeners_close(&ls);
	assert_int_equal(listeners_bind(&ls), 0);
	listeners_close(&ls);
	assert_int_equal(lstat(file, &st), 0);
	assert_int_equal(listeners_bind(&other), 0);
	close(peer_connect_unix(file));
	listeners_unlink(&other);
	assert_int_equal(lstat(file, &st), -1);
	listeners_done(&other);
}

/* Looking whether it lives must not cost a server a connection. */
static void
test_live_socket_is_not_disturbed(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	memcpy(un.sun_path, file, strlen(file));
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	listen_on(text);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_int_equal(ls.info[0].err, EADDRINUSE);
	assert_true(peer_nobody(fd, 0));
	close(fd);
}

static void
test_other_files_stay(void **state)
{
	struct stat st;
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	close(fd);
	listen_on(text);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_int_equal(ls.info[0].err, ENOTSOCK);
	assert_false(listeners_busy(&ls));
	assert_int_equal(lstat(file, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void
test_abstract_socket_has_no_file(void **state)
{
	(void)state;
	listen_on("unix:@weir-test-listeners");
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_false(ls.info[0].file.is_ours);
}

/* One that is there already is listened on by another open file of it: by its
 * address, or else under the name of the server. */
static void
test_inherited_sockets_come_first(void **state)
{
	struct activated v[2] = { 0 };
	struct activation a = { v, 2 };
	struct listeners next;
	uint16_t ports[2];
	char address[32];
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		v[i].fd = peer_listen(&ports[i]);
		assert_int_equal(fstat(v[i].fd, &st), 0);
		v[i].dev = st.st_dev;
		v[i].ino = st.st_ino;
		snprintf(v[i].name, sizeof(v[i].name), "pg");
		v[i].address.len = sizeof(v[i].address.un);
		assert_int_equal(getsockname(v[i].fd, &v[i].address.sa,
					 &v[i].address.len),
			0);
	}
	/* Nobody could bind the first, but it has the name. */
	listen_on("192.0.2.1:1");
	snprintf(address, sizeof(address), "127.0.0.1:%u", ports[0]);
	listen_on(address);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	ls.activation = &a;
	assert_int_equal(listeners_bind(&ls), 0);
	for (i = 0; i < 2; i++) {
		int client = peer_connect(ports[i]);

		close(peer_accept(ls.v[1 - i].fd));
		close(client);
	}
	assert_true(v[0].taken && v[1].taken);
	/* A later configuration that has them still takes none. */
	assert_int_equal(listeners_init(&next, &conf, 1), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	assert_true(v[0].taken && v[1].taken);
	listeners_done(&next);
	for (i = 0; i < 2; i++)
		close(v[i].fd);
}

static void
test_report_names_all(void **state)
{
	char log[80], lines[1024], taken[32];
	uint16_t port;
	int fd = peer_listen(&port), in;
	ssize_t n;

	(void)state;
	snprintf(log, sizeof(log), "%s/log", tempdir);
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
	listen_on(taken);
	listen_on("192.0.2.1:0");
	listen_on("unix:/nonexistent/a.sock");
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 3);
	assert_int_equal(log_open(log, LOG_LEVEL_INFO), 0);
	listeners_report(&ls);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	in = open(log, O_RDONLY | O_CLOEXEC);
	n = read(in, lines, sizeof(lines) - 1);
	close(in);
	unlink(log);
	close(fd);
	assert_true(n > 0);
	lines[n] = '\0';
	assert_non_null(strstr(lines, "server \"pg\": cannot listen on 127."));
	assert_non_null(strstr(lines, ": address already in use\n"));
	assert_non_null(strstr(lines,
		"192.0.2.1:0: no interface of this machine has that address"));
	assert_non_null(strstr(lines,
		"unix:/nonexistent/a.sock: its directory does not exist\n"));
}

int
main(void)
{
#define LISTEN_TEST(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)
	const struct CMUnitTest tests[] = {
		LISTEN_TEST(test_sockets_are_as_workers_want_them),
		LISTEN_TEST(test_busy_until_the_other_leaves),
		LISTEN_TEST(test_not_busy_but_impossible),
		LISTEN_TEST(test_unlinks_only_its_own),
		LISTEN_TEST(test_live_socket_is_not_disturbed),
		LISTEN_TEST(test_other_files_stay),
		LISTEN_TEST(test_abstract_socket_has_no_file),
		LISTEN_TEST(test_inherited_sockets_come_first),
		LISTEN_TEST(test_report_names_all),
	};

	return cmocka_run_group_tests(tests, group_setup, tempdir_remove);
}
