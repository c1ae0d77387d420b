/* hostile.c - a middleware that does one thing, right or wrong, at one hook. */
#include "engine/channel.h"
#include "lib/hostile.h"

#define AT(hook) (1u << HOSTILE_##hook)

#define AT_BYTES (AT(UP) | AT(DOWN))
#define AT_ENDS	 (AT(UP_END) | AT(DOWN_END))
#define AT_SHOWN (AT_BYTES | AT_ENDS)
#define AT_TOLD	 (AT(OPEN) | AT(TARGET) | AT(TIMER) | AT(SIGNAL))
#define AT_MUTE	 (AT(ROUTE) | AT(CONNECTED) | AT(FAILED))
#define AT_WAITS (AT(OPEN) | AT_SHOWN | AT(CLOSE))
#define AT_ALIVE (AT_TOLD | AT_SHOWN | AT_MUTE)
#define AT_ALL	 (AT_ALIVE | AT(CLOSE))

/* It takes a moment, too, at which a backend may be chosen so. */
#define TO_CONNECT (1u << 30)
#define TO_SERVE   (1u << 31)

#define VERDICT(...) ((struct weir_verdict){ __VA_ARGS__ })
#define LARGE	     300000

/* id, where it is allowed, verdict. */
#define VERDICTS(X)                                                            \
	X(PASS_NONE, AT_TOLD | AT_ENDS | AT(CLOSE), weir_pass(0))              \
	X(PASS_ONE, AT_BYTES, weir_pass(1))                                    \
	X(PASS_ALL, AT_ALL, weir_pass(len))                                    \
	X(PASS_MORE, 0, weir_pass(len + 1))                                    \
	X(PASS_MOST, 0, weir_pass(SIZE_MAX))                                   \
	X(DROP_NONE, AT_ENDS, weir_drop(0))                                    \
	X(DROP_ONE, AT_BYTES, weir_drop(1))                                    \
	X(DROP_ALL, AT_SHOWN, weir_drop(len))                                  \
	X(DROP_MORE, 0, weir_drop(len + 1))                                    \
	X(DROP_MOST, 0, weir_drop(SIZE_MAX))                                   \
	X(SKIP_NONE, 0, weir_skip(0))                                          \
	X(SKIP_ONE, AT_SHOWN, weir_skip(1))                                    \
	X(SKIP_MORE, AT_SHOWN, weir_skip(len + 1))                             \
	X(SKIP_MOST, AT_SHOWN, weir_skip(SIZE_MAX))                            \
	X(NEED_NONE, 0, weir_need(0))                                          \
	X(NEED_ALL, 0, weir_need(len))                                         \
	X(NEED_MORE, AT_BYTES, weir_need(len + 1))                             \
	X(NEED_TOO_MANY, AT_BYTES, weir_need(hostile.too_many))                \
	X(NEED_MOST, AT_BYTES, weir_need(SIZE_MAX))                            \
	X(WAIT_FOR_EVER, AT_WAITS, weir_wait(0))                               \
	X(WAIT_SHORTLY, AT_WAITS, weir_wait(1))                                \
	X(WAIT_LONG, AT_WAITS, weir_wait(UINT32_MAX))                          \
	X(DETACH, AT_SHOWN, weir_detach())                                     \
	X(CLOSE_DONE, AT_TOLD | AT_SHOWN, weir_close(WEIR_R_DONE))             \
	X(CLOSE_DENIED, AT_TOLD | AT_SHOWN, weir_close(WEIR_R_DENIED))         \
	X(CLOSE_NONE, 0, weir_close(WEIR_R_NONE))                              \
	X(CLOSE_COUNT, 0, weir_close(WEIR_R_COUNT))                            \
	X(CLOSE_FAR, 0, weir_close((enum weir_reason)255))                     \
	X(RESET, AT_TOLD | AT_SHOWN,                                           \
		weir_refuse(WEIR_R_DENIED, WEIR_MANNER_RESET))                 \
	X(SILENT, AT_TOLD | AT_SHOWN,                                          \
		weir_refuse(WEIR_R_DENIED, WEIR_MANNER_SILENT))                \
	X(NO_MANNER, 0, weir_refuse(WEIR_R_DENIED, WEIR_MANNER_COUNT))         \
	X(UNKNOWN, 0, VERDICT(.kind = WEIR_V_COUNT))                           \
	X(UNKNOWN_ALL, 0, VERDICT(.kind = WEIR_V_COUNT, .n = len))             \
	X(UNKNOWN_FAR, 0, VERDICT(.kind = 255, .n = 1))

