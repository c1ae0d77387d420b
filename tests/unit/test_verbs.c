/* test_verbs.c - verbs take effect after the callback, and misuse ends one
 * channel, not its neighbours. */
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

#include "base/clock.h"
#include "lib/pair.h"

/* ---- breaches ------------------------------------------------------------ */

/* Each breaks its contract when it is shown a '!'. */
static struct weir_call kept;

#define BREACH(who, wrong)                                                     \
	static struct weir_verdict who(                                        \
		struct weir_call *c, struct weir_bytes in)                     \
	{                                                                      \
		if (in.len == 0 || in.p[0] != '!') {                           \
			kept = *c;                                             \
			return weir_pass(in.len);                              \
		}                                                              \
		wrong;                                                         \
	}
#define VERDICT(...) ((struct weir_verdict){ __VA_ARGS__ })

BREACH(too_many, return weir_pass(in.len + 1))
BREACH(drop_too_many, return weir_drop(in.len + 1))
BREACH(none, return weir_pass(0))
BREACH(drop_none, return weir_drop(0))
BREACH(unknown, return VERDICT(.kind = WEIR_V_COUNT, .n = 1))
BREACH(far_unknown, return VERDICT(.kind = 255, .n = 1))
BREACH(no_reason, return weir_close(WEIR_R_NONE))
BREACH(bad_reason, return weir_close(WEIR_R_COUNT))
BREACH(late_connect, weir_connect(c, &dial.to[0], NULL); return weir_pass(1))
BREACH(late_serve, weir_serve(c); return weir_pass(1))
BREACH(foreign, weir_emit(&kept, WEIR_UP, "x", 1); return weir_pass(1))
BREACH(nowhere, weir_emit(c, (enum weir_dir)2, "x", 1); return weir_pass(1))
BREACH(ends_nowhere, weir_end(c, (enum weir_dir)2); return weir_pass(1))
BREACH(attaches_nowhere, weir_attach(c, (enum weir_dir)2); return weir_pass(1))
BREACH(counts_nothing, weir_count(c, 1, 1); return weir_pass(1))
/* All at once: nothing of it may reach another channel. */
BREACH(everything, weir_emit(c, WEIR_UP, "x", 1);
	weir_emit(c, WEIR_DOWN, "x", 1); weir_connect(c, &dial.to[0], NULL);
	weir_serve(c); return weir_pass(in.len + 1))

static const char *const counted[] = { "one", NULL };
static const struct weir_middleware breaches[] = {
	{ .name = "too_many", .up = too_many },
	{ .name = "too_many", .down = too_many },
	{ .name = "drop_too_many", .up = drop_too_many },
	{ .name = "none", .up = none },
	{ .name = "none", .down = none },
	{ .name = "drop_none", .up = drop_none },
	{ .name = "unknown", .up = unknown },
	{ .name = "far_unknown", .up = far_unknown },
	{ .name = "no_reason", .up = no_reason },
	{ .name = "bad_reason", .down = bad_reason },
	{ .name = "late_connect", .up = late_connect },
	{ .name = "late_connect", .down = late_connect },
	{ .name = "late_serve", .up = late_serve },
	{ .name = "foreign", .up = foreign },
	{ .name = "nowhere", .up = nowhere },
	{ .name = "ends_nowhere", .down = ends_nowhere },
	{ .name = "attaches_nowhere", .up = attaches_nowhere },
	{ .name = "counts_nothing", .up = counts_nothing },
	{ .name = "counts_nothing", .counters = counted, .up = counts_nothing },
	{ .name = "everything", .up = everything },
	{ .name = "everything", .down = everything },
};

/* A neighbour lives on; who broke the contract is reset on both sides. */
static void
breach(const struct weir_middleware *mw)
{
	int clients[2], servers[2];

	rig_init(&rig);
	rig.alerts_wanted = true;
	rig_add(&rig, mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &clients[0], &servers[0]);
	rig_join(&rig, listener, &clients[1], &servers[1]);
	rig_say(clients[0], "fine");
	rig_hear(&rig, servers[0], "fine");
	rig_say(mw->up != NULL ? clients[1] : servers[1], "!");
	rig_hear_reset(&rig, servers[1]);
	rig_hear_reset(&rig, clients[1]);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	assert_string_equal(rig_ends.facts.module, mw->name);
	assert_true(rig_logged(&rig, "broke its contract"));
	assert_false(rig_logged(&rig, "witness"));
	rig_say(clients[0], "still");
	rig_hear(&rig, servers[0], "still");
	rig_say(servers[0], "here");
	rig_hear(&rig, clients[0], "here");
	rig_close(&clients[0]);
	rig_close(&servers[0]);
	rig_close(&clients[1]);
	rig_close(&servers[1]);
	rig_stop(&rig);
}

static void
test_breaches_end_their_channel_alone(void **state)
{
	size_t i;

	(void)state;
	listener = rig_backend(&dial.to[0]);
	dial.n = 1;
	for (i = 0; i < sizeof(breaches) / sizeof(*breaches); i++)
		breach(&breaches[i]);
	rig_close(&listener);
}

static struct weir_verdict
open_drops(struct weir_call *c)
{
	(void)c;
	return weir_drop(1);
}
static const struct weir_middleware mw_open_drops = { .name = "open_drops",
	.open = open_drops };

static void
route_twice(struct weir_call *c)
{
	weir_serve(c);
	weir_connect(c, &dial.to[0], NULL);
}
static const struct weir_middleware mw_route_twice = { .name = "route_twice",
	.route = route_twice };

static void
route_no_more(struct weir_call *c, int err)
{
	(void)err;
	weir_connect(c, &dial.to[0], NULL);
}
static const struct weir_middleware mw_connected_again = { .name = "again",
	.connected = route_no_more };

