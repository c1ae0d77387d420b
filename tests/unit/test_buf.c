/* test_buf.c - bytes that must be kept come out as they went in. */
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

#include "base/buf.h"
#include "lib/alloc.h"
#include "lib/peer.h"

#define BIG ((size_t)1 << 20)

/* Appends n bytes of seed 1 from offset on. */
static void
add(struct buf *b, uint64_t offset, size_t n)
{
	struct peer_data stream = { .seed = 1, .at = offset };
	uint8_t *p = malloc(n + 1);

	assert_non_null(p);
	peer_data_make(&stream, p, n);
	assert_int_equal(buf_append(b, p, n), 0);
	free(p);
}

/* Are these n bytes of seed 1 from offset on? */
static void
check(uint64_t offset, const uint8_t *p, size_t n)
{
	struct peer_data stream = { .seed = 1, .at = offset };

	peer_data_check(&stream, p, n);
}

/* Takes all out and compares with n bytes of seed 1 from offset on. */
static void
expect(struct buf *b, uint64_t offset, size_t n)
{
	struct seg *s;

	assert_int_equal(b->len, n);
	while ((s = buf_shift(b)) != NULL) {
		size_t have = s->end - s->start;

		assert_true(have > 0);
		check(offset, s->data + s->start, have);
		offset += have;
		n -= have;
		seg_free(s);
	}
	assert_int_equal(n, 0);
	assert_int_equal(b->len, 0);
	assert_null(b->head);
	assert_null(b->tail);
}

static size_t
count_segs(const struct buf *b)
{
	const struct seg *s;
	size_t n = 0;

	for (s = b->head; s != NULL; s = s->next)
		n++;
	return n;
}

static void
test_all_sizes_come_out_as_they_went_in(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 4079, 4080, 4081, 8160, 65519,
		65520, 65521, 131040, 131041, BIG };
	struct buf b = { 0 };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			add(&b, 0, sizes[i]);
			add(&b, sizes[i], sizes[k]);
			expect(&b, 0, sizes[i] + sizes[k]);
		}
}

static void
test_cut_anywhere(void **state)
{
	struct buf b = { 0 };
	size_t cut;

	(void)state;
	for (cut = 0; cut <= 20000; cut += 37) {
		add(&b, 0, 5000);
		add(&b, 5000, 15000);
		buf_cut(&b, cut);
		add(&b, 20000, 100);
		expect(&b, cut, 20100 - cut);
	}
	add(&b, 0, 20000);
	buf_cut(&b, 20000);
	expect(&b, 0, 0);
}

static void
test_move_keeps_order(void **state)
{
	struct buf a = { 0 }, b = { 0 }, none = { 0 };

	(void)state;
	add(&a, 0, 10);
	add(&b, 10, 100000);
	buf_move(&a, &b);
	expect(&b, 0, 0);
	buf_move(&a, &none);
	buf_move(&none, &a);
	add(&b, 100010, 5);
	buf_move_front(&b, &none);
	expect(&none, 0, 0);
	buf_move_front(&b, &none);
	expect(&b, 0, 100015);
}

static void
test_little_by_little_needs_little_memory(void **state)
{
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		add(&b, i, 1);
	assert_true(count_segs(&b) <= 100000 / 4080 + 1);
	expect(&b, 0, 100000);
}

static void
test_small_segments_are_put_together(void **state)
{
	struct buf b = { 0 }, one = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		add(&one, i, 1);
		buf_add_seg(&b, buf_shift(&one));
	}
	assert_true(count_segs(&b) <= 50000 / 4080 + 1);
	expect(&b, 0, 50000);
	add(&one, 0, 50000);
	buf_add_seg(&b, buf_shift(&one));
	assert_int_equal(count_segs(&b), 1);
	expect(&b, 0, 50000);
}

static void
test_send_is_partial_and_loses_nothing(void **state)
{
	static uint8_t got[65536];
	struct buf b = { 0 };
	uint64_t offset = 0;
	int pair[2];
	ssize_t n;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	add(&b, 0, 3);
	add(&b, 3, BIG);
	add(&b, 3 + BIG, BIG);
	assert_true(buf_sendable(&b) < b.len);
	while (b.len > 0) {
		size_t before = b.len, most = buf_sendable(&b);

		n = buf_send(&b, pair[0], MSG_NOSIGNAL);
		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(b.len, before);
		} else {
			assert_true((size_t)n <= most);
			assert_int_equal(b.len, before - (size_t)n);
		}
		n = recv(pair[1], got, sizeof(got), 0);
		assert_true(n > 0);
		check(offset, got, (size_t)n);
		offset += (uint64_t)n;
	}
	while ((n = recv(pair[1], got, sizeof(got), 0)) > 0) {
		check(offset, got, (size_t)n);
		offset += (uint64_t)n;
	}
	assert_int_equal(offset, 3 + 2 * BIG);
	close(pair[1]);
	add(&b, 0, 10);
	assert_int_equal(buf_send(&b, pair[0], MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(b.len, 10);
	buf_clear(&b);
	expect(&b, 0, 0);
	close(pair[0]);
}

static void
test_append_without_memory_changes_nothing(void **state)
{
	static const uint8_t more[300000];
	struct buf b = { 0 };
	unsigned nth;

	(void)state;
	add(&b, 0, 100);
	for (nth = 1; nth < 100; nth++) {
		int rc;

		alloc_fail_at(nth);
		rc = buf_append(&b, more, sizeof(more));
		if (!alloc_failed())
			break;
		assert_int_equal(rc, -1);
		assert_int_equal(b.len, 100);
		assert_int_equal(count_segs(&b), 1);
	}
	assert_in_range(nth, 4, 8);
	buf_cut(&b, 0);
	assert_int_equal(b.len, 100 + sizeof(more));
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sizes_come_out_as_they_went_in),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_move_keeps_order),
		cmocka_unit_test(test_little_by_little_needs_little_memory),
		cmocka_unit_test(test_small_segments_are_put_together),
		cmocka_unit_test(test_send_is_partial_and_loses_nothing),
		cmocka_unit_test(test_append_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