/* id, where it is allowed, what it does before the verdict of others. */
#define VERBS(X)                                                               \
	X(EMIT_UP, AT_ALL, weir_emit(c, WEIR_UP, "x", 1))                      \
	X(EMIT_DOWN, AT_ALL, weir_emit(c, WEIR_DOWN, "x", 1))                  \
	X(EMIT_LARGE_UP, AT_ALL, weir_emit(c, WEIR_UP, large, LARGE))          \
	X(EMIT_LARGE_DOWN, AT_ALL, weir_emit(c, WEIR_DOWN, large, LARGE))      \
	X(EMIT_NONE, AT_ALL, weir_emit(c, WEIR_UP, "", 0))                     \
	X(EMIT_NULL, AT_ALL, weir_emit(c, WEIR_DOWN, NULL, 0))                 \
	X(EMIT_NOWHERE, 0, weir_emit(c, (enum weir_dir)2, "x", 1))             \
	X(EMIT_BY_A_COPY, 0, weir_emit(&copy, WEIR_UP, "x", 1))                \
	X(END_UP, AT_ALL, weir_end(c, WEIR_UP))                                \
	X(END_DOWN, AT_ALL, weir_end(c, WEIR_DOWN))                            \
	X(END_NOWHERE, 0, weir_end(c, (enum weir_dir)2))                       \
	X(END_BY_A_COPY, 0, weir_end(&copy, WEIR_UP))                          \
	X(END_BOTH, AT_ALL, weir_end(c, WEIR_UP); weir_end(c, WEIR_DOWN))      \
	X(END_THEN_EMIT, AT_ALL, weir_end(c, WEIR_UP);                         \
		weir_emit(c, WEIR_UP, "x", 1))                                 \
	X(EMIT_THEN_END, AT_ALL, weir_emit(c, WEIR_DOWN, "x", 1);              \
		weir_end(c, WEIR_DOWN))                                        \
	X(CONNECT_GOOD, AT_ALL | TO_CONNECT,                                   \
		weir_connect(c, &hostile.good, NULL))                          \
	X(CONNECT_REFUSING, AT_ALL | TO_CONNECT,                               \
		weir_connect(c, &hostile.refusing, NULL))                      \
	X(CONNECT_UNREACHABLE, AT_ALL | TO_CONNECT,                            \
		weir_connect(c, &hostile.unreachable, NULL))                   \
	X(CONNECT_MISSING, AT_ALL | TO_CONNECT,                                \
		weir_connect(c, &hostile.missing, NULL))                       \
	X(CONNECT_NO_ADDRESS, AT_ALL | TO_CONNECT,                             \
		weir_connect(c, &nothing, NULL))                               \
	X(CONNECT_FROM_NOWHERE, AT_ALL | TO_CONNECT,                           \
		weir_connect(c, &hostile.good,                                 \
			&(struct weir_dial){ .source = &hostile.missing }))    \
	X(CONNECT_TWICE, 0, weir_connect(c, &hostile.good, NULL);              \
		weir_connect(c, &hostile.good, NULL))                          \
	X(CONNECT_THEN_SERVE, 0, weir_connect(c, &hostile.missing, NULL);      \
		weir_serve(c))                                                 \
	X(CONNECT_BY_A_COPY, 0, weir_connect(&copy, &hostile.good, NULL))      \
	X(CONNECT_THEN_END, AT_ALL | TO_CONNECT,                               \
		weir_connect(c, &hostile.good, NULL);                          \
		weir_end(c, WEIR_UP); weir_end(c, WEIR_DOWN))                  \
	X(SERVE, AT_ALL | TO_SERVE, weir_serve(c))                             \
	X(SERVE_TWICE, 0, weir_serve(c); weir_serve(c))                        \
	X(SERVE_THEN_END, AT_ALL | TO_SERVE, weir_serve(c);                    \
		weir_end(c, WEIR_DOWN))                                        \
	X(READY, AT_ALL, weir_ready(c))                                        \
	X(ATTACH_UP, AT_ALL, weir_attach(c, WEIR_UP))                          \
	X(ATTACH_DOWN, AT_ALL, weir_attach(c, WEIR_DOWN))                      \
	X(ATTACH_NOWHERE, 0, weir_attach(c, (enum weir_dir)2))                 \
	X(TIMER_STOP, AT_ALIVE, weir_timer(c, 0))                              \
	X(TIMER_SOON, AT_ALIVE, weir_timer(c, 1))                              \
	X(TIMER_LATE, AT_ALIVE, weir_timer(c, UINT32_MAX))                     \
	X(TIMER_BY_A_COPY, 0, weir_timer(&copy, 1))                            \
	X(TICKET, AT_WAITS, hostile.stale = weir_ticket(c))                    \
	X(TICKET_WOKEN, AT_WAITS, weir_wake(weir_ticket(c), 1))                \
	X(TICKET_BY_A_COPY, 0, (void)weir_ticket(&copy))                       \
	X(WAKE_STALE, AT_ALL, weir_wake(hostile.stale, 1))                     \
	X(WAKE_NONE, AT_ALL, weir_wake((struct weir_ticket){ 0 }, 1))          \
	X(SIGNAL, AT_ALL, weir_signal(c, "hostile"))                           \
	X(SIGNAL_MANY, AT_ALL, signal_many(c))                                 \
	X(WHY, AT_ALL, weir_why(c, "it is hostile"))                           \
	X(WHY_NULL, AT_ALL, weir_why(c, NULL))                                 \
	X(ASK, AT_ALL, ask(c))

