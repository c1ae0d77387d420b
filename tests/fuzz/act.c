/* act.c - stages that do at each callback what a script of bytes says. */
#include <errno.h>
#include <string.h>

#include "fuzz/act.h"

#define TICKETS 32
#define KEPT	64 /* bytes that are known again */

/* What a stage wants of the bytes that it is shown next. */
struct look {
	uint8_t kept[KEPT];
	size_t n;    /* of these */
	size_t need; /* so many, or the end */
	bool waits, ended;
};

struct ctx {
	struct look looks[2]; /* by direction */
	uint8_t emitted[2];
	bool opening; /* its open waits */
};

struct act act;
static struct weir_ticket tickets[TICKETS];
static unsigned ntickets;

void
act_start(const uint8_t *p, size_t n)
{
	memset(tickets, 0, sizeof(tickets));
	act = (struct act){ .p = p, .end = p + n };
}

void
act_begin(void)
{
	act = (struct act){
		.p = act.p, .end = act.end, .may_breach = act.may_breach
	};
}

unsigned
act_take(unsigned n)
{
	return act.p < act.end ? *act.p++ % n : 0;
}

void
act_wake(unsigned i)
{
	weir_wake(tickets[i % TICKETS], ACT_WOKEN);
}

void
act_wake_all(void)
{
	unsigned i;

	for (i = 0; i < TICKETS; i++)
		act_wake(i);
}

static void
emit(struct weir_call *c)
{
	struct ctx *cx = c->ctx;
	enum weir_dir dir = act_take(2) ? WEIR_DOWN : WEIR_UP;
	size_t n = act_take(8), i;
	uint8_t tokens[ACT_FLOOD];

	n = n == 0 ? ACT_FLOOD : n;
	for (i = 0; i < n; i++)
		tokens[i] = (uint8_t)(ACT_TOKEN | c->stage << 5 |
				      (cx->emitted[dir]++ & ACT_COUNT));
	weir_emit(c, dir, tokens, n);
}

static void
ticket(struct weir_call *c)
{
	tickets[ntickets++ % TICKETS] = weir_ticket(c);
}

/* A verb of those that are allowed anywhere; true: it has acted. */
static bool
verb(struct weir_call *c)
{
	enum weir_dir dir;

	switch (act_take(12)) {
	case 1:
	case 2:
		emit(c);
		return true;
	case 3:
		dir = act_take(2) ? WEIR_DOWN : WEIR_UP;
		weir_end(c, dir);
		act.cut[dir] = true;
		return true;
	case 4:
		weir_attach(c, act_take(2) ? WEIR_DOWN : WEIR_UP);
		break;
	case 5:
		weir_ready(c);
		break;
	case 6:
		weir_timer(c, act_take(256));
		break;
	case 7:
		weir_signal(c, "event");
		break;
	case 8:
		act_wake(act_take(TICKETS));
		break;
	default:
		break;
	}
	return false;
}

/* What no callback may do. */
static struct weir_verdict
breach(struct weir_call *c, size_t len)
{
	act.breached = true;
	switch (act_take(4)) {
	case 0:
		return weir_pass(len + 1 + act_take(9));
	case 1:
		return (struct weir_verdict){ .kind = WEIR_V_COUNT };
	case 2:
		weir_serve(c);
		weir_serve(c);
		return weir_pass(len);
	default:
		return weir_close(WEIR_R_COUNT);
	}
}

static struct weir_verdict
wait_some(struct weir_call *c)
{
	unsigned ms = act_take(256);

	if (ms % 2 == 0)
		ticket(c);
	return weir_wait(ms % 2 == 0 && ms < 128 ? 0 : ms + 1);
}

/* The bytes go on to whoever comes, but for these. */
static void
count_dropped(enum weir_dir dir, const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++)
		if (*p & ACT_TOKEN)
			act.lost_tokens[dir]++;
		else
			act.lost[dir]++;
}

static void
look_keep(struct look *look, const uint8_t *p, size_t n)
{
	look->n = n < KEPT ? n : KEPT;
	memcpy(look->kept, p, look->n);
}

