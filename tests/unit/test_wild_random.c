/* test_wild_random.c - stages that do at random whatever the contract allows:
 * no byte that nobody dropped is lost, doubled or overtaken, nothing follows an
 * end, and every channel ends.  SEED in the environment repeats a walk. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chance.h"
#include "lib/mode.h"
#include "lib/rig.h"

#define STAGES	     4
#define STEPS	     1000000 /* callbacks, over all settings, and: */
#define STEPS_MOVED  400000  /* where bytes may be spliced */
#define SOURCE	     0x40    /* bytes of a source are below, in sequence */
#define TOO_LATE     0x40    /* emitted behind an end: must not arrive */
#define TOKEN	     0x80    /* other emitted bytes have this bit, and: */
#define TOKEN_STAGE  0x60    /* who emitted it */
#define TOKEN_COUNT  0x1f    /* its number */
#define TICKETS	     16
#define CHANNEL_LIFE 3000 /* steps, about */
#define PATIENCE     3000
#define LATE_MS	     2000

static unsigned steps;
static struct weir_ticket tickets[TICKETS];
/* Of the one channel that there is: */
static bool cut[2];	    /* somebody has ended this direction */
static uint64_t dropped[2]; /* of its source */

struct ctx {
	uint8_t emitted[2]; /* by direction */
	size_t needs[2];
	bool shown[2]; /* its end */
	bool ended[2]; /* has passed the end on, or made one */
	bool opened, closed;
};

static void
stir_emit(struct weir_call *c, enum weir_dir to)
{
	struct ctx *cx = c->ctx;
	uint8_t token = TOO_LATE;

	if (!cx->ended[to])
		token = (uint8_t)(TOKEN | c->stage << 5 |
				  (cx->emitted[to]++ & TOKEN_COUNT));
	weir_emit(c, to, &token, 1);
}

static void
stir_end(struct weir_call *c, enum weir_dir to)
{
	struct ctx *cx = c->ctx;

	weir_end(c, to);
	cx->ended[to] = cut[to] = true;
}

/* What is allowed in all calls but close; does it act? */
static bool
stir_ask(struct weir_call *c)
{
	enum weir_dir to = chance(2) ? WEIR_UP : WEIR_DOWN;

	steps++;
	if (chance(3) == 0)
		weir_wake(tickets[chance(TICKETS)], (int)chance(9) - 4);
	if (chance(10) == 0)
		weir_timer(c, chance(50));
	if (chance(20) == 0)
		weir_attach(c, to);
	if (chance(500) == 0)
		weir_signal(c, "stir");
	if (chance(6) != 0)
		return false;
	stir_emit(c, to);
	if (chance(3000) == 0)
		stir_end(c, to);
	return true;
}

/* A ticket may be woken before the wait, after it, or never. */
static struct weir_verdict
stir_wait(struct weir_call *c)
{
	if (chance(2)) {
		struct weir_ticket *t = &tickets[chance(TICKETS)];

		*t = weir_ticket(c);
		if (chance(4) == 0)
			weir_wake(*t, 7);
	}
	return weir_wait(1 + chance(60));
}

static bool
is_droppable(uint8_t byte)
{
	return byte < SOURCE && byte % 8 == 5;
}

/* Judges some: drops what may be, one at a time, passes others. */
static struct weir_verdict
stir_some(struct ctx *cx, struct weir_bytes in, enum weir_dir dir)
{
	size_t n =
		in.len > 1 && chance(2) ? 1 + chance((unsigned)in.len) : in.len;

	if (in.len > 0 && is_droppable(in.p[0]) && !cx->ended[dir] &&
		chance(2)) {
		dropped[dir]++;
		cx->ended[dir] |= in.eof && in.len == 1;
		return weir_drop(1);
	}
	cx->ended[dir] |= in.eof && n == in.len;
	return weir_pass(n);
}