/* id, where it is allowed, what it does before, verdict. */
#define PAIRS(X)                                                               \
	X(EMIT_WAIT, 0, weir_emit(c, WEIR_DOWN, "x", 1), weir_wait(1))         \
	X(EMIT_NONE_WAIT, AT_WAITS, weir_emit(c, WEIR_UP, "", 0),              \
		weir_wait(1))                                                  \
	X(EMIT_NEED, 0, weir_emit(c, WEIR_UP, "x", 1), weir_need(len + 1))     \
	X(EMIT_DETACH, AT_SHOWN, weir_emit(c, WEIR_UP, "x", 1), weir_detach()) \
	X(EMIT_SKIP, AT_SHOWN, weir_emit(c, WEIR_DOWN, "x", 1),                \
		weir_skip(len + 9))                                            \
	X(EMIT_CLOSE, AT_TOLD | AT_SHOWN,                                      \
		weir_emit(c, WEIR_DOWN, large, LARGE),                         \
		weir_close(WEIR_R_DENIED))                                     \
	X(EMIT_BREACH, 0, weir_emit(c, WEIR_DOWN, large, LARGE),               \
		weir_pass(len + 1))                                            \
	X(END_WAIT, 0, weir_end(c, WEIR_UP), weir_wait(1))                     \
	X(END_NEED, 0, weir_end(c, WEIR_DOWN), weir_need(len + 1))             \
	X(END_DETACH, AT_SHOWN, weir_end(c, WEIR_UP);                          \
		weir_end(c, WEIR_DOWN), weir_detach())                         \
	X(END_CLOSE, AT_TOLD | AT_SHOWN, weir_end(c, WEIR_DOWN),               \
		weir_close(WEIR_R_DENIED))                                     \
	X(CONNECT_WAIT, 0, weir_connect(c, &hostile.good, NULL), weir_wait(1)) \
	X(CONNECT_NEED, 0, weir_connect(c, &hostile.good, NULL),               \
		weir_need(len + 1))                                            \
	X(CONNECT_CLOSE, (AT_TOLD | AT_SHOWN) | TO_CONNECT,                    \
		weir_connect(c, &hostile.good, NULL),                          \
		weir_close(WEIR_R_DENIED))                                     \
	X(MISSING_CLOSE, (AT_TOLD | AT_SHOWN) | TO_CONNECT,                    \
		weir_connect(c, &hostile.missing, NULL),                       \
		weir_refuse(WEIR_R_DENIED, WEIR_MANNER_RESET))                 \
	X(SERVE_WAIT, 0, weir_serve(c), weir_wait(1))                          \
	X(SERVE_CLOSE, (AT_TOLD | AT_SHOWN) | TO_SERVE, weir_serve(c),         \
		weir_close(WEIR_R_DENIED))                                     \
	X(READY_NEED, AT_BYTES, weir_ready(c), weir_need(len + 1))             \
	X(READY_WAIT, AT_WAITS, weir_ready(c), weir_wait(20))                  \
	X(TICKET_WAIT, AT_WAITS, weir_wake(weir_ticket(c), 1), weir_wait(0))   \
	X(TICKETS_WAIT, AT_WAITS, hostile.stale = weir_ticket(c);              \
		weir_wake(weir_ticket(c), 1);                                  \
		weir_wake(hostile.stale, 2), weir_wait(1))                     \
	X(TICKET_NEED, AT_BYTES, weir_wake(weir_ticket(c), 1),                 \
		weir_need(len + 1))                                            \
	X(TICKET_CLOSE, AT(OPEN) | AT_SHOWN, weir_wake(weir_ticket(c), 1),     \
		weir_close(WEIR_R_DENIED))                                     \
	X(TIMER_WAIT, AT(OPEN) | AT_SHOWN, weir_timer(c, 1), weir_wait(0))     \
	X(TIMER_CLOSE, AT_TOLD | AT_SHOWN, weir_timer(c, 1),                   \
		weir_refuse(WEIR_R_DENIED, WEIR_MANNER_SILENT))                \
	X(SIGNAL_WAIT, AT_WAITS, weir_signal(c, "hostile"), weir_wait(0))      \
	X(ATTACH_DETACH, AT_SHOWN, weir_attach(c, WEIR_UP);                    \
		weir_attach(c, WEIR_DOWN), weir_detach())                      \
	X(MISUSE_WAIT, 0, weir_emit(&copy, WEIR_UP, "x", 1), weir_wait(1))     \
	X(MISUSE_NEED, 0, weir_emit(&copy, WEIR_UP, "x", 1),                   \
		weir_need(len + 1))                                            \
	X(MISUSE_CLOSE, 0, weir_emit(&copy, WEIR_UP, "x", 1),                  \
		weir_close(WEIR_R_DENIED))

