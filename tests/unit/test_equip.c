/* test_equip.c - options of listeners: accepted sockets have them, and kept
 * ones change at the commit. */
#include <sys/socket.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "lib/options.h"
#include "lib/peer.h"
#include "master/activation.h"

#include "unit/listeners_try.h"

static char said[512];

static void
hear(void *arg, const char *text)
{
	(void)arg;
	strncat(said, text, sizeof(said) - strlen(said) - 1);
}

static int
setup(void **state)
{
	(void)state;
	server.listen.n = 0;
	memset(listens, 0, sizeof(listens));
	said[0] = '\0';
	log_tap(hear, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_tap(NULL, NULL);
	listeners_done(&ls);
	return 0;
}

/* A connection that this listener accepts: both of its ends. */
static int
accepted(const struct listeners *from, int *client)
{
	struct weir_addr a;

	assert_int_equal(listeners_address(from, 0, &a), 0);
	*client = peer_connect(ntohs(a.in.sin_port));
	return peer_accept(from->v[0].fd);
}

static void
test_accepted_sockets_have_them(void **state)
{
	int client, fd;

	(void)state;
	listen_on("127.0.0.1:0");
	listens[0].options.n = 0;
	options_add(&listens[0].options);
	sockopts_add(&listens[0].options, SOCKOPT_FASTOPEN, 16);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(option_of(ls.v[0].fd, IPPROTO_TCP, TCP_FASTOPEN), 16);
	fd = accepted(&ls, &client);
	options_expect(fd, true);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(fd);
	close(client);
	assert_null(strstr(said, "cannot be set"));
}

/* Who says nothing is not accepted. */
static void
test_accepting_is_deferred(void **state)
{
	struct weir_addr a;
	int client, fd;

	(void)state;
	listen_on("127.0.0.1:0");
	sockopts_add(&listens[0].options, SOCKOPT_DEFER_ACCEPT, 3);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(listeners_address(&ls, 0, &a), 0);
	client = peer_connect(ntohs(a.in.sin_port));
	assert_true(peer_nobody(ls.v[0].fd, 100));
	peer_send_text(client, "x");
	fd = peer_accept(ls.v[0].fd);
	peer_expect_text(fd, "x");
	close(fd);
	close(client);
}

static void
test_one_that_fails_is_named(void **state)
{
	(void)state;
	listen_on("127.0.0.1:0");
	sockopts_add(&listens[0].options, SOCKOPT_KEEPCNT, 1000);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 1);
	assert_false(listeners_busy(&ls));
	listeners_report(&ls);
	assert_non_null(strstr(said,
		"server \"pg\": cannot listen on 127.0.0.1:0: option "
		"\"keepalive_count\" (TCP_KEEPCNT) cannot be set: Invalid "
		"argument"));
}

static void
test_a_buffer_that_is_too_large_is_warned_of(void **state)
{
	(void)state;
	listen_on("127.0.0.1:0");
	sockopts_add(&listens[0].options, SOCKOPT_RCVBUF, 1 << 30);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_non_null(strstr(said,
		"127.0.0.1:0: a buffer is smaller than was asked for: "
		"net.core.rmem_max does not allow more"));
}

/* A second configuration of the same address: its listeners, in place of the
 * first ones. */
static struct conf_listen next_listen;
static struct conf_server next_server = { .name = "pg",
	.listen = { 1, &next_listen } };
static struct conf next_conf = { .servers = { 1, &next_server } };
static struct listeners next;

static void
bind_and_plan_next(void)
{
	listen_on("127.0.0.1:0");
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	next_listen = listens[0];
	next_listen.options.n = 0;
	assert_int_equal(listeners_init(&next, &next_conf, 1), 0);
}

static void
test_a_kept_socket_changes_at_the_commit(void **state)
{
	struct listeners was;
	int client, fd;

	(void)state;
	bind_and_plan_next();
	options_add(&next_listen.options);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	fd = accepted(&ls, &client);
	options_expect(fd, false);
	assert_int_not_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(fd);
	close(client);
	listeners_commit(&next, &ls);
	fd = accepted(&next, &client);
	options_expect(fd, true);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(fd);
	close(client);
	/* And back again: what is not said any more is the kernel's own. */
	listeners_done(&ls);
	assert_int_equal(listeners_init(&was, &conf, 1), 0);
	assert_int_equal(listeners_adopt(&was, &next), 0);
	assert_int_equal(listeners_bind(&was), 0);
	listeners_commit(&was, &next);
	fd = accepted(&was, &client);
	options_expect(fd, false);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_BUF_LOCK), 0);
	assert_int_not_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	close(fd);
	close(client);
	listeners_done(&next);
	ls = was;
	assert_string_equal(said, "");
}

