/* test_engine.c - whatever comes is taken, and every channel is closed once. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/alloc.h"
#include "lib/chance.h"
#include "lib/rig.h"

#define ROUNDS 3000

static struct rig rig;

static void
test_without_middlewares_it_reads_and_drops(void **state)
{
	int client;

	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "into the void");
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->flows[WEIR_UP].out_bytes, 13);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	rig_close(&client);
	rig_stop(&rig);
}

static void
test_a_socket_without_channel_is_closed(void **state)
{
	struct weir_addr peer = { .len = sizeof(sa_family_t),
		.sa.sa_family = AF_UNIX };
	int pair[2];
	char c;

	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	alloc_fail_at(1);
	engine_accept(&rig.engine, pair[0], &peer, 0);
	assert_true(alloc_failed());
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	assert_int_equal(recv(pair[1], &c, 1, 0), 0);
	assert_int_equal(rig.loop.channels, 0);
	assert_true(rig_logged(&rig, "cannot open a channel"));
	rig_close(&pair[1]);
	rig_stop(&rig);
}

/* ---- who goes first --------------------------------------------------------
 */

/* Clients, in the order in which their channels were opened. */
enum { QUIET_LATER, BUSY_OLD, QUIET_LONG, BUSY_NEW, NEW, CLIENTS };

static bool told[CLIENTS];

static struct weir_verdict
told_up(struct weir_call *c, struct weir_bytes in)
{
	int *who = c->ctx;

	if (in.len > 0)
		*who = in.p[0] - '0';
	return weir_pass(in.len);
}

static struct weir_verdict
told_signal(struct weir_call *c, const char *event)
{
	const int *who = c->ctx;

	assert_string_equal(event, "stop");
	told[*who] = true;
	return weir_pass(0);
}

static const struct weir_middleware mw_told = {
	.name = "told",
	.ctx_size = sizeof(int),
	.up = told_up,
	.signal = told_signal,
};

static void
say_who(int fd, int who)
{
	char text[] = { (char)('0' + who), '\0' };

	rig_say(fd, text);
	rig_quiet(&rig);
}

/* Sheds n: those of who, ended by CLIENTS, are reset, and the others not. */
static void
shed(int *clients, size_t n, const int *who)
{
	int i;

	engine_shed(&rig.engine, n);
	rig_quiet(&rig);
	for (; *who != CLIENTS; who++) {
		assert_true(told[*who]);
		rig_hear_reset(&rig, clients[*who]);
		rig_close(&clients[*who]);
	}
	for (i = 0; i < CLIENTS; i++)
		if (clients[i] != -1) {
			assert_false(told[i]);
			rig_hear_nothing(&rig, clients[i]);
		}
}

static void
test_the_silent_and_the_old_are_shed_first(void **state)
{
	static const int none[] = { CLIENTS },
			 longest[] = { QUIET_LONG, CLIENTS },
			 two[] = { QUIET_LATER, BUSY_OLD, CLIENTS },
			 rest[] = { BUSY_NEW, NEW, CLIENTS };
	int clients[CLIENTS], i;

	(void)state;
	rig_init(&rig);
	rig_add(&rig, &mw_told, NULL);
	rig_start(&rig);
	for (i = 0; i < NEW; i++) {
		clients[i] = rig_client(&rig);
		say_who(clients[i], i);
		rig_advance(&rig, 10);
	}
	rig_advance(&rig, ENGINE_SILENT_MS);
	say_who(clients[QUIET_LATER], QUIET_LATER);
	rig_advance(&rig, ENGINE_SILENT_MS);
	clients[NEW] = rig_client(&rig);
	say_who(clients[NEW], NEW);
	rig_advance(&rig, 1);
	/* Who has said something last is not who goes last. */
	say_who(clients[BUSY_NEW], BUSY_NEW);
	rig_advance(&rig, 1);
	say_who(clients[BUSY_OLD], BUSY_OLD);
	shed(clients, 0, none);
	shed(clients, 1, longest);
	shed(clients, 2, two);
	shed(clients, 10, rest);
	assert_int_equal(rig.loop.channels, 0);
	engine_shed(&rig.engine, 1);
	rig_stop(&rig);
}

/* ---- a middleware that does anything at any time ------------------------- */

static struct weir_addr targets[2];