enum action {
#define X(id, ...) ACTION_##id,
	VERDICTS(X) VERBS(X) PAIRS(X)
#undef X
		ACTION_COUNT
};

struct ctx {
	bool done;   /* what it is to do */
	bool broken; /* and that was not allowed */
};

struct hostile hostile;

static const uint8_t large[LARGE];
static const struct weir_addr nothing;
static const char *const words[] = {
#define X(id, ...) #id,
	VERDICTS(X) VERBS(X) PAIRS(X)
#undef X
};
static const char *const hooks[] = {
#define X(id) #id,
	HOSTILE_HOOKS(X)
#undef X
};
static const uint32_t allowed[] = {
#define X(id, where, ...) where,
	VERDICTS(X) VERBS(X) PAIRS(X)
#undef X
};

size_t
hostile_actions(void)
{
	return ACTION_COUNT;
}

const char *
hostile_action_word(size_t action)
{
	return words[action];
}

const char *
hostile_hook_word(enum hostile_hook hook)
{
	return hooks[hook];
}

bool
hostile_can(enum hostile_hook hook, size_t action)
{
	return !(AT_MUTE & 1u << hook) ||
	       (action >= ACTION_EMIT_UP && action < ACTION_EMIT_WAIT);
}

enum weir_reason
hostile_reason(size_t action)
{
	switch ((enum action)action) {
	case ACTION_NEED_TOO_MANY:
	case ACTION_NEED_MOST:
		return WEIR_R_LIMIT;
	case ACTION_CLOSE_DONE:
		return WEIR_R_DONE;
	case ACTION_CLOSE_DENIED:
	case ACTION_RESET:
	case ACTION_SILENT:
	case ACTION_EMIT_CLOSE:
	case ACTION_END_CLOSE:
	case ACTION_CONNECT_CLOSE:
	case ACTION_MISSING_CLOSE:
	case ACTION_SERVE_CLOSE:
	case ACTION_TICKET_CLOSE:
	case ACTION_TIMER_CLOSE:
		return WEIR_R_DENIED;
	default:
		return WEIR_R_NONE;
	}
}

void
hostile_start(enum hostile_hook hook, size_t action, bool always)
{
	hostile.hook = hook;
	hostile.action = action;
	hostile.always = always;
	hostile.done = hostile.breaches = 0;
	hostile.opens = hostile.closes = 0;
	hostile.left_over = false;
}

static void
signal_many(struct weir_call *c)
{
	unsigned i;

	for (i = 0; i < 200; i++)
		weir_signal(c, "many");
}

/* All that only asks. */
static void
ask(struct weir_call *c)
{
	struct weir_facts f;
	struct weir_addr a;
	struct weir_value v;
	int side;

	weir_facts(c, &f);
	for (side = WEIR_FRONTEND; side <= WEIR_SELF + 1; side++) {
		weir_local(c, (enum weir_side)side, &a);
		weir_peer(c, (enum weir_side)side, &a);
	}
	weir_variable_get(c, "client.addr", &v);
	weir_log(c, "%s", "it asks");
}

static struct weir_verdict
act(struct weir_call *c, size_t len, struct weir_verdict fine)
{
	struct weir_call copy = *c;

	switch ((enum action)hostile.action) {
#define X(id, where, ...)                                                      \
	case ACTION_##id:                                                      \
		return __VA_ARGS__;
		VERDICTS(X)
#undef X
#define X(id, where, ...)                                                      \
	case ACTION_##id:                                                      \
		__VA_ARGS__;                                                   \
		return fine;
		VERBS(X)
#undef X
#define X(id, where, does, ...)                                                \
	case ACTION_##id:                                                      \
		does;                                                          \
		return __VA_ARGS__;
		PAIRS(X)
#undef X
	case ACTION_COUNT:
		break;
	}
	return fine;
}