/* What it cannot have is known before the commit, and nothing is changed. */
static void
test_a_kept_socket_that_cannot_change(void **state)
{
	int client, fd;

	(void)state;
	bind_and_plan_next();
	sockopts_add(&next_listen.options, SOCKOPT_KEEPALIVE, 1);
	sockopts_add(&next_listen.options, SOCKOPT_KEEPCNT, 1000);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 1);
	assert_false(listeners_busy(&next));
	listeners_report(&next);
	assert_non_null(strstr(said, "(TCP_KEEPCNT) cannot be set"));
	listeners_undo(&next);
	fd = accepted(&ls, &client);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	close(fd);
	close(client);
}

/* Fails for sockets that listen only, so it is not known before. */
static void
test_what_fails_is_tried_again(void **state)
{
	struct listeners after;
	int client, fd;

	(void)state;
	bind_and_plan_next();
	sockopts_add(&next_listen.options, SOCKOPT_FASTOPEN_CONNECT, 1);
	options_add(&next_listen.options);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	listeners_commit(&next, &ls);
	listeners_done(&ls);
	assert_non_null(strstr(said, "(TCP_FASTOPEN_CONNECT) cannot be set"));
	fd = accepted(&next, &client);
	options_expect(fd, true);
	close(fd);
	close(client);
	said[0] = '\0';
	assert_int_equal(listeners_init(&after, &next_conf, 1), 0);
	assert_int_equal(listeners_adopt(&after, &next), 0);
	assert_int_equal(listeners_bind(&after), 0);
	listeners_commit(&after, &next);
	listeners_done(&next);
	ls = after;
	assert_non_null(strstr(said, "(TCP_FASTOPEN_CONNECT) cannot be set"));
}

/* What a socket has of an earlier configuration does not come back with it. */
static void
test_inherited_sockets_lose_others(void **state)
{
	struct activated one = { .name = "" };
	struct activation activation = { .n = 1, .v = &one };
	enum sockopt_id failed;
	struct sockopts had = { .n = 0 };
	char address[32];
	uint16_t port;
	int client, fd;

	(void)state;
	one.fd = peer_listen(&port);
	sockopts_add(&had, SOCKOPT_NODELAY, 1);
	options_add(&had);
	sockopts_add(&had, SOCKOPT_DEFER_ACCEPT, 3);
	sockopts_add(&had, SOCKOPT_FASTOPEN, 16);
	assert_int_equal(sockopts_set(one.fd, AF_INET, &had, &failed), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	listen_on(address);
	listens[0].options.n = 0;
	one.address = listens[0].address;
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	ls.activation = &activation;
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(option_of(one.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	assert_int_equal(option_of(one.fd, IPPROTO_TCP, TCP_FASTOPEN), 0);
	fd = accepted(&ls, &client);
	options_expect(fd, false);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_BUF_LOCK), 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_string_equal(said, "");
	close(fd);
	close(client);
	close(one.fd);
}

/* A socket that somebody else has made gets what it takes. */
static void
test_inherited_sockets_have_them(void **state)
{
	struct activated one = { .name = "" };
	struct activation activation = { .n = 1, .v = &one };
	char address[32];
	uint16_t port;
	int client, fd;

	(void)state;
	one.fd = peer_listen(&port);
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	listen_on(address);
	one.address = listens[0].address;
	sockopts_add(&listens[0].options, SOCKOPT_KEEPCNT, 1000);
	sockopts_add(&listens[0].options, SOCKOPT_FASTOPEN_CONNECT, 1);
	options_add(&listens[0].options);
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	ls.activation = &activation;
	assert_int_equal(listeners_bind(&ls), 0);
	assert_true(ls.info[0].inherited);
	fd = accepted(&ls, &client);
	assert_int_not_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	options_expect(fd, true);
	assert_non_null(strstr(said, "inherited socket for 127.0.0.1:"));
	assert_non_null(strstr(said, "(TCP_KEEPCNT) cannot be set"));
	assert_non_null(strstr(said, "(TCP_FASTOPEN_CONNECT) cannot be set"));
	close(fd);
	close(client);
	close(one.fd);
}

#define listen_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		listen_test(test_accepted_sockets_have_them),
		listen_test(test_accepting_is_deferred),
		listen_test(test_one_that_fails_is_named),
		listen_test(test_a_buffer_that_is_too_large_is_warned_of),
		listen_test(test_a_kept_socket_changes_at_the_commit),
		listen_test(test_a_kept_socket_that_cannot_change),
		listen_test(test_what_fails_is_tried_again),
		listen_test(test_inherited_sockets_lose_others),
		listen_test(test_inherited_sockets_have_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
