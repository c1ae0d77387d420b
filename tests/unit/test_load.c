/* test_load.c - the load generator counts everything as what it is. */
#include <sys/epoll.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/load.h"
#include "lib/load_private.h"
#include "lib/peer.h"

/* A load of 8 BRIEF connections at a time on a server with that fault. */
static void
run_on(const struct echo *fault, unsigned n, unsigned late_ms,
	struct load_result *r)
{
	struct load *l = load_new();
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 8 },
		.brief_rate = 2000,
		.late_ms = late_ms };

	plan.ports[0] = load_echo(l, fault);
	load_start(l, &plan);
	load_await(l, n);
	load_stop(l, r);
}

/* Each third connection has it, and is of that kind, and no other is any. */
static void
expect_kind(enum echo_fault fault, enum load_kind kind, const char *text)
{
	struct echo e = { .fault = fault, .every = 3 };
	struct load_result r;

	run_on(&e, 60, kind == LOAD_LATE ? 500 : 0, &r);
	assert_true(r.faults >= 20);
	assert_int_equal(load_failed(&r, kind), r.faults);
	assert_int_equal(load_failed(&r, LOAD_KINDS_N), r.faults);
	assert_int_equal(r.failed[LOAD_BRIEF][kind], r.faults);
	assert_int_equal(r.connected, load_ok(&r) + r.faults);
	assert_int_equal(r.nfailures, LOAD_FAILURES);
	assert_int_equal(r.failures[0].kind, kind);
	if (strstr(r.failures[0].text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, r.failures[0].text);
}

static void
test_drops(void **state)
{
	(void)state;
	expect_kind(ECHO_DROPS, LOAD_UNSERVED, "0 bytes of ");
}

static void
test_resets(void **state)
{
	(void)state;
	expect_kind(ECHO_RESETS, LOAD_RESET, " bytes of ");
}

static void
test_closes(void **state)
{
	(void)state;
	expect_kind(ECHO_CLOSES, LOAD_SHORT, "FIN after ");
}

static void
test_stalls(void **state)
{
	(void)state;
	expect_kind(ECHO_STALLS, LOAD_LATE, "waiting for 5");
}

static void
test_garbles(void **state)
{
	(void)state;
	expect_kind(ECHO_GARBLES, LOAD_WRONG, " is 0x");
}

static void
test_crosses(void **state)
{
	(void)state;
	expect_kind(ECHO_CROSSES, LOAD_WRONG, " is byte 0 of connection ");
}

static void
test_repeats(void **state)
{
	(void)state;
	expect_kind(ECHO_REPEATS, LOAD_WRONG, " is byte 0 of connection ");
}

/* A reset that our own write is the first to find: it is no FIN. */
static void
test_reset_found_by_writing(void **state)
{
	struct load_result r = { 0 };
	struct load_plan plan = { .bytes_min = 8, .bytes_max = 8 };
	struct run run = { .plan = &plan, .result = &r, .nports = 1 };
	struct client c = { .run = &run, .sort = LOAD_KEPT, .wire.fd = -1 };
	char bytes[8];
	int fd, server;

	(void)state;
	fd = peer_listen(&plan.ports[0]);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.free[LOAD_KEPT] = 1;
	client_connect(&c);
	server = peer_accept(fd);
	c.wire.ready(&c.wire, EPOLLOUT);
	peer_read_exact(server, bytes, sizeof(bytes));
	peer_send_all(server, bytes, sizeof(bytes));
	c.wire.ready(&c.wire, EPOLLIN);
	assert_int_equal(c.state, CLIENT_HELD);
	peer_abort(server);
	client_request(&c);
	assert_int_equal(r.failed[LOAD_KEPT][LOAD_RESET], 1);
	assert_int_equal(load_failed(&r, LOAD_KINDS_N), 1);
	close(run.epoll);
	close(fd);
}

/* A complaint says when, who, what and why. */
/* Times are kept up to an eighth. */
static void
test_times(void **state)
{
	struct load_result r = { .nfailures = 0 }, before;
	uint64_t us, took;

	(void)state;
	assert_int_equal(load_took_us(&r, NULL, 990), 0);
	for (us = 1; us < (uint64_t)1 << 32; us += 1 + us / 3) {
		before = r;
		assert_in_range(load_time(us), 0, LOAD_TIMES - 1);
		r.times[load_time(us)]++;
		took = load_took_us(&r, &before, 500);
		assert_in_range(took, us, us + us / 8 + 1);
	}
	r = (struct load_result){ .nfailures = 0 };
	r.times[load_time(100)] = 990;
	r.times[load_time(5000)] = 10;
	assert_in_range(load_took_us(&r, NULL, 990), 100, 113);
	assert_in_range(load_took_us(&r, NULL, 991), 5000, 5626);
}

static void
test_complaint(void **state)
{
	struct load_result r = { .asked = { [LOAD_BRIEF] = 1 },
		.ok = { [LOAD_BRIEF] = 1 } };
	char *text;

	(void)state;
	assert_null(load_complaint(&r));
	r.failed[LOAD_BRIEF][LOAD_RESET] = 3;
	r.nfailures = 1;
	r.failures[0] = (struct load_failure){ .kind = LOAD_RESET,
		.sort = LOAD_BRIEF,
		.at_ms = 12,
		.id = 34,
		.err = ECONNRESET,
		.text = "5 bytes of 67 came" };
	r.asked[LOAD_KEPT] = 1;
	r.asked[LOAD_IDLE] = r.ok[LOAD_IDLE] = 2;
	text = load_complaint(&r);
	assert_non_null(text);
	assert_string_equal(text,
		"3 failures, the first of which are:\n"
		"12 ms: brief connection 34 reset: 5 bytes of 67 came:"
		" Connection reset by peer\n"
		"no kept connection was ever answered\n"
		"0 of 2 idle connections are unbroken\n");
	free(text);
}

/* Nor may nobody have been served for long, where many wanted to be. */
static void
test_complaint_of_gaps(void **state)
{
	struct load_result r = { .connect_gap_us = LOAD_GAP_MS * 1000,
		.request_gap_us = LOAD_GAP_MS * 1000 + 5000 };
	char expected[128], *text;

	(void)state;
	assert_null(load_complaint(&r));
	r.connects = r.requests = true;
	text = load_complaint(&r);
	assert_non_null(text);
	snprintf(expected, sizeof(expected),
		"nobody was connected for %d ms\n"
		"nobody was answered for %d ms\n",
		LOAD_GAP_MS, LOAD_GAP_MS + 5);
	assert_string_equal(text, expected);
	free(text);
	r.connect_gap_us = r.request_gap_us = LOAD_GAP_MS * 1000 - 1;
	assert_null(load_complaint(&r));
}

/* For a while nobody listens: that long there is no success. */
static void
test_hides(void **state)
{
	struct echo e = { .fault = ECHO_HIDES, .at_ms = 100, .while_ms = 200 };
	struct load_result r;

	(void)state;
	run_on(&e, 600, 0, &r);
	assert_int_equal(r.faults, 2);
	assert_true(r.failed[LOAD_BRIEF][LOAD_REFUSED] > 20);
	/* Those in the queue are reset when a listener goes. */
	assert_int_equal(load_failed(&r, LOAD_KINDS_N),
		r.failed[LOAD_BRIEF][LOAD_REFUSED] +
			r.failed[LOAD_BRIEF][LOAD_UNSERVED]);
	assert_true(r.connect_gap_us >= 190000);
	assert_true(r.request_gap_us >= 190000);
}

/* All three sorts, two servers, nothing wrong. */
static void
test_all_is_well(void **state)
{
	struct load *l = load_new();
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 8,
					  [LOAD_KEPT] = 10,
					  [LOAD_IDLE] = 200 },
		.bytes_max = 200000 };
	struct load_result r;

	(void)state;
	plan.ports[0] = load_echo(l, NULL);
	plan.ports[1] = load_echo(l, NULL);
	load_start(l, &plan);
	load_settle(l);
	assert_int_equal(load_look(l)->standing[0], 10);
	assert_int_equal(load_look(l)->standing[1], 200);
	load_await(l, 500);
	load_stop(l, &r);
	load_check(&r);
	assert_true(r.connects);
	assert_true(r.requests);
	assert_int_equal(r.unbroken, 200);
	assert_int_equal(r.ok[LOAD_IDLE], 400);
	assert_true(r.ok[LOAD_KEPT] > 10);
	assert_int_equal(r.connected, r.ok[LOAD_BRIEF] + 210);
}

