/* test_endpoint.c - peers are remembered, sockets closed as asked. */
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "engine/endpoint.h"
#include "lib/alloc.h"
#include "lib/hole.h"
#include "lib/rig.h"

static void
remembers(const struct weir_addr *a)
{
	struct endpoint ep;
	struct weir_addr got;

	endpoint_init(&ep, WEIR_BACKEND);
	assert_int_equal(ep.fd, -1);
	assert_int_equal(ep.side, WEIR_BACKEND);
	assert_int_equal(endpoint_set_peer(&ep, a), 0);
	endpoint_peer(&ep, &got);
	assert_int_equal(got.len, a->len);
	assert_memory_equal(&got.sa, &a->sa, a->len);
	/* Anew, of another kind, and the same again. */
	assert_int_equal(
		endpoint_set_peer(&ep, &(struct weir_addr){ .len = 2,
					       .sa.sa_family = AF_UNIX }),
		0);
	assert_int_equal(endpoint_set_peer(&ep, a), 0);
	endpoint_peer(&ep, &got);
	assert_memory_equal(&got.sa, &a->sa, a->len);
	endpoint_done(&ep);
	endpoint_peer(&ep, &got);
	assert_int_equal(got.len, 0);
	endpoint_done(&ep);
}

static void
test_every_kind_of_peer(void **state)
{
	static const char *const texts[] = { "127.0.0.1:80", "[fd00::1]:65535",
		"unix:/run/weir/x.sock" };
	struct weir_addr a;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(addr_parse(&a, texts[i], &why), 0);
		remembers(&a);
	}
	a = (struct weir_addr){ .len = sizeof(a.un) };
	a.un.sun_family = AF_UNIX;
	memset(a.un.sun_path, 'x', sizeof(a.un.sun_path));
	remembers(&a);
	a.un.sun_path[0] = '\0'; /* abstract (unix(7)) */
	remembers(&a);
	a.len = sizeof(sa_family_t); /* without a name */
	remembers(&a);
}

static void
test_a_path_without_memory(void **state)
{
	struct endpoint ep;
	struct weir_addr a, got;
	const char *why;

	(void)state;
	assert_int_equal(addr_parse(&a, "unix:/x", &why), 0);
	endpoint_init(&ep, WEIR_FRONTEND);
	alloc_fail_at(1);
	assert_int_equal(endpoint_set_peer(&ep, &a), -1);
	assert_true(alloc_failed());
	endpoint_peer(&ep, &got);
	assert_int_equal(got.len, 0);
	endpoint_done(&ep);
}

/* A connected endpoint, and its peer. */
static int
connected(struct endpoint *ep)
{
	struct weir_addr at;
	int listener = rig_backend(&at), peer;

	endpoint_init(ep, WEIR_BACKEND);
	assert_int_equal(endpoint_set_peer(ep, &at), 0);
	ep->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ep->fd, &at.sa, at.len), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(peer, -1);
	rig_close(&listener);
	return peer;
}

static void
test_close_and_reset(void **state)
{
	struct endpoint ep;
	int peer = connected(&ep);
	char c;

	(void)state;
	ep.mask = ENDPOINT_IN;
	endpoint_close(&ep, false);
	assert_int_equal(ep.fd, -1);
	assert_int_equal(ep.mask, 0);
	assert_int_equal(recv(peer, &c, 1, 0), 0);
	endpoint_close(&ep, true);
	rig_close(&peer);
	peer = connected(&ep);
	endpoint_close(&ep, true);
	assert_int_equal(recv(peer, &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	rig_close(&peer);
}

static void
test_error_is_taken_once(void **state)
{
	struct endpoint ep;
	int peer = connected(&ep);

	(void)state;
	assert_int_equal(endpoint_take_error(&ep), 0);
	rig_reset(&peer);
	assert_int_equal(endpoint_take_error(&ep), ECONNRESET);
	assert_int_equal(endpoint_take_error(&ep), 0);
	endpoint_close(&ep, false);
	endpoint_init(&ep, WEIR_BACKEND);
	assert_int_equal(endpoint_take_error(&ep), EBADF);
}

static void
test_a_handshake_is_seen(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct endpoint ep;
	struct hole hole;
	int peer = connected(&ep);

	(void)state;
	assert_false(endpoint_is_connecting(&ep));
	rig_close(&peer);
	endpoint_close(&ep, true);
	hole_dig(&hole);
	to.sin_port = htons(hole.port);
	ep.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(ep.fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_true(endpoint_is_connecting(&ep));
	endpoint_close(&ep, true);
	hole_fill(&hole);
}

static void
test_unacked_bytes(void **state)
{
	static const uint8_t much[100000];
	static const int small = 4096;
	struct endpoint ep;
	int peer = connected(&ep);
	ssize_t n;

	(void)state;
	assert_int_equal(endpoint_unacked(&ep), 0);
	setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	do
		n = send(ep.fd, much, sizeof(much), MSG_DONTWAIT);
	while (n > 0);
	assert_true(endpoint_unacked(&ep) > 0);
	rig_close(&peer);
	endpoint_close(&ep, true);
	assert_int_equal(endpoint_unacked(&ep), 0);
	endpoint_done(&ep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_peer),
		cmocka_unit_test(test_a_path_without_memory),
		cmocka_unit_test(test_close_and_reset),
		cmocka_unit_test(test_error_is_taken_once),
		cmocka_unit_test(test_a_handshake_is_seen),
		cmocka_unit_test(test_unacked_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
