/* test_late.c - middlewares that take part when their condition is true, as it
 * is known when a channel opens, or when client bytes have been seen. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "lib/pair.h"
#include "registry.h"

#define HEAD "servers = ( { middlewares = (\n"
#define TAIL " ); } );"

static char noted[256];
static struct weir_ticket ticket;
static struct conf *conf;

static void
note(const struct weir_call *c, const char *what)
{
	size_t len = strlen(noted);

	snprintf(noted + len, sizeof(noted) - len, "%s.%s ",
		c->ch->engine->chain.stages[c->stage].name, what);
}

/* ---- name: the first word of a client names it --------------------------- */

static struct weir_verdict
name_up(struct weir_call *c, struct weir_bytes in)
{
	char *name = c->ctx;

	if (name[0] != '\0')
		return weir_detach();
	if (in.len < 2)
		return in.eof ? weir_pass(in.len) : weir_need(2);
	memcpy(name, in.p, 2);
	return weir_drop(2);
}

static void
name_get(const struct weir_call *c, struct weir_value *v)
{
	const char *name = c->ctx;

	if (name[0] == '\0')
		return;
	v->type = WEIR_VALUE_TEXT;
	v->text = name;
	v->len = 2;
}

static const struct weir_variable name_variables[] = {
	{ .name = "of",
		.type = WEIR_VALUE_TEXT,
		.since = WEIR_AT_ROUTE,
		.help = "The name.",
		.get = name_get },
	{ .name = NULL },
};

static const struct weir_middleware mw_name = { .name = "name",
	.help = "Named by the first two bytes.",
	.flags = WEIR_PREREAD,
	.ctx_size = 3,
	.variables = name_variables,
	.up = name_up };

/* ---- pick: the same, and connects at once -------------------------------- */

static struct weir_verdict
pick_up(struct weir_call *c, struct weir_bytes in)
{
	struct weir_verdict v = name_up(c, in);

	if (v.kind == WEIR_V_DROP)
		weir_connect(c, &dial.to[0], NULL);
	return v;
}

static const struct weir_middleware mw_pick = { .name = "pick",
	.help = "Named by the first two bytes; connects.",
	.flags = WEIR_PREREAD,
	.ctx_size = 3,
	.variables = name_variables,
	.up = pick_up };

/* ---- tell: notes every callback ------------------------------------------ */

static struct weir_verdict
tell_open(struct weir_call *c)
{
	note(c, "open");
	return weir_pass(0);
}

static struct weir_verdict
tell_up(struct weir_call *c, struct weir_bytes in)
{
	note(c, "up");
	return weir_pass(in.len);
}

static struct weir_verdict
tell_down(struct weir_call *c, struct weir_bytes in)
{
	note(c, "down");
	return weir_pass(in.len);
}

static void
tell_route(struct weir_call *c)
{
	note(c, "route");
}

static struct weir_verdict
tell_target(struct weir_call *c, const struct weir_addr *to)
{
	(void)to;
	note(c, "target");
	return weir_pass(0);
}

static void
tell_connected(struct weir_call *c, int err)
{
	(void)err;
	note(c, "connected");
}

static struct weir_verdict
tell_signal(struct weir_call *c, const char *event)
{
	note(c, event);
	return weir_pass(0);
}

static struct weir_verdict
tell_close(struct weir_call *c, enum weir_reason reason)
{
	(void)reason;
	note(c, "close");
	return weir_pass(0);
}

static const struct weir_middleware mw_tell = { .name = "tell",
	.help = "Notes every callback.",
	.open = tell_open,
	.up = tell_up,
	.down = tell_down,
	.route = tell_route,
	.target = tell_target,
	.connected = tell_connected,
	.signal = tell_signal,
	.close = tell_close };

/* ---- ask: its open waits once -------------------------------------------- */

static struct weir_verdict
ask_open(struct weir_call *c)
{
	bool *asked = c->ctx;

	note(c, "open");
	if (*asked)
		return c->result == 0 ? weir_pass(0)
				      : weir_close(WEIR_R_DENIED);
	*asked = true;
	ticket = weir_ticket(c);
	return weir_wait(0);
}

