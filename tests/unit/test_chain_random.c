/* test_chain_random.c - whatever stages do with bytes, none is lost, doubled
 * or overtaken; and when memory fails, only its channel ends. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/alloc.h"
#include "lib/chance.h"
#include "lib/mode.h"
#include "lib/rig.h"

#define STAGES	      4
#define STEPS	      100000
#define TOKEN	      0x80 /* emitted bytes have this bit, and: */
#define TOKEN_STAGE   0x60 /* who emitted it */
#define TOKEN_COUNT   0x1f /* its number */
#define DETACH_ONE_IN 4000

static unsigned steps;

struct ctx {
	uint8_t emitted[2]; /* by direction */
	size_t needs[2];
	bool ended[2];
};

/* Emits now and then in any direction, passes some. */
static struct weir_verdict
stir(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	struct ctx *cx = c->ctx;
	uint8_t token;
	enum weir_dir to = chance(2) ? WEIR_UP : WEIR_DOWN;

	steps++;
	assert_false(cx->ended[dir]);
	assert_true(in.len > 0 || in.eof);
	assert_true(in.len >= cx->needs[dir] || in.eof);
	cx->needs[dir] = 0;
	if (!in.eof && in.len < 64 && chance(8) == 0 &&
		c->ch->engine->server->hold_max >= 128) {
		cx->needs[dir] = in.len + 1 + chance(64);
		return weir_need(cx->needs[dir]);
	}
	if (chance(6) == 0 && !cx->ended[to]) {
		token = (uint8_t)(TOKEN | c->stage << 5 |
				  (cx->emitted[to]++ & TOKEN_COUNT));
		weir_emit(c, to, &token, 1);
	}
	if (!in.eof && chance(DETACH_ONE_IN) == 0)
		return weir_detach();
	if (!in.eof && chance(8) == 0)
		return weir_skip(1 + chance(500));
	if (in.len > 1 && chance(2))
		return weir_pass(1 + chance((unsigned)in.len));
	cx->ended[dir] = in.eof;
	return weir_pass(in.len);
}

static struct weir_verdict
stir_up(struct weir_call *c, struct weir_bytes in)
{
	return stir(c, in, WEIR_UP);
}

static struct weir_verdict
stir_down(struct weir_call *c, struct weir_bytes in)
{
	return stir(c, in, WEIR_DOWN);
}

static const struct weir_middleware mw_stir = { .name = "stir",
	.ctx_size = sizeof(struct ctx),
	.up = stir_up,
	.down = stir_down };

/* One far end: sends a known sequence, checks what comes. */
struct far {
	int fd;
	uint8_t sends, wants; /* next byte of the sequence, below TOKEN */
	uint8_t token[STAGES];
	uint64_t sent, got;
	bool ended;
};

static void
far_send(struct far *f)
{
	uint8_t p[300];
	size_t n = 1 + chance(sizeof(p)), i;
	long done;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)((f->sends + i) % TOKEN);
	done = send(f->fd, p, n, MSG_NOSIGNAL);
	if (done == -1)
		return;
	f->sends = (uint8_t)((f->sends + (size_t)done) % TOKEN);
	f->sent += (uint64_t)done;
}

static void
far_get(struct far *f, size_t most)
{
	uint8_t p[4096];
	long n = rig_read(f->fd, p, most < sizeof(p) ? most : sizeof(p)), i;

	assert_true(n >= 0 || errno == EAGAIN);
	f->ended |= n == 0;
	for (i = 0; i < n; i++) {
		unsigned who = (p[i] & TOKEN_STAGE) >> 5;

		if (p[i] & TOKEN) {
			assert_int_equal(p[i] & TOKEN_COUNT,
				f->token[who] & TOKEN_COUNT);
			f->token[who]++;
			continue;
		}
		assert_int_equal(p[i], f->wants);
		f->wants = (uint8_t)((f->wants + 1) % TOKEN);
		f->got++;
	}
}

static void
stir_channel(struct rig *r, int listener, unsigned until)
{
	struct far client = { 0 }, server = { 0 };
	unsigned closed = rig_ends.n;

	rig_join(r, listener, &client.fd, &server.fd);
	while (steps < until) {
		far_send(chance(2) ? &client : &server);
		if (chance(3) == 0)
			rig_turn(r);
		far_get(chance(2) ? &client : &server, 1 + chance(8192));
	}
	shutdown(client.fd, SHUT_WR);
	rig_quiet(r);
	shutdown(server.fd, SHUT_WR);
	while (!client.ended || !server.ended || rig_ends.n == closed) {
		rig_turn_wait(r);
		far_get(&client, SIZE_MAX);
		far_get(&server, SIZE_MAX);
	}
	assert_int_equal(server.got, client.sent);
	assert_int_equal(client.got, server.sent);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	rig_close(&client.fd);
	rig_close(&server.fd);
}

