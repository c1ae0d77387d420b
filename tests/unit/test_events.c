/* test_events.c - events, start and stop, targets and addresses of a
 * middleware, and whose context may be touched when. */
#include <sys/socket.h>

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

static char noted[512];

static void
note(const char *what)
{
	strncat(noted, what, sizeof(noted) - strlen(noted) - 1);
}

static int
start(void **state)
{
	noted[0] = '\0';
	return pair_start(state);
}

/* ---- events -------------------------------------------------------------- */

static struct weir_verdict
teller_signal(struct weir_call *c, const char *event)
{
	(void)c;
	note(event);
	note(" ");
	if (strcmp(event, "bad") == 0)
		return weir_close(WEIR_R_KILLED);
	return weir_pass(0);
}

static struct weir_verdict
teller_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_signal(c, in.p[0] == 'b' ? "bad" : "own");
	return weir_pass(in.len);
}

static const struct weir_middleware mw_teller = {
	.name = "teller", .up = teller_up, .signal = teller_signal
};

static void
test_events_reach_every_channel(void **state)
{
	int client2, server2;

	(void)state;
	rig_add(&rig, &mw_teller, NULL);
	pair_join();
	rig_join(&rig, listener, &client2, &server2);
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	rig_quiet(&rig);
	assert_string_equal(noted, "own own ");
	engine_signal(&rig.engine, "drain");
	rig_quiet(&rig);
	assert_string_equal(noted, "own own drain drain ");
	rig_say(client2, "b");
	rig_until(&rig, rig_ends.n == 2);
	assert_int_equal(rig_ends.reason, WEIR_R_KILLED);
	rig_close(&client2);
	rig_close(&server2);
}

static const struct weir_middleware mw_hearer = { .name = "hearer",
	.signal = teller_signal };

/* Of both in one turn, the bytes would go past who would have closed. */
static void
test_an_event_goes_before_bytes(void **state)
{
	char byte;

	(void)state;
	rig_add(&rig, &mw_hearer, NULL);
	pair_join();
	rig_say(client, "x");
	engine_signal(&rig.engine, "bad");
	rig_until(&rig, rig_ends.n == 1);
	assert_true(recv(server, &byte, 1, MSG_DONTWAIT) <= 0);
}

static void
test_stop_is_an_event(void **state)
{
	(void)state;
	rig_add(&rig, &mw_teller, NULL);
	pair_join();
	engine_stop(&rig.engine);
	rig_turn(&rig);
	assert_string_equal(noted, "stop ");
	assert_int_equal(rig_ends.reason, WEIR_R_STOPPED);
}

/* Too many at once: the last ones are told, and that some were lost. */
static void
test_events_that_are_lost_are_told(void **state)
{
	int i;

	(void)state;
	rig_add(&rig, &mw_teller, NULL);
	pair_join();
	for (i = 0; i < 2 * ENGINE_EVENTS_KEPT; i++)
		engine_signal(&rig.engine, "e");
	rig_quiet(&rig);
	assert_int_equal(strlen(noted), 2 * ENGINE_EVENTS_KEPT);
	assert_true(rig_logged(&rig, "16 events were lost"));
}

/* ---- start and stop ------------------------------------------------------ */

static int
starter_start(struct weir_instance *in)
{
	unsigned *n = in->state;

	note("start:");
	note(in->server);
	note(" ");
	if (in->conf != NULL) {
		errno = ENXIO;
		return -1;
	}
	*n = 1;
	return 0;
}

static void
starter_stop(struct weir_instance *in)
{
	note(*(unsigned *)in->state == 3 ? "stop3 " : "stop ");
}

static struct weir_verdict
starter_open(struct weir_call *c)
{
	++*(unsigned *)c->state;
	return weir_pass(0);
}

static const struct weir_middleware mw_starter = { .name = "starter",
	.state_size = sizeof(unsigned),
	.start = starter_start,
	.stop = starter_stop,
	.open = starter_open };

static void
test_a_state_for_each_worker(void **state)
{
	int client2, server2;

	start(state);
	rig_add(&rig, &mw_starter, NULL);
	pair_join();
	rig_join(&rig, listener, &client2, &server2);
	rig_close(&client2);
	rig_close(&server2);
	assert_string_equal(noted, "start:rig ");
	pair_stop(state);
	assert_string_equal(noted, "start:rig stop3 ");
}