static const struct weir_middleware mw_ask = { .name = "ask",
	.help = "Waits in open.",
	.ctx_size = sizeof(bool),
	.open = ask_open };

/* ---- refuse, and race: what their names say ------------------------------ */

static struct weir_verdict
refuse_open(struct weir_call *c)
{
	(void)c;
	return weir_close(WEIR_R_DENIED);
}

static const struct weir_middleware mw_refuse = {
	.name = "refuse", .help = "Refuses.", .open = refuse_open
};

static struct weir_verdict
racer_open(struct weir_call *c)
{
	weir_timer(c, 300);
	return weir_pass(0);
}

static struct weir_verdict
racer_timer(struct weir_call *c)
{
	weir_connect(c, &dial.to[0], NULL);
	return weir_pass(0);
}

static const struct weir_middleware mw_racer = { .name = "racer",
	.help = "Races.",
	.open = racer_open,
	.timer = racer_timer };

const struct weir_extension *const registry_extensions[] = { NULL };

const struct weir_middleware *const registry_middlewares[] = { &mw_name,
	&mw_tell, &mw_ask, &mw_pick, &mw_refuse, &mw_racer, NULL };

const struct weir_middleware *
registry_find(const char *name)
{
	const struct weir_middleware *const *mw = registry_middlewares;

	while (*mw != NULL && strcmp((*mw)->name, name) != 0)
		mw++;
	return *mw;
}

bool
registry_left_out(const char *name)
{
	(void)name;
	return false;
}

/* ---- tests --------------------------------------------------------------- */

static int
start(void **state)
{
	noted[0] = '\0';
	conf = NULL;
	return pair_start(state);
}

static int
stop(void **state)
{
	pair_stop(state);
	conf_free(conf);
	return 0;
}

/* The middlewares of a server as in a file. */
static void
chain(const char *text)
{
	const struct conf_server *server_conf;
	size_t i;

	conf = conf_parse("t.conf", text, strlen(text), NULL, stderr);
	assert_non_null(conf);
	server_conf = conf_server_at(conf, 0);
	for (i = 0; i < server_conf->stages.n; i++) {
		const struct conf_stage *st = conf_stage_at(server_conf, i);

		rig_add(&rig, st->mw, st->conf);
		rig.stages[i] = *st;
	}
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
}

static void
test_known_at_once(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"tell\"; name = \"yes\"; "
		   "when = \"client.ip == 127.0.0.1\"; },"
		   "{ type = \"tell\"; name = \"no\"; "
		   "when = \"client.ip in 10.0.0.0/8\"; }" TAIL);
	rig_say(client, "a");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "a");
	rig_say(server, "b");
	rig_hear(&rig, client, "b");
	engine_signal(&rig.engine, "event");
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(noted,
		"yes.open yes.route yes.target yes.connected yes.up yes.down "
		"yes.event yes.close ");
}

/* Nothing of it is called before its condition can be known, and then all. */
static void
test_known_at_the_route(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"name\"; }, { type = \"tell\"; name = \"yes\"; "
		   "when = \"name.of == 'ab'\"; },"
		   "{ type = \"tell\"; name = \"no\"; "
		   "when = \"name.of != 'ab'\"; }" TAIL);
	rig_quiet(&rig);
	engine_signal(&rig.engine, "early");
	rig_say(client, "a");
	rig_quiet(&rig);
	assert_string_equal(noted, "");
	rig_say(client, "bcd");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "cd");
	assert_string_equal(
		noted, "yes.open yes.route yes.target yes.connected yes.up ");
}

static void
test_bytes_wait_for_a_late_open(void **state)
{
	(void)state;
	rig.server.dumb_connect_timeout_ms = 1000;
	chain(HEAD "{ type = \"name\"; }, { type = \"ask\"; "
		   "when = \"name.of == 'ab'\"; },"
		   "{ type = \"tell\"; when = \"name.of == 'ab'\"; }" TAIL);
	rig_say(client, "abcd");
	rig_quiet(&rig);
	rig_say(client, "ef");
	rig_quiet(&rig);
	assert_string_equal(noted, "ask.open ");
	rig_advance(&rig, 2000); /* it is not the client that is silent */
	weir_wake(ticket, 0);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "cdef");
	assert_int_equal(strncmp(noted,
				 "ask.open ask.open tell.open tell.route "
				 "tell.target ",
				 50),
		0);
}