static struct weir_verdict
stir(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	struct ctx *cx = c->ctx;
	size_t most = c->ch->engine->server->hold_max;
	bool acted;

	assert_false(cx->closed);
	assert_true(cx->opened || dir == WEIR_DOWN);
	assert_true(in.len > 0 || in.eof);
	assert_true(in.len >= cx->needs[dir] || in.eof);
	assert_false(cx->shown[dir] && !in.eof); /* it may be shown again */
	cx->shown[dir] = in.eof;
	cx->needs[dir] = 0;
	acted = stir_ask(c);
	if (!acted && chance(30) == 0)
		return stir_wait(c);
	if (chance(300) == 0)
		tickets[chance(TICKETS)] = weir_ticket(c);
	if (!acted && !in.eof && in.len < 64 && most >= 128 && chance(8) == 0) {
		cx->needs[dir] = in.len + 1 + chance(64);
		return weir_need(cx->needs[dir]);
	}
	if (!in.eof && chance(200) == 0)
		return weir_detach();
	if (!in.eof && chance(12) == 0)
		return weir_skip(1 + chance(300));
	return stir_some(cx, in, dir);
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

static struct weir_verdict
stir_open(struct weir_call *c)
{
	struct ctx *cx = c->ctx;

	cx->opened = true;
	weir_timer(c, 1 + chance(50));
	return !stir_ask(c) && chance(4) == 0 ? stir_wait(c) : weir_pass(0);
}

static struct weir_verdict
stir_timer(struct weir_call *c)
{
	weir_timer(c, 1 + chance(50));
	stir_ask(c);
	return weir_pass(0);
}

static struct weir_verdict
stir_signal(struct weir_call *c, const char *event)
{
	(void)event;
	stir_ask(c);
	return weir_pass(0);
}

static struct weir_verdict
stir_close(struct weir_call *c, enum weir_reason reason)
{
	struct ctx *cx = c->ctx;

	assert_false(cx->closed);
	assert_int_not_equal(reason, WEIR_R_BUG);
	cx->closed = true;
	return chance(4) == 0 ? stir_wait(c) : weir_pass(0);
}

#define STIR                                                                   \
	.ctx_size = sizeof(struct ctx), .open = stir_open, .up = stir_up,      \
	.down = stir_down, .timer = stir_timer, .signal = stir_signal,         \
	.close = stir_close

static const struct weir_middleware mw_stir = { .name = "stir", STIR };
static const struct weir_middleware mw_early = {
	.name = "early", .flags = WEIR_PREREAD, STIR
};

/* ---- far ends ------------------------------------------------------------ */

struct far {
	int fd;
	uint8_t sends, wants; /* next byte of the sequence */
	uint8_t token[STAGES];
	uint64_t sent, got;
	bool ended, failed;
};

static void
far_send(struct far *f)
{
	uint8_t p[300];
	size_t n = 1 + chance(sizeof(p)), i;
	long done;

	if (f->fd == -1)
		return;
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)((f->sends + i) % SOURCE);
	done = send(f->fd, p, n, MSG_NOSIGNAL);
	if (done == -1)
		return;
	f->sends = (uint8_t)((f->sends + (size_t)done) % SOURCE);
	f->sent += (uint64_t)done;
}

static void
far_judge(struct far *f, uint8_t byte)
{
	unsigned who = (byte & TOKEN_STAGE) >> 5;

	if (byte & TOKEN) {
		assert_int_equal(
			byte & TOKEN_COUNT, f->token[who] & TOKEN_COUNT);
		f->token[who]++;
		return;
	}
	if (byte != f->wants && is_droppable(f->wants))
		f->wants++;
	assert_int_equal(byte, f->wants);
	f->wants = (uint8_t)((f->wants + 1) % SOURCE);
	f->got++;
}

static void
far_get(struct far *f, size_t most)
{
	uint8_t p[4096];
	long n, i;

	if (f->fd == -1)
		return;
	n = rig_read(f->fd, p, most < sizeof(p) ? most : sizeof(p));
	f->failed |= n == -1 && errno != EAGAIN;
	assert_false(f->ended && n > 0);
	f->ended |= n == 0;
	for (i = 0; i < n; i++)
		far_judge(f, p[i]);
}

/* ---- channels ------------------------------------------------------------ */