static void
look_check(
	struct weir_call *c, struct look *look, struct weir_bytes in, bool cut)
{
	assert_true(in.len > 0 || in.eof);
	assert_false(look->ended);
	assert_int_equal(c->result != 0, look->waits);
	assert_true(c->result == 0 || c->result == ACT_WOKEN ||
		    c->result == -ETIMEDOUT);
	if (!cut) {
		assert_true(in.len >= look->need || in.eof);
		assert_true(in.len >= look->n);
		assert_memory_equal(in.p, look->kept, look->n);
	}
	look->n = look->need = 0;
	look->waits = false;
}

/* The verdict, and what follows from it. */
static struct weir_verdict
judge(struct weir_call *c, struct look *look, struct weir_bytes in,
	enum weir_dir dir)
{
	bool first = verb(c), acted = verb(c) || first;
	size_t some = in.len > 1 ? 1 + act_take((unsigned)in.len) : in.len;

	switch (act_take(16)) {
	case 1:
	case 2:
		look->ended = in.eof && some == in.len;
		look_keep(look, in.p + some, in.len - some);
		return weir_pass(some);
	case 3:
	case 4:
		look->ended = in.eof && some == in.len;
		count_dropped(dir, in.p, some);
		look_keep(look, in.p + some, in.len - some);
		return weir_drop(some);
	case 5:
	case 6:
		if (in.eof || acted)
			break;
		look_keep(look, in.p, in.len);
		look->need = in.len + 1 + act_take(200);
		return weir_need(look->need);
	case 7:
	case 8:
		if (acted)
			break;
		look_keep(look, in.p, in.len);
		look->waits = true;
		return wait_some(c);
	case 9:
		some = 1 + act_take(200);
		look->ended = in.eof && some >= in.len;
		if (some < in.len)
			look_keep(look, in.p + some, in.len - some);
		return weir_skip(some);
	case 10:
		return weir_detach();
	case 11:
		return weir_refuse(WEIR_R_DENIED,
			(enum weir_manner)act_take(WEIR_MANNER_COUNT));
	case 12:
		/* What others do about it could end the channel first. */
		if (act.may_breach && !acted)
			return breach(c, in.len);
		break;
	default:
		break;
	}
	look->ended = in.eof;
	return weir_pass(in.len);
}

static struct weir_verdict
act_up(struct weir_call *c, struct weir_bytes in)
{
	struct look *look = &((struct ctx *)c->ctx)->looks[WEIR_UP];

	look_check(c, look, in, act.cut[WEIR_UP]);
	return judge(c, look, in, WEIR_UP);
}

static struct weir_verdict
act_down(struct weir_call *c, struct weir_bytes in)
{
	struct look *look = &((struct ctx *)c->ctx)->looks[WEIR_DOWN];

	look_check(c, look, in, act.cut[WEIR_DOWN]);
	return judge(c, look, in, WEIR_DOWN);
}

/* A callback without bytes. */
static struct weir_verdict
act_bare(struct weir_call *c)
{
	(void)verb(c);
	if (act_take(32) == 1)
		return weir_close(WEIR_R_DENIED);
	return weir_pass(0);
}

static struct weir_verdict
act_open(struct weir_call *c)
{
	struct ctx *cx = c->ctx;

	assert_int_equal(c->result != 0, cx->opening);
	cx->opening = act_take(4) == 1;
	return cx->opening ? wait_some(c) : act_bare(c);
}

static struct weir_verdict
act_target(struct weir_call *c, const struct weir_addr *to)
{
	assert_int_equal(to->sa.sa_family, AF_UNIX);
	return act_bare(c);
}

static struct weir_verdict
act_signal(struct weir_call *c, const char *event)
{
	assert_true(strlen(event) > 0);
	return act_bare(c);
}

static struct weir_verdict
act_close(struct weir_call *c, enum weir_reason reason)
{
	assert_int_not_equal(reason, WEIR_R_NONE);
	return act_take(4) == 1 ? wait_some(c) : weir_pass(0);
}

#define ACT                                                                    \
	.ctx_size = sizeof(struct ctx), .open = act_open, .up = act_up,        \
	.down = act_down, .target = act_target, .timer = act_bare,             \
	.signal = act_signal, .close = act_close
const struct weir_middleware act_any = { .name = "act", ACT };
const struct weir_middleware act_first = {
	.name = "first", .flags = WEIR_PREREAD, ACT
};
