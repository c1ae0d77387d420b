/* fuzz_chain.c - stages that do what a script says, over the real engine: no
 * byte is lost, doubled or overtaken, and every channel ends. */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/act.h"
#include "fuzz/fuzz.h"
#include "lib/rig.h"

#define STAGES	   4
#define CHANNELS   4 /* one after the other */
#define END_TURNS  400
#define STEP_MS	   2000
#define PREREAD_MS 600000
#define MOVE_MS	   50000 /* the script may move the clock so far */

/* Bits of the first byte. */
enum { SMALL = 1, BREACHES = 2, SERVED = 4, PREREAD = 8, PARALLEL = 16 };

/* A far end, and what it has got. */
struct far {
	int fd;
	bool shut;
	uint8_t sends, wants; /* next byte of the sequence, below ACT_TOKEN */
	uint8_t token[STAGES];
	size_t sent, got;
	size_t missing, missing_tokens;
};

static struct {
	unsigned flags;
	uint64_t moved_ms;
	/* Of this channel: */
	struct far ends[2]; /* by side */
	bool stuck;	    /* so much is emitted that no client byte is shown,
			     * and without one there is no backend */
} now;
static struct rig rig;

static const struct weir_middleware mw_serve = { .name = "serve",
	.route = weir_serve };

/* ---- far ends ------------------------------------------------------------ */

static void
far_send(struct far *f)
{
	uint8_t p[ACT_FLOOD];
	size_t n = act_take(16), i;
	long done;

	n = n == 0 ? sizeof(p) : n;
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)((f->sends + i) % ACT_TOKEN);
	if (f->fd == -1 || f->shut)
		return;
	done = send(f->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (done == -1)
		return;
	f->sends = (uint8_t)((f->sends + (size_t)done) % ACT_TOKEN);
	f->sent += (size_t)done;
}

static void
far_shut(struct far *f)
{
	if (f->fd == -1)
		return;
	(void)!shutdown(f->fd, SHUT_WR);
	f->shut = true;
}

/* Reads at most so much of what comes in that direction; false: nothing. */
static bool
far_get(struct far *f, enum weir_dir dir, size_t most)
{
	uint8_t p[4096];
	long n, i;

	if (f->fd == -1)
		return false;
	n = rig_read(f->fd, p, most < sizeof(p) ? most : sizeof(p));
	for (i = 0; i < n; i++) {
		uint8_t *token = &f->token[(p[i] & ACT_STAGE) >> 5];

		if (p[i] & ACT_TOKEN) {
			f->missing_tokens += (p[i] - *token) & ACT_COUNT;
			*token = (uint8_t)(p[i] + 1);
			continue;
		}
		f->missing += (uint8_t)(p[i] - f->wants) % ACT_TOKEN;
		f->wants = (uint8_t)((p[i] + 1) % ACT_TOKEN);
		f->got++;
	}
	assert_true(f->missing <= act.lost[dir]);
	assert_true(f->missing_tokens <= act.lost_tokens[dir]);
	return n > 0;
}

/* ---- a channel ----------------------------------------------------------- */

static void
channel_begin(struct rig *r)
{
	act_begin();
	memset(now.ends, 0, sizeof(now.ends));
	now.stuck = false;
	now.ends[WEIR_BACKEND].fd = -1;
	now.ends[WEIR_FRONTEND].fd = rig_client_unix(r);
}