static void
stir_all(size_t read_max, size_t hold_max)
{
	static struct rig r;
	static struct rig_dial dial;
	unsigned i, channels = 20;
	int listener = rig_backend(&dial.to[0]);

	chance_seed(42);
	steps = 0;
	dial.n = 1;
	rig_init(&r);
	r.server.read_max = read_max;
	r.server.hold_max = hold_max;
	for (i = 0; i < STAGES; i++)
		rig_add(&r, &mw_stir, NULL);
	rig_add(&r, &rig_dial, &dial);
	rig_start(&r);
	for (i = 1; i <= channels; i++)
		stir_channel(&r, listener, STEPS / channels * i);
	assert_true(steps >= STEPS);
	rig_stop(&r);
	rig_close(&listener);
}

static void
test_random_stages(void **state)
{
	(void)state;
	stir_all(65536, 1 << 20);
}

static void
test_random_stages_with_backpressure(void **state)
{
	(void)state;
	stir_all(200, 200);
	stir_all(1000, 0);
}

/* ---- memory -------------------------------------------------------------- */

/* Emits before the backend is there, so that everything must be held. */
static struct weir_verdict
memory_open(struct weir_call *c)
{
	weir_emit(c, WEIR_UP, "open ", 5);
	return weir_pass(0);
}

static struct weir_verdict
memory_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_DOWN, in.p, in.len);
	return weir_pass(in.len > 1 ? 1 : in.len);
}
static const struct weir_middleware mw_memory = { .name = "memory",
	.flags = WEIR_PREREAD,
	.open = memory_open,
	.up = memory_up };

/* A whole life of a channel; false when it did not end well. */
static bool
memory_life(struct rig *r, int listener)
{
	unsigned closed = rig_ends.n, i;
	int client = rig_client(r), server = -1;
	bool well = false;

	(void)!send(client, "abc", 3, MSG_NOSIGNAL);
	(void)!shutdown(client, SHUT_WR);
	for (i = 0; i < RIG_TURNS && rig_ends.n == closed; i++) {
		char p[64];

		rig_turn_wait(r);
		if (r->loop.channels < 2)
			break;
		if (server == -1)
			server = accept4(listener, NULL, NULL,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
		else if (rig_read(server, p, sizeof(p)) == 0)
			shutdown(server, SHUT_WR);
	}
	if (rig_ends.n == closed) {
		r->opened--; /* no channel was made at all */
	} else {
		well = rig_ends.reason == WEIR_R_DONE;
		if (!well)
			assert_true(rig_ends.reason == WEIR_R_NOMEM ||
				    rig_ends.reason == WEIR_R_CONNECT);
	}
	rig_close(&client);
	rig_close(&server);
	while ((server = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
		close(server);
	return well;
}

static void
test_every_allocation_fails_once(void **state)
{
	struct rig r;
	struct rig_dial dial = { .n = 1 };
	int client, server, listener = rig_backend(&dial.to[0]);
	unsigned nth, ended = 0;
	bool failed = true;

	(void)state;
	rig_init(&r);
	r.server.idle_timeout_ms = r.server.connect_timeout_ms = 600000;
	r.server.dumb_connect_timeout_ms = 500000;
	rig_add(&r, &mw_memory, NULL);
	rig_add(&r, &mw_memory, NULL);
	rig_add(&r, &rig_dial, &dial);
	rig_start(&r);
	client = rig_client(&r);
	rig_say(client, "-");
	server = rig_take(&r, listener);
	rig_hear(&r, server, "open open -");
	rig_hear(&r, client, "open pen en n  --");
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	for (nth = 1; failed; nth++) {
		bool well;

		alloc_fail_at(nth);
		well = memory_life(&r, listener);
		failed = alloc_failed();
		assert_true(well || failed);
		ended += !well;
	}
	assert_true(ended > 8);
	rig_say(server, "still here");
	rig_hear(&r, client, "still here");
	rig_close(&client);
	rig_close(&server);
	rig_stop(&r);
	rig_close(&listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		mode_tests(test_random_stages, mode_start, mode_end),
		mode_tests(test_random_stages_with_backpressure, mode_start,
			mode_end),
		mode_tests(
			test_every_allocation_fails_once, mode_start, mode_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