static void
test_a_start_that_fails(void **state)
{
	struct conf_stage stages[] = { { .mw = &mw_starter, .name = "a" },
		{ .mw = &mw_starter, .name = "b", .conf = "fail" },
		{ .mw = &mw_starter, .name = "c" } };
	struct conf_server server_conf = { .name = "s",
		.stages = { 3, stages } };
	struct engine e;

	(void)state;
	rig_start(&rig);
	assert_int_equal(engine_init(&e, &rig.loop, &server_conf), -1);
	assert_int_equal(errno, ENXIO);
	assert_string_equal(noted, "start:s start:s stop ");
	assert_true(rig_logged(&rig, "s/b: cannot start: "));
}

/* ---- targets ------------------------------------------------------------- */

static struct weir_verdict
censor_target(struct weir_call *c, const struct weir_addr *to)
{
	const in_port_t *forbidden = c->conf;
	char text[WEIR_ADDR_TEXT];

	note(weir_addr_text(to, text));
	note(" ");
	weir_why(c, "target is forbidden");
	return to->in.sin_port == *forbidden ? weir_close(WEIR_R_DENIED)
					     : weir_pass(0);
}

static const struct weir_middleware mw_censor = { .name = "censor",
	.target = censor_target };

static void
test_every_address_is_asked_for(void **state)
{
	static const in_port_t none = 0;
	char want[2 * WEIR_ADDR_TEXT], text[WEIR_ADDR_TEXT];
	struct weir_addr refusing;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = dial.to[0];
	dial.to[0] = refusing;
	dial.n = 2;
	rig_add(&rig, &mw_censor, &none);
	pair_join();
	snprintf(want, sizeof(want), "%s ", weir_addr_text(&refusing, text));
	assert_int_equal(strncmp(noted, want, strlen(want)), 0);
	snprintf(want, sizeof(want), "%s ", weir_addr_text(&dial.to[1], text));
	assert_string_equal(strchr(noted, ' ') + 1, want);
}

static void
test_an_address_is_refused(void **state)
{
	(void)state;
	rig_add(&rig, &mw_censor, &dial.to[0].in.sin_port);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_string_equal(rig_ends.facts.detail, "target is forbidden");
}

/* ---- addresses ----------------------------------------------------------- */

static struct weir_verdict
look_up(struct weir_call *c, struct weir_bytes in)
{
	struct weir_addr a[4], none;

	weir_peer(c, WEIR_FRONTEND, &a[0]);
	weir_local(c, WEIR_FRONTEND, &a[1]);
	weir_peer(c, WEIR_BACKEND, &a[2]);
	weir_local(c, WEIR_BACKEND, &a[3]);
	weir_peer(c, WEIR_SELF, &none);
	assert_int_equal(none.len, 0);
	weir_local(c, WEIR_SELF, &none);
	assert_int_equal(none.len, 0);
	note(a[1].in.sin_port == rig.listen.address.in.sin_port ? "l" : "-");
	note(a[2].in.sin_port == dial.to[0].in.sin_port ? "b" : "-");
	note(a[0].in.sin_port != 0 && a[3].in.sin_port != 0 &&
				a[0].in.sin_port != a[3].in.sin_port
			? "+"
			: "-");
	return weir_pass(in.len);
}

static void
test_all_four_addresses(void **state)
{
	static const struct weir_middleware mw = { .name = "look",
		.up = look_up };

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	assert_string_equal(noted, "lb+");
}

/* ---- contexts ------------------------------------------------------------ */

#ifdef WEIR_DEBUG
#include <sanitizer/asan_interface.h>

static struct weir_verdict
peep_up(struct weir_call *c, struct weir_bytes in)
{
	const uint8_t *mine = c->ctx;

	note(__asan_address_is_poisoned(mine) ? "own " : "");
	note(__asan_address_is_poisoned(mine + 8) ? "" : "end ");
	note(__asan_address_is_poisoned(
		     c->ch->ctx + (mine == c->ch->ctx ? 16 : 0))
			? "ok "
			: "other ");
	return weir_pass(in.len);
}

static void
test_contexts_of_others_are_poisoned(void **state)
{
	static const struct weir_middleware mw = {
		.name = "peep", .ctx_size = 8, .up = peep_up
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	assert_string_equal(noted, "ok ok ");
	assert_true(__asan_address_is_poisoned(rig_channel(&rig)->ctx));
}
#endif

#define event_test(name) cmocka_unit_test_setup_teardown(name, start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		event_test(test_events_reach_every_channel),
		event_test(test_an_event_goes_before_bytes),
		event_test(test_stop_is_an_event),
		event_test(test_events_that_are_lost_are_told),
		cmocka_unit_test(test_a_state_for_each_worker),
		event_test(test_a_start_that_fails),
		event_test(test_every_address_is_asked_for),
		event_test(test_an_address_is_refused),
		event_test(test_all_four_addresses),
#ifdef WEIR_DEBUG
		event_test(test_contexts_of_others_are_poisoned),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