/* May a backend be chosen now?  As channel.h says. */
static bool
may_choose(const struct weir_call *c, bool serve)
{
	struct weir_facts f;

	weir_facts(c, &f);
	switch (hostile.hook) {
	case HOSTILE_ROUTE:
		return true;
	case HOSTILE_UP:
	case HOSTILE_UP_END:
		return c->ch->state == CHANNEL_ROUTE;
	case HOSTILE_FAILED:
		return !serve;
	case HOSTILE_TIMER:
		return !serve && f.awaited;
	default:
		return false;
	}
}

static bool
is_allowed(const struct weir_call *c)
{
	uint32_t where = allowed[hostile.action];

	return (where & 1u << hostile.hook) &&
	       (!(where & TO_CONNECT) || may_choose(c, false)) &&
	       (!(where & TO_SERVE) || may_choose(c, true));
}

/* Does what it is to do, if this is where. */
static struct weir_verdict
come(struct weir_call *c, enum hostile_hook hook, size_t len,
	struct weir_verdict fine)
{
	struct ctx *cx = c->ctx;

	hostile.left_over |= cx->broken && hook != HOSTILE_CLOSE;
	if (hook != hostile.hook || (cx->done && !hostile.always))
		return fine;
	cx->done = true;
	hostile.done++;
	if (!is_allowed(c)) {
		cx->broken = true;
		hostile.breaches++;
	}
	return act(c, len, fine);
}

/* The same with bytes, or with an end alone. */
static struct weir_verdict
come_shown(struct weir_call *c, struct weir_bytes in, enum hostile_hook bytes,
	enum hostile_hook end)
{
	if (in.eof && in.len > 0)
		return weir_pass(in.len);
	return come(c, in.eof ? end : bytes, in.len, weir_pass(in.len));
}

static struct weir_verdict
hostile_open(struct weir_call *c)
{
	hostile.opens++;
	if (hostile.hook == HOSTILE_TIMER)
		weir_timer(c, 20);
	return come(c, HOSTILE_OPEN, 0, weir_pass(0));
}

static struct weir_verdict
hostile_up(struct weir_call *c, struct weir_bytes in)
{
	return come_shown(c, in, HOSTILE_UP, HOSTILE_UP_END);
}

static struct weir_verdict
hostile_down(struct weir_call *c, struct weir_bytes in)
{
	return come_shown(c, in, HOSTILE_DOWN, HOSTILE_DOWN_END);
}

static void
hostile_route(struct weir_call *c)
{
	if (hostile.hook == HOSTILE_FAILED)
		weir_connect(c, &hostile.refusing, NULL);
	(void)come(c, HOSTILE_ROUTE, 0, weir_pass(0));
}

static struct weir_verdict
hostile_target(struct weir_call *c, const struct weir_addr *to)
{
	(void)to;
	return come(c, HOSTILE_TARGET, 0, weir_pass(0));
}

static void
hostile_connected(struct weir_call *c, int err)
{
	(void)come(c, err == 0 ? HOSTILE_CONNECTED : HOSTILE_FAILED, 0,
		weir_pass(0));
}

static struct weir_verdict
hostile_timer(struct weir_call *c)
{
	if (hostile.hook == HOSTILE_TIMER && hostile.always)
		weir_timer(c, 20);
	return come(c, HOSTILE_TIMER, 0, weir_pass(0));
}

static struct weir_verdict
hostile_signal(struct weir_call *c, const char *event)
{
	(void)event;
	return come(c, HOSTILE_SIGNAL, 0, weir_pass(0));
}

static struct weir_verdict
hostile_close(struct weir_call *c, enum weir_reason reason)
{
	(void)reason;
	hostile.closes++;
	return come(c, HOSTILE_CLOSE, 0, weir_pass(0));
}

#define CALLBACKS                                                              \
	.ctx_size = sizeof(struct ctx), .open = hostile_open,                  \
	.up = hostile_up, .down = hostile_down, .route = hostile_route,        \
	.target = hostile_target, .connected = hostile_connected,              \
	.timer = hostile_timer, .signal = hostile_signal,                      \
	.close = hostile_close

const struct weir_middleware hostile_plain = { .name = "hostile", CALLBACKS };
const struct weir_middleware hostile_preread = {
	.name = "hostile", .flags = WEIR_PREREAD, CALLBACKS
};