static void
test_a_late_open_refuses(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"name\"; }, { type = \"ask\"; "
		   "when = \"name.of == 'ab'\"; },"
		   "{ type = \"tell\"; when = \"name.of == 'ab'\"; }" TAIL);
	rig_say(client, "abcd");
	rig_quiet(&rig);
	weir_wake(ticket, -1);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_string_equal(noted, "ask.open ask.open ");
}

/* What a middleware says of another one that its condition left out. */
static void
test_a_prereader_that_is_left_out(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"name\"; when = \"client.port == 1\"; },"
		   "{ type = \"tell\"; when = \"name.of == 'ab'\"; }" TAIL);
	server = rig_take(&rig, listener);
	rig_say(client, "ab");
	rig_hear(&rig, server, "ab");
	assert_string_equal(noted, "");
}

/* A backend that is chosen while bytes are shown waits for their opens, too. */
static void
test_chosen_by_the_bytes(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"pick\"; }, { type = \"ask\"; "
		   "when = \"pick.of == 'ab'\"; }, { type = \"tell\"; "
		   "when = \"pick.of == 'ab'\"; }, { type = \"tell\"; "
		   "name = \"no\"; when = \"pick.of == 'xy'\"; }" TAIL);
	rig_say(client, "abcd");
	rig_quiet(&rig);
	assert_string_equal(noted, "ask.open ");
	weir_wake(ticket, 0);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "cd");
	assert_int_equal(
		strncmp(noted, "ask.open ask.open tell.open tell.target ", 40),
		0);
	assert_null(strstr(noted, "no."));
}

static void
test_chosen_and_refused(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"pick\"; }, { type = \"refuse\"; "
		   "when = \"pick.of == 'ab'\"; }" TAIL);
	rig_say(client, "abcd");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	rig_hear_nothing(&rig, listener);
}

/* Who is left out is not told of the end either, though he was never asked. */
static void
test_refused_before_it_was_asked(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"refuse\"; }, { type = \"tell\"; "
		   "when = \"client.ip in 10.0.0.0/8\"; }" TAIL);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(noted, "");
}

/* In a race nobody is asked of whom nothing is known; when it is won, all are.
 */
static void
test_a_race_asks_when_it_is_won(void **state)
{
	(void)state;
	chain(HEAD "{ type = \"name\"; }, { type = \"tell\"; "
		   "when = \"not name.of == 'ab'\"; }, "
		   "{ type = \"racer\"; }" TAIL);
	rig_quiet(&rig);
	rig_advance(&rig, 300);
	server = rig_take(&rig, listener);
	assert_string_equal(noted, "");
	rig_say(server, "220");
	rig_hear(&rig, client, "220");
	assert_string_equal(
		noted, "tell.open tell.target tell.connected tell.down ");
}

static void
test_a_race_that_waits_for_an_open(void **state)
{
	(void)state;
	rig.server.connect_timeout_ms = 2000;
	chain(HEAD "{ type = \"name\"; }, { type = \"ask\"; "
		   "when = \"not name.of == 'ab'\"; }, "
		   "{ type = \"racer\"; }" TAIL);
	rig_quiet(&rig);
	rig_advance(&rig, 300);
	server = rig_take(&rig, listener);
	rig_say(server, "220");
	rig_quiet(&rig);
	assert_string_equal(noted, "ask.open ");
	rig_advance(&rig, 2500);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_RACE);
	weir_wake(ticket, 0);
	rig_hear(&rig, client, "220");
}

#define late_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		late_test(test_known_at_once),
		late_test(test_known_at_the_route),
		late_test(test_bytes_wait_for_a_late_open),
		late_test(test_a_late_open_refuses),
		late_test(test_a_prereader_that_is_left_out),
		late_test(test_chosen_by_the_bytes),
		late_test(test_chosen_and_refused),
		late_test(test_refused_before_it_was_asked),
		late_test(test_a_race_asks_when_it_is_won),
		late_test(test_a_race_that_waits_for_an_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
