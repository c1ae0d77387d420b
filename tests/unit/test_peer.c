/* test_peer.c - the tests' own sockets and data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/peer.h"

static void
pair(int fds[2])
{
	uint16_t port;
	int listen_fd = peer_listen(&port);

	fds[0] = peer_connect(port);
	fds[1] = peer_accept(listen_fd);
	assert_true(peer_nobody(listen_fd, 0));
	close(listen_fd);
	assert_int_equal(peer_connect_error(port), ECONNREFUSED);
}

/* The same stream however it is cut, another one for another seed. */
static void
test_data(void **state)
{
	uint8_t whole[1000], part[1000];
	struct peer_data a, b;
	size_t n, at;

	(void)state;
	peer_data_init(&a, 7);
	peer_data_make(&a, whole, sizeof(whole));
	assert_int_equal(a.at, sizeof(whole));
	for (n = 1; n < 30; n++) {
		peer_data_init(&b, 7);
		for (at = 0; at + n <= sizeof(part); at += n)
			peer_data_make(&b, part + at, n);
		assert_memory_equal(part, whole, at);
		peer_data_init(&b, 7);
		for (at = 0; at + n <= sizeof(whole); at += n)
			peer_data_check(&b, whole + at, n);
	}
	peer_data_init(&b, 8);
	peer_data_make(&b, part, sizeof(part));
	assert_memory_not_equal(part, whole, 8);
}

static void
test_ends(void **state)
{
	int fds[2];
	char text[8];

	(void)state;
	pair(fds);
	assert_true(peer_is_silent(fds[1], 0));
	peer_send_text(fds[0], "hello");
	peer_expect_text(fds[1], "hello");
	peer_half_close(fds[0]);
	peer_read_eof(fds[1]);
	peer_send_text(fds[1], "bye");
	close(fds[1]);
	assert_int_equal(peer_read_to_eof(fds[0], text, sizeof(text)), 3);
	assert_memory_equal(text, "bye", 3);
	close(fds[0]);
	pair(fds);
	peer_abort(fds[0]);
	assert_int_equal(peer_expect_reset(fds[1]), 0);
	close(fds[1]);
}

static void
test_full(void **state)
{
	size_t sent, more;
	int fds[2];

	(void)state;
	pair(fds);
	sent = peer_send_until_full(fds[0], 1 << 30, 20);
	assert_true(sent > 0 && sent < 1 << 30);
	close(fds[0]);
	more = peer_read_to_eof(fds[1], NULL, 0);
	assert_int_equal(more, sent);
	close(fds[1]);
}

static void
test_pump(void **state)
{
	struct peer_pump *p = calloc(8, sizeof(*p));
	const uint64_t total = 3 * 1000 * 1000 + 1;
	int fds[2];
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < 8; i += 2) {
		pair(fds);
		p[i].fd = fds[0];
		p[i + 1].fd = fds[1];
		peer_data_init(&p[i].out, i);
		peer_data_init(&p[i].in, i + 1);
		peer_data_init(&p[i + 1].out, i + 1);
		peer_data_init(&p[i + 1].in, i);
		p[i].out_total = p[i + 1].in_total = total + i;
		p[i + 1].out_total = p[i].in_total = i == 0 ? 0 : total;
		p[i].out_fin = p[i + 1].in_fin = true;
		p[i + 1].out_fin = p[i].in_fin = i != 2;
	}
	peer_pump(p, 8, PEER_MS);
	for (i = 0; i < 8; i++) {
		assert_int_equal(p[i].in.at, p[i].in_total);
		assert_int_equal(p[i].out.at, p[i].out_total);
		close(p[i].fd);
	}
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