/* Kept ones that end are lost, and replaced; so are idle ones. */
static void
test_kept_and_idle_are_lost(void **state)
{
	struct load *l = load_new();
	struct echo e = { .fault = ECHO_RESETS, .every = 4 };
	struct load_plan plan = {
		.connections = { [LOAD_KEPT] = 4, [LOAD_IDLE] = 8 },
		.kept_rate = 400
	};
	struct load_result r;

	(void)state;
	plan.ports[0] = load_echo(l, &e);
	load_start(l, &plan);
	load_settle(l);
	load_stop(l, &r);
	assert_int_equal(r.faults, 3);
	assert_int_equal(load_failed(&r, LOAD_RESET), 3);
	assert_int_equal(load_failed(&r, LOAD_KINDS_N), 3);
	assert_false(r.connects);
	assert_true(r.requests);
	assert_int_equal(r.unbroken, 8 - r.failed[LOAD_IDLE][LOAD_RESET]);
}

/* A listener that nobody asks to accept: connected, and never heard of. */
static void
test_nobody_accepts(void **state)
{
	struct load *l = load_new();
	struct load_plan plan = {
		.connections = { [LOAD_BRIEF] = 2, [LOAD_IDLE] = 1 },
		.late_ms = 200,
		.seconds = 1
	};
	struct load_result r;
	int fd;

	(void)state;
	fd = peer_listen(&plan.ports[0]);
	load_start(l, &plan);
	load_stop(l, &r);
	close(fd);
	assert_int_equal(load_ok(&r), 0);
	assert_int_equal(r.unbroken, 0);
	assert_int_equal(
		load_failed(&r, LOAD_LATE) + load_failed(&r, LOAD_OPEN),
		load_failed(&r, LOAD_KINDS_N));
	assert_int_equal(load_failed(&r, LOAD_KINDS_N), r.connected);
}

/* It ends without being told to. */
static void
test_ends_by_itself(void **state)
{
	struct load *l = load_new();
	struct load_plan plan = {
		.connections = { [LOAD_BRIEF] = 2, [LOAD_KEPT] = 2 },
		.brief_rate = 100,
		.kept_rate = 100,
		.seconds = 1
	};
	struct load_result r;

	(void)state;
	plan.ports[0] = load_echo(l, NULL);
	load_start(l, &plan);
	load_end(l, &r);
	load_check(&r);
	assert_in_range(r.took_ms, 1000, 3000);
	/* The rates are kept. */
	assert_in_range(r.ok[LOAD_BRIEF], 30, r.took_ms / 10 + 2);
	assert_in_range(r.ok[LOAD_KEPT], 30, r.took_ms / 10 + 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_closes),
		cmocka_unit_test(test_stalls),
		cmocka_unit_test(test_garbles),
		cmocka_unit_test(test_crosses),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_reset_found_by_writing),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_complaint),
		cmocka_unit_test(test_complaint_of_gaps),
		cmocka_unit_test(test_hides),
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_kept_and_idle_are_lost),
		cmocka_unit_test(test_nobody_accepts),
		cmocka_unit_test(test_ends_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
