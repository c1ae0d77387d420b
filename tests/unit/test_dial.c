/* test_dial.c - every way in which a connect can fail at once, alone and as the
 * first of two; and tries that never end. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/pair.h"

#define NOBODY 65534 /* anybody but root */

/* Where it connects, one after the other. */
static struct
try {
	struct weir_addr to, source;
}
tries[2];
static unsigned n_tries, tried;
static int failed[2]; /* as it was told */

static char dir[32];
static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static int bound, queued;
static bool is_forbidden;

static void
try_next(struct weir_call *c)
{
	struct try *t = &tries[tried++];

	weir_connect(c, &t->to, &(struct weir_dial){ .source = &t->source });
}

static void
try_connected(struct weir_call *c, int err)
{
	if (err == 0)
		return;
	failed[tried - 1] = err;
	if (tried < n_tries)
		try_next(c);
}

static const struct weir_middleware mw_try = {
	.name = "try", .route = try_next, .connected = try_connected
};

static int
start(void **state)
{
	memset(tries, 0, sizeof(tries));
	failed[0] = failed[1] = 0;
	tried = 0;
	n_tries = 1;
	bound = queued = -1;
	is_forbidden = false;
	pair_start(state);
	tries[0].to = tries[1].to = dial.to[0];
	snprintf(dir, sizeof(dir),
		"/tmp/dial.XXXX"
		"XX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int
stop(void **state)
{
	pair_stop(state);
	rig_close(&bound);
	rig_close(&queued);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* ---- addresses ----------------------------------------------------------- */

static void
unix_path(void)
{
	tries[0].to = (struct weir_addr){ .len = sizeof(tries[0].to.un) };
	tries[0].to.un.sun_family = AF_UNIX;
	memcpy(tries[0].to.un.sun_path, path, sizeof(path));
}

static void
unix_listen(int backlog)
{
	unix_path();
	bound = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(bound, -1);
	assert_int_equal(bind(bound, &tries[0].to.sa, tries[0].to.len), 0);
	assert_int_equal(listen(bound, backlog), 0);
}

/* A listener that is gone leaves its path. */
static void
unix_left(void)
{
	unix_listen(1);
	rig_close(&bound);
}

static void
unix_forbidden(void)
{
	unix_listen(1);
	assert_int_equal(chmod(path, 0), 0);
	is_forbidden = true;
}

static void
unix_full(void)
{
	unix_listen(0);
	queued = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(queued, -1);
	assert_int_equal(connect(queued, &tries[0].to.sa, tries[0].to.len), 0);
}

static void
refused(void)
{
	rig_refusing(&tries[0].to);
}

/* TCP has no broadcast. */
static void
unreachable(void)
{
	tries[0].to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK | 0xffffff);
}

static void
from_elsewhere(void)
{
	tries[0].source.len = sizeof(tries[0].source.in);
	tries[0].source.in.sin_family = AF_INET;
	tries[0].source.in.sin_addr.s_addr = htonl(0xc0000201); /* RFC 5737 */
}

/* Its own end: a port on the same address cannot be had twice. */
static void
from_a_taken_port(void)
{
	tries[0].source = tries[0].to;
}

static void
no_address(void)
{
	tries[0].to = (struct weir_addr){ 0 };
}

static const struct way {
	const char *word;
	void (*make)(void);
	int err;
} ways[] = {
	{ "refused", refused, ECONNREFUSED },
	{ "unreachable", unreachable, ENETUNREACH },
	{ "a source that is not ours", from_elsewhere, EADDRNOTAVAIL },
	{ "a source that is taken", from_a_taken_port, EADDRINUSE },
	{ "no address", no_address, EAFNOSUPPORT },
	{ "no such path", unix_path, ENOENT },
	{ "a path without a listener", unix_left, ECONNREFUSED },
	{ "a path that is forbidden", unix_forbidden, EACCES },
	{ "a path whose queue is full", unix_full, EAGAIN },
};

/* Opens a channel; as somebody whom modes of files concern, if need be. */
static void
try_start(void)
{
	bool root = is_forbidden && geteuid() == 0;

	rig_add(&rig, &mw_try, NULL);
	rig_start(&rig);
	if (root)
		assert_int_equal(seteuid(NOBODY), 0);
	client = rig_client(&rig);
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void
each_way(void **state, unsigned n, void (*then)(const struct way *))
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		start(state);
		n_tries = n;
		ways[i].make();
		try_start();
		then(&ways[i]);
		if (failed[0] != ways[i].err)
			fail_msg("%s: told of %s", ways[i].word,
				strerror(failed[0]));
		assert_int_equal(failed[1], 0);
		stop(state);
	}
}

/* ---- alone, and as the first of two -------------------------------------- */

static void
it_ends(const struct way *way)
{
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_BACKEND);
	assert_int_equal(rig_ends.facts.err, way->err);
}

static void
test_alone(void **state)
{
	each_way(state, 1, it_ends);
}

static void
the_next_one_works(const struct way *way)
{
	(void)way;
	server = rig_take(&rig, listener);
	rig_say(client, "bytes");
	rig_hear(&rig, server, "bytes");
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	rig_hear_nothing(&rig, server);
	assert_int_equal(rig_ends.n, 0);
}

static void
test_first_of_two(void **state)
{
	each_way(state, 2, the_next_one_works);
}

/* ---- without end --------------------------------------------------------- */

#define TRIES_MOST 1000

static struct weir_addr nowhere;
static unsigned again;

static void
again_route(struct weir_call *c)
{
	weir_connect(c, &nowhere, NULL);
}

static void
again_connected(struct weir_call *c, int err)
{
	(void)err;
	if (again++ < TRIES_MOST)
		weir_connect(c, &nowhere, NULL);
}

static const struct weir_middleware mw_again = {
	.name = "again", .route = again_route, .connected = again_connected
};

/* Who is refused again and again does not keep the others from their turn, not
 * even those who wait for nothing. */
static void
test_refusals_leave_the_turn(void **state)
{
	(void)state;
	rig_refusing(&nowhere);
	again = 0;
	rig_add(&rig, &mw_again, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	channel_queue(rig_channel(&rig));
	rig_turn(&rig);
	assert_in_range(again, 1, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_first_of_two),
		cmocka_unit_test_setup_teardown(
			test_refusals_leave_the_turn, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