static void
channel_take(int listener)
{
	struct far *server = &now.ends[WEIR_BACKEND];

	if (server->fd == -1)
		server->fd = accept4(
			listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static bool
channel_is_stuck(struct rig *r)
{
	const struct weir_channel *ch = rig_channel(r);

	return ch->state == CHANNEL_ROUTE && ch->preread != 0 &&
	       ch->flows[WEIR_UP].out.len > r->server.hold_max;
}

/* It ends, when both sides have ended and nobody waits any more. */
static void
channel_finish(struct rig *r, int listener)
{
	struct far *client = &now.ends[WEIR_FRONTEND];
	struct far *server = &now.ends[WEIR_BACKEND];
	unsigned turns;

	for (turns = 0; r->loop.channels > 0; turns++) {
		if (turns == END_TURNS) {
			now.stuck = channel_is_stuck(r);
			assert_true(now.stuck);
			rig_advance(r, PREREAD_MS);
		}
		assert_true(turns < 2 * END_TURNS);
		channel_take(listener);
		far_shut(client);
		far_shut(server);
		/* As long as bytes come it goes on. */
		if (far_get(client, WEIR_DOWN, SIZE_MAX))
			turns = 0;
		if (far_get(server, WEIR_UP, SIZE_MAX))
			turns = 0;
		if (turns % 8 == 7)
			rig_advance(r, STEP_MS);
		else
			rig_turn(r);
		if (turns % 8 == 5)
			act_wake_all();
	}
	channel_take(listener);
	while (far_get(client, WEIR_DOWN, SIZE_MAX) ||
		far_get(server, WEIR_UP, SIZE_MAX))
		continue;
	assert_int_equal(rig_ends.n, r->opened);
}

/* What has reached the far ends in the end, and why it is the end. */
static void
channel_check(bool whole)
{
	const struct far *client = &now.ends[WEIR_FRONTEND];
	const struct far *server = &now.ends[WEIR_BACKEND];
	enum weir_reason reason = rig_ends.reason;

	if (now.stuck)
		assert_int_equal(reason, WEIR_R_TIMEOUT);
	else if (reason == WEIR_R_RESET || reason == WEIR_R_IO)
		assert_false(whole);
	else if (act.breached)
		assert_int_equal(reason, WEIR_R_BUG);
	else
		assert_true(reason == WEIR_R_DONE || reason == WEIR_R_DENIED ||
			    reason == WEIR_R_LIMIT);
	if (!whole || reason != WEIR_R_DONE)
		return;
	if (!act.cut[WEIR_DOWN])
		assert_int_equal(
			client->got + act.lost[WEIR_DOWN], server->sent);
	if (!act.cut[WEIR_UP] && !(now.flags & SERVED))
		assert_int_equal(server->got + act.lost[WEIR_UP], client->sent);
}

/* What happens outside, until the script or the channel ends. */
static void
channel_play(struct rig *r, int listener)
{
	struct far *f;
	bool whole = true;
	unsigned ms;

	while (act.p < act.end && r->loop.channels > 0) {
		channel_take(listener);
		f = &now.ends[act_take(2)];
		switch (act_take(8)) {
		case 1:
			far_send(f);
			break;
		case 2:
			far_shut(f);
			break;
		case 3:
			far_get(f, f == now.ends ? WEIR_DOWN : WEIR_UP,
				1 + 16 * (size_t)act_take(256));
			break;
		case 4:
			ms = act_take(256) * 10;
			now.moved_ms += ms;
			if (now.moved_ms < MOVE_MS)
				rig_advance(r, ms);
			break;
		case 5:
			act_wake(act_take(256));
			break;
		case 6:
			if (act_take(4) != 1 || f->fd == -1)
				break;
			whole = false;
			f->shut = true;
			rig_close(&f->fd);
			break;
		default:
			rig_turn(r);
			break;
		}
	}
	channel_finish(r, listener);
	channel_check(whole);
	rig_close(&now.ends[WEIR_FRONTEND].fd);
	/* What came too late is not of the next channel. */
	do {
		rig_close(&now.ends[WEIR_BACKEND].fd);
		channel_take(listener);
	} while (now.ends[WEIR_BACKEND].fd != -1);
}

/* On a unix socket of no file: TCP would run out of ports. */
static int
listener_open(struct weir_addr *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*at = (struct weir_addr){ .len = sizeof(sa_family_t),
		.sa.sa_family = AF_UNIX };
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, &at->sa, at->len), 0);
	at->len = sizeof(at->un);
	assert_int_equal(getsockname(fd, &at->sa, &at->len), 0);
	assert_int_equal(listen(fd, CHANNELS), 0);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct rig_dial dial = { .n = 1 };
	int listener;
	unsigned i;

	setenv("CMOCKA_TEST_ABORT", "1", 1);
	memset(&now, 0, sizeof(now));
	act_start(p, n);
	now.flags = act_take(256);
	act.may_breach = now.flags & BREACHES;
	listener = listener_open(&dial.to[0]);
	rig_init(&rig);
	rig.log_least = LOG_LEVEL_ALERT;
	rig.front_sndbuf = 1;
	rig.server.idle_timeout_ms = rig.server.preread_timeout_ms = PREREAD_MS;
	rig.server.close_wait_ms = 10000;
	rig.server.close_channel_mode =
		now.flags & PARALLEL ? CONF_CLOSE_PARALLEL : CONF_CLOSE_SERIAL;
	if (now.flags & SMALL)
		rig.server.read_max = rig.server.hold_max = 64;
	rig_add(&rig, now.flags & PREREAD ? &act_first : &act_any, NULL);
	for (i = act_take(STAGES); i > 0; i--)
		rig_add(&rig, &act_any, NULL);
	if (now.flags & SERVED)
		rig_add(&rig, &mw_serve, NULL);
	else
		rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	for (i = 0; i == 0 || (i < CHANNELS && act.p < act.end); i++) {
		channel_begin(&rig);
		channel_play(&rig, listener);
		rig.alerts_wanted |= act.breached;
	}
	rig_stop(&rig);
	rig_close(&listener);
	return 0;
}