static void
hostile_verbs(struct weir_call *c)
{
	unsigned what = chance(40);

	if (what < 6)
		weir_emit(c, what % 2 ? WEIR_UP : WEIR_DOWN, "emitted", what);
	else if (what == 6)
		weir_connect(c, &targets[chance(2)], NULL);
	else if (what == 7)
		weir_serve(c);
}

static struct weir_verdict
hostile(struct weir_call *c, size_t len)
{
	hostile_verbs(c);
	switch (chance(60)) {
	case 0:
		return weir_pass(len + 1);
	case 1:
		return weir_drop(0);
	case 2:
		return weir_detach();
	case 3:
		return weir_close((enum weir_reason)chance(20));
	case 4:
		return (struct weir_verdict){ .kind = (uint8_t)chance(256),
			.reason = (uint8_t)chance(256),
			.n = chance(20) };
	default:
		return chance(2) ? weir_pass(len) : weir_drop(len);
	}
}

static struct weir_verdict
hostile_bytes(struct weir_call *c, struct weir_bytes in)
{
	return hostile(c, in.len > 0 && chance(2) ? 1 + chance((unsigned)in.len)
						  : in.len);
}

static struct weir_verdict
hostile_open(struct weir_call *c)
{
	return chance(8) ? weir_pass(0) : hostile(c, 0);
}

static void
hostile_connected(struct weir_call *c, int err)
{
	(void)err;
	hostile_verbs(c);
}

static struct weir_verdict
hostile_close(struct weir_call *c, enum weir_reason reason)
{
	assert_true(reason > WEIR_R_NONE && reason < WEIR_R_COUNT);
	hostile_verbs(c);
	return weir_pass(0);
}

static const struct weir_middleware mw_hostile = { .name = "hostile",
	.open = hostile_open,
	.up = hostile_bytes,
	.down = hostile_bytes,
	.route = hostile_verbs,
	.connected = hostile_connected,
	.close = hostile_close };
static const struct weir_middleware mw_hostile_preread = { .name = "hostile",
	.flags = WEIR_PREREAD,
	.up = hostile_bytes,
	.route = hostile_verbs };

static void
far_end_acts(int *fd)
{
	char p[512];

	if (*fd == -1)
		return;
	switch (chance(12)) {
	case 0:
		shutdown(*fd, SHUT_WR);
		break;
	case 1:
		rig_reset(fd);
		break;
	case 2:
		rig_close(fd);
		break;
	default:
		(void)!send(*fd, "bytes that mean nothing", 1 + chance(20),
			MSG_NOSIGNAL);
		(void)!rig_read(*fd, p, sizeof(p));
	}
}

static void
test_hostile_middlewares_hurt_themselves_only(void **state)
{
	struct rig_dial dial = { .n = 2 };
	int listener = rig_backend(&targets[0]), client, server, i, k;

	(void)state;
	rig_refusing(&targets[1]);
	dial.to[0] = targets[1];
	dial.to[1] = targets[0];
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	rig_init(&rig);
	rig.alerts_wanted = true;
	rig.server.hold_max = 20;
	rig.server.idle_timeout_ms = rig.server.connect_timeout_ms = 3000;
	rig.server.dumb_connect_timeout_ms = 3000;
	rig_add(&rig, &mw_hostile, NULL);
	rig_add(&rig, &mw_hostile_preread, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_add(&rig, &mw_hostile, NULL);
	rig_start(&rig);
	for (i = 0; i < ROUNDS; i++) {
		client = rig_client(&rig);
		server = -1;
		for (k = 0; k < 8; k++) {
			far_end_acts(&client);
			rig_turn(&rig);
			if (server == -1)
				server = accept4(listener, NULL, NULL,
					SOCK_NONBLOCK | SOCK_CLOEXEC);
			far_end_acts(&server);
		}
		rig_close(&client);
		rig_close(&server);
		if (chance(50) == 0)
			rig_advance(&rig, 1000);
	}
	rig_quiet(&rig);
	rig_advance(&rig, 10000);
	rig_advance(&rig, 10000);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 0);
	rig_close(&listener);
	rig.fds--; /* the listener was there before */
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_middlewares_it_reads_and_drops),
		cmocka_unit_test(test_a_socket_without_channel_is_closed),
		cmocka_unit_test(test_the_silent_and_the_old_are_shed_first),
		cmocka_unit_test(test_hostile_middlewares_hurt_themselves_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