static unsigned targets;

/* A bound, for without a stop to it this goes on for ever. */
static struct weir_verdict
target_connects(struct weir_call *c, const struct weir_addr *to)
{
	if (targets++ < 10)
		weir_connect(c, to, NULL);
	return weir_pass(0);
}
static const struct weir_middleware mw_target_connects = {
	.name = "target_connects", .target = target_connects
};

static struct weir_verdict
target_says(struct weir_call *c, const struct weir_addr *to)
{
	(void)to;
	weir_serve(c);
	return weir_wait(1);
}
static const struct weir_middleware mw_target_says = { .name = "target_says",
	.target = target_says };

static void
breaches_at_start(const struct weir_middleware *mw)
{
	rig.alerts_wanted = true;
	rig_add(&rig, mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	assert_string_equal(rig_ends.facts.module, mw->name);
	rig_close(&client);
}

static struct weir_verdict
open_passes(struct weir_call *c)
{
	(void)c;
	return weir_pass(1);
}
static const struct weir_middleware mw_open_passes = { .name = "open_passes",
	.open = open_passes };

static struct weir_verdict
open_connects(struct weir_call *c)
{
	weir_connect(c, &dial.to[0], NULL);
	return weir_pass(0);
}
static const struct weir_middleware mw_open_connects = { .name = "connects",
	.open = open_connects };

static void
connect_twice(struct weir_call *c)
{
	weir_connect(c, &dial.to[0], NULL);
	weir_connect(c, &dial.to[0], NULL);
}
static const struct weir_middleware mw_connect_twice = { .name = "twice",
	.route = connect_twice };

static struct weir_verdict
connect_and_need(struct weir_call *c, struct weir_bytes in)
{
	weir_connect(c, &dial.to[0], NULL);
	return in.eof ? weir_detach() : weir_need(in.len + 1);
}
static const struct weir_middleware mw_connect_and_need = {
	.name = "needs", .flags = WEIR_PREREAD, .up = connect_and_need
};

static struct weir_verdict
close_passes(struct weir_call *c, enum weir_reason reason)
{
	(void)c;
	(void)reason;
	return weir_pass(1);
}
static const struct weir_middleware mw_close_passes = { .name = "passes",
	.close = close_passes };

static void
test_what_open_and_route_may_not(void **state)
{
	static const struct weir_middleware *const all[] = { &mw_open_drops,
		&mw_open_passes, &mw_open_connects, &mw_connect_twice,
		&mw_route_twice };
	size_t i;

	for (i = 0; i < 5; i++) {
		breaches_at_start(all[i]);
		pair_stop(state);
		pair_start(state);
	}
	pair_join();
}

static void
test_no_need_after_a_choice(void **state)
{
	(void)state;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw_connect_and_need, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
}

static void
test_close_may_only_pass_none(void **state)
{
	(void)state;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw_close_passes, NULL);
	pair_join();
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_true(rig_logged(&rig, "close wants pass(0) or wait"));
}

static void
test_no_choice_once_connected(void **state)
{
	(void)state;
	breaches_at_start(&mw_connected_again);
}

static void
test_no_choice_inside_a_choice(void **state)
{
	(void)state;
	targets = 0;
	breaches_at_start(&mw_target_connects);
	assert_int_equal(targets, 1);
}

static void
test_two_breaches_are_one(void **state)
{
	char log[4096] = "";
	const char *first;

	(void)state;
	breaches_at_start(&mw_target_says);
	assert_true(pread(rig.log, log, sizeof(log) - 1, 0) > 0);
	first = strstr(log, "[alert]");
	assert_non_null(first);
	assert_null(strstr(first + 1, "[alert]"));
}

/* ---- choosing ------------------------------------------------------------ */

static void
serve(struct weir_call *c)
{
	weir_serve(c);
}
static const struct weir_middleware mw_serve = { .name = "serve",
	.route = serve };

static void
test_first_choice_wins(void **state)
{
	(void)state;
	rig_add(&rig, &mw_serve, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	assert_true(rig_channel(&rig)->served);
	assert_int_equal(rig_channel(&rig)->ends[WEIR_BACKEND].fd, -1);
	rig_close(&client);
}

/* Chooses by the first byte. */
static struct weir_verdict
choose(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_close(WEIR_R_PROTOCOL);
	if (in.p[0] == 'c')
		weir_connect(c, &dial.to[0], NULL);
	else
		weir_serve(c);
	weir_emit(c, WEIR_DOWN, "ok", 2);
	return weir_detach();
}
static const struct weir_middleware mw_choose = {
	.name = "choose", .flags = WEIR_PREREAD, .up = choose
};

static void
test_choice_from_first_bytes(void **state)
{
	(void)state;
	rig_add(&rig, &mw_choose, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_ROUTE);
	rig_say(client, "connect");
	rig_hear(&rig, client, "ok");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "connect");
	rig_close(&server);
	rig_close(&client);
	client = rig_client(&rig);
	rig_say(client, "serve");
	rig_hear(&rig, client, "ok");
	assert_true(rig_channel(&rig)->served);
	rig_close(&client);
}

static void
test_end_instead_of_first_bytes(void **state)
{
	(void)state;
	rig_add(&rig, &mw_choose, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_PROTOCOL);
	rig_close(&client);
}

#define rig_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_breaches_end_their_channel_alone),
		rig_test(test_what_open_and_route_may_not),
		rig_test(test_no_need_after_a_choice),
		rig_test(test_close_may_only_pass_none),
		rig_test(test_no_choice_once_connected),
		rig_test(test_no_choice_inside_a_choice),
		rig_test(test_two_breaches_are_one),
		rig_test(test_first_choice_wins),
		rig_test(test_choice_from_first_bytes),
		rig_test(test_end_instead_of_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