static void
stir_turn(struct rig *r, int listener, struct far *server)
{
	if (server->fd == -1)
		server->fd = accept4(
			listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (chance(3) == 0)
		rig_advance(r, chance(40));
	else
		rig_turn(r);
}

/* Both sides have said all; what waits has its time. */
static void
stir_to_the_end(struct rig *r, int listener, struct far *ends)
{
	bool said[2] = { false, false };
	unsigned left = PATIENCE + LATE_MS;

	while (r->loop.channels > 0 && left-- > 0) {
		int side;

		/* The kernel may have had no time for it. */
		if (left < LATE_MS)
			poll(NULL, 0, 1);

		for (side = 0; side < 2; side++) {
			struct far *f = &ends[side];

			if (f->fd != -1 && !said[side] && chance(4) == 0)
				said[side] = shutdown(f->fd, SHUT_WR) == 0 ||
					     errno == ENOTCONN;
			far_get(f, SIZE_MAX);
		}
		stir_turn(r, listener, &ends[1]);
	}
	if (r->loop.channels > 0)
		fail_msg("the channel did not end");
	far_get(&ends[0], SIZE_MAX);
	far_get(&ends[1], SIZE_MAX);
	while (!ends[0].ended && !ends[0].failed)
		far_get(&ends[0], SIZE_MAX);
	while (ends[1].fd != -1 && !ends[1].ended && !ends[1].failed)
		far_get(&ends[1], SIZE_MAX);
}

static void
stir_channel(struct rig *r, int listener)
{
	struct far ends[2] = { { .fd = -1 }, { .fd = -1 } };
	unsigned until = steps + CHANNEL_LIFE, turns = CHANNEL_LIFE;

	cut[0] = cut[1] = false;
	dropped[0] = dropped[1] = 0;
	ends[0].fd = rig_client(r);
	while (steps < until && r->loop.channels > 0 && turns-- > 0) {
		far_send(&ends[chance(2)]);
		stir_turn(r, listener, &ends[1]);
		far_get(&ends[chance(2)], 1 + chance(8192));
	}
	stir_to_the_end(r, listener, ends);
	if (!cut[WEIR_UP] && !cut[WEIR_DOWN]) {
		assert_int_equal(rig_ends.reason, WEIR_R_DONE);
		assert_int_equal(ends[1].got + dropped[WEIR_UP], ends[0].sent);
		assert_int_equal(
			ends[0].got + dropped[WEIR_DOWN], ends[1].sent);
	}
	rig_close(&ends[0].fd);
	rig_close(&ends[1].fd);
}

static void
stir_all(size_t read_max, size_t hold_max, bool early, unsigned share)
{
	struct rig r;
	struct rig_dial dial = { .n = 1 };
	int listener = rig_backend(&dial.to[0]);
	unsigned i, until;

	until = (mode_now() == &mode_copied ? STEPS : STEPS_MOVED) / share;
	until += steps;
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	memset(tickets, 0, sizeof(tickets));
	rig_init(&r);
	r.server.read_max = read_max;
	r.server.hold_max = hold_max;
	r.server.close_wait_ms = 1000;
	for (i = 0; i < STAGES; i++)
		rig_add(&r, early && i < 2 ? &mw_early : &mw_stir, NULL);
	rig_add(&r, &rig_dial, &dial);
	rig_start(&r);
	while (steps < until)
		stir_channel(&r, listener);
	rig_stop(&r);
	rig_close(&listener);
}

static int
seed_start(void **state)
{
	mode_start(state);
	chance_start("SEED");
	return 0;
}

static void
test_wild_stages(void **state)
{
	(void)state;
	stir_all(65536, 1 << 20, false, 4);
}

static void
test_wild_stages_that_preread(void **state)
{
	(void)state;
	stir_all(65536, 1 << 20, true, 4);
}

static void
test_wild_stages_with_backpressure(void **state)
{
	(void)state;
	stir_all(200, 200, false, 4);
	stir_all(300, 300, true, 8);
	stir_all(1000, 0, false, 8); /* less than any configuration allows */
}

#define wild_tests(f) mode_tests(f, seed_start, mode_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		wild_tests(test_wild_stages),
		wild_tests(test_wild_stages_that_preread),
		wild_tests(test_wild_stages_with_backpressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
