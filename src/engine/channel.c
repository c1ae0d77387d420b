/* channel.c - a frontend, a backend once chosen, and two flows. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/aside.h"
#include "engine/call.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/closing.h"
#include "engine/connect.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/observe.h"
#include "engine/opening.h"
#include "engine/splice.h"
#include "engine/trace.h"
#include "engine/wait.h"

#define RESET_FLUSH_MS 1000

static const char *const words[] = {
#define X(id, word) [CHANNEL_##id] = word,
	CHANNEL_STATES(X)
#undef X
};

/* Allowed steps: bit of every state that may follow. */
static const uint8_t steps[CHANNEL_STATE_COUNT] = {
	[CHANNEL_OPEN] = 1u << CHANNEL_ROUTE | 1u << CHANNEL_CLOSING,
	[CHANNEL_ROUTE] = 1u << CHANNEL_RACE | 1u << CHANNEL_CONNECT |
			  1u << CHANNEL_JOINED | 1u << CHANNEL_CLOSING,
	[CHANNEL_RACE] = 1u << CHANNEL_ROUTE | 1u << CHANNEL_JOINED |
			 1u << CHANNEL_CLOSING,
	[CHANNEL_CONNECT] = 1u << CHANNEL_JOINED | 1u << CHANNEL_CLOSING,
	[CHANNEL_JOINED] = 1u << CHANNEL_CLOSING,
	[CHANNEL_CLOSING] = 1u << CHANNEL_DEAD,
	[CHANNEL_DEAD] = 0,
};

static void channel_wait_total(struct weir_channel *);
static void channel_joined(struct weir_channel *);

struct weir_channel *
channel_new(struct engine *engine, int fd, const struct weir_addr *peer,
	uint16_t listen)
{
	struct loop *loop = engine->loop;
	struct weir_channel *ch = pool_get(&engine->blocks);
	int dir;

	if (ch == NULL)
		return NULL;
	ch->engine = engine;
	ch->listen = listen;
	ch->id = ++loop->last_id;
	ch->opened_ms = ch->last_ms = clock_ms();
	ch->preread = engine->chain.preread;
	ch->told = engine->events;
	ch->end_stage = ch->dial_stage = CHANNEL_NO_STAGE;
	ch->ended_by = WEIR_SELF;
	for (dir = 0; dir < 2; dir++) {
		endpoint_init(&ch->ends[dir], (enum weir_side)dir);
		ch->flows[dir].active = engine->chain.active[dir];
	}
	ch->ends[WEIR_FRONTEND].fd = fd;
	ch->ends[WEIR_FRONTEND].mask = ENDPOINT_OUT;
	if (endpoint_set_peer(&ch->ends[WEIR_FRONTEND], peer) == -1 ||
		poller_add_endpoint(
			&loop->poller, &ch->ends[WEIR_FRONTEND], false) == -1) {
		endpoint_done(&ch->ends[WEIR_FRONTEND]);
		pool_put(&engine->blocks, ch);
		return NULL;
	}
	channel_wait_total(ch);
	call_lock_all(ch);
	history_keep(ch);
	history_note(ch, HISTORY_CONNECTED, WEIR_FRONTEND, 0);
	TAILQ_INSERT_TAIL(&engine->channels, ch, all_link);
	loop->channels++;
	loop->fds += 2;
	if (loop->observers != NULL)
		observe_opened(ch);
	trace_opened(ch);
	return ch;
}

const char *
channel_word(uint8_t state)
{
	return words[state];
}

void
channel_state(struct weir_channel *ch, enum channel_state to)
{
	log_debug("%s: #%llu: %s -> %s", ch->engine->server->name,
		(unsigned long long)ch->id, words[ch->state], words[to]);
	if (!(steps[ch->state] & 1u << to)) {
		log_alert("#%llu: channel may not go from %s to %s",
			(unsigned long long)ch->id, words[ch->state],
			words[to]);
		abort();
	}
	ch->state = (uint8_t)to;
	if (ch->traced)
		trace_words(ch, WEIR_SELF, words[to],
			to == CHANNEL_CLOSING ? weir_reason_word(ch->reason)
					      : NULL,
			0);
	if (to < CHANNEL_CLOSING)
		channel_wait_total(ch);
	else
		timeouts_clear(&ch->engine->loop->timeouts, &ch->total);
	if (to == CHANNEL_JOINED)
		channel_joined(ch);
}

void
channel_queue(struct weir_channel *ch)
{
	struct loop *loop = ch->engine->loop;

	if (ch->queued)
		return;
	ch->queued = true;
	if (ch->state == CHANNEL_DEAD)
		TAILQ_INSERT_TAIL(&loop->dead, ch, turn_link);
	else
		TAILQ_INSERT_TAIL(&loop->run, ch, turn_link);
}

void
channel_wait(struct weir_channel *ch, enum timeout_kind kind, uint32_t value_ms)
{
	timeouts_set(&ch->engine->loop->timeouts, &ch->phase, kind, value_ms,
		clock_ms());
}

/* Sets the limit of the whole: the preread's if it comes first. */
static void
channel_wait_total(struct weir_channel *ch)
{
	const struct conf_server *server = ch->engine->server;
	enum timeout_kind kind = TIMEOUT_SESSION;
	uint32_t value_ms = server->session_timeout_ms;

	if (ch->state <= CHANNEL_ROUTE && ch->preread != 0 &&
		server->preread_timeout_ms != 0 &&
		(value_ms == 0 || server->preread_timeout_ms < value_ms)) {
		kind = TIMEOUT_PREREAD;
		value_ms = server->preread_timeout_ms;
	}
	timeouts_set(&ch->engine->loop->timeouts, &ch->total, kind, value_ms,
		kind == TIMEOUT_PREREAD && ch->raced ? clock_ms()
						     : ch->opened_ms);
}

/* It has its backend from here on, or needs none. */
static void
channel_joined(struct weir_channel *ch)
{
	struct flow *up = &ch->flows[WEIR_UP];

	ch->joined = !ch->served;
	if (ch->joined)
		history_note(ch, HISTORY_CONNECTED, WEIR_BACKEND, 0);
	history_note(ch, HISTORY_START_READING,
		ch->joined ? WEIR_BACKEND : WEIR_FRONTEND, 0);
	if (ch->served) {
		ch->engine->loop->fds--; /* that of a backend */
		up->out_bytes += up->out.len;
		buf_clear(&up->out);
	}
	channel_wait(ch, TIMEOUT_IDLE, ch->engine->server->idle_timeout_ms);
}

/* One of the flows is through, the other is not. */
static bool
channel_is_half_closed(const struct weir_channel *ch)
{
	return (ch->flows[0].state == FLOW_SHUT) !=
	       (ch->flows[1].state == FLOW_SHUT);
}

/* A backend that is cut off has not ended, and may not have read all that is
 * meant for it: a close with unread bytes would reset that (RFC 1122,
 * 4.2.2.13). */
static bool
channel_drains_backend(const struct weir_channel *ch)
{
	return ch->joined && aside_cut(ch, WEIR_DOWN) != 0 &&
	       !ch->flows[WEIR_DOWN].drained;
}

/* Both directions are at their end. */
static void
channel_through(struct weir_channel *ch)
{
	const struct flow *up = &ch->flows[WEIR_UP];

	history_note(ch, HISTORY_TRANSPORT_FINISHED, WEIR_SELF, 0);
	/* A client that is cut off may be sending still. */
	channel_close(ch, WEIR_R_DONE, ch->ended_by, 0,
		aside_cut(ch, WEIR_UP) != 0 && !up->drained ? ENDING_LINGER
							    : ENDING_CLOSE);
}

static void
channel_relay(struct weir_channel *ch)
{
	bool half = channel_is_half_closed(ch);
	int dir;

	for (dir = 0; dir < 2; dir++) {
		flow_flush(ch, (enum weir_dir)dir);
		if (ch->flows[dir].held != 0) {
			chain_resume(ch, (enum weir_dir)dir);
			flow_flush(ch, WEIR_UP);
			flow_flush(ch, WEIR_DOWN);
		}
	}
	for (dir = 0; dir < 2 && !channel_is_ending(ch); dir++)
		flow_read(ch, (enum weir_dir)dir);
	if (ch->unanswered && ch->flows[WEIR_DOWN].in_bytes > 0)
		observe_answered(ch);
	for (dir = 0; dir < 2 && !channel_is_ending(ch); dir++)
		flow_settle(ch, (enum weir_dir)dir);
	if (channel_is_ending(ch) || ch->state != CHANNEL_JOINED)
		return;
	if (ch->flows[0].state == FLOW_SHUT &&
		ch->flows[1].state == FLOW_SHUT && !channel_drains_backend(ch))
		channel_through(ch);
	else if (!half && channel_is_half_closed(ch) && !ch->failing)
		channel_wait(ch, TIMEOUT_HALF_CLOSE,
			ch->engine->server->half_close_timeout_ms);
}

/* Is there work left that no event will announce? */
static bool
channel_can_go_on(const struct weir_channel *ch)
{
	int dir;

	if (ch->state == CHANNEL_ROUTE)
		return ch->preread != 0 ? flow_may_read(ch, WEIR_UP)
					: !wait_any_lasts(ch, HOOK_OPEN);
	if (ch->state == CHANNEL_RACE || ch->state == CHANNEL_CONNECT)
		return ch->dialed;
	if (ch->state != CHANNEL_JOINED)
		return false;
	for (dir = 0; dir < 2; dir++) {
		const struct flow *fl = &ch->flows[dir];

		if (flow_may_read(ch, (enum weir_dir)dir) ||
			((fl->held & ~fl->needing &
				 ~chain_barred(ch, (enum weir_dir)dir)) != 0 &&
				!chain_blocked(ch, (enum weir_dir)dir)) ||
			flow_may_settle(ch, (enum weir_dir)dir))
			return true;
	}
	return false;
}

void
channel_run(struct weir_channel *ch)
{
	ch->engine->loop->running = ch;
	if (ch->aside != NULL)
		wait_release(ch);
	if (ch->state == CHANNEL_OPEN)
		opening_open(ch);
	if (ch->told != ch->engine->events)
		engine_tell(ch);
	if (ch->state == CHANNEL_RACE)
		connect_race(ch);
	if (ch->state == CHANNEL_ROUTE && ch->preread != 0)
		channel_relay(ch);
	if (ch->state == CHANNEL_ROUTE && ch->preread == 0)
		opening_route(ch);
	/* What is meant for the client needs no backend. */
	if (ch->state < CHANNEL_JOINED) {
		if (ch->flows[WEIR_DOWN].held != 0)
			chain_resume(ch, WEIR_DOWN);
		flow_flush(ch, WEIR_DOWN);
		flow_settle(ch, WEIR_DOWN);
	}
	if (ch->state == CHANNEL_CONNECT)
		connect_run(ch);
	if (ch->state == CHANNEL_JOINED)
		channel_relay(ch);
	if (ch->state == CHANNEL_CLOSING)
		closing_run(ch);
	else if (channel_can_go_on(ch))
		channel_queue(ch);
	ch->engine->loop->running = NULL;
}

/* Are there bytes to pass on, which nobody looks at, and is that all there is
 * to do? */
static bool
channel_only_passes(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir], *back = &ch->flows[!dir];

	return ch->state == CHANNEL_JOINED && !ch->queued && !ch->unanswered &&
	       (ch->ends[dir].mask & ENDPOINT_READABLE) &&
	       fl->state == FLOW_OPEN && !fl->splices && flow_is_plain(fl) &&
	       back->state != FLOW_ENDED && flow_left(back) == 0;
}

void
channel_ready(struct endpoint *ep, uint32_t events)
{
	struct weir_channel *ch = (void *)((uint8_t *)(ep - ep->side) -
					   offsetof(struct weir_channel, ends));
	enum weir_dir dir = channel_dir((enum weir_side)ep->side);
	int err;

	if (ep->fd == -1)
		return; /* closed after the kernel had reported it */
	ch->engine->loop->running = ch;
	ep->mask |= (uint16_t)events;
	/* What becomes of a backend before it is joined is told otherwise. */
	if ((events & ENDPOINT_ERR) &&
		(ep->side == WEIR_FRONTEND || ch->state >= CHANNEL_JOINED)) {
		err = endpoint_take_error(ep);
		if (err != 0) {
			history_note(ch, HISTORY_READ_ERROR,
				(enum weir_side)ep->side, err);
			channel_side_failed(ch, (enum weir_side)ep->side, err);
		}
	}
	if ((events & ~(ENDPOINT_IN | ENDPOINT_OUT)) == 0 &&
		channel_only_passes(ch, dir) && flow_pass(ch, dir))
		ch->engine->loop->running = NULL;
	else
		channel_run(ch);
}

/* Keeps the first end that anybody saw. */
static void
channel_note(struct weir_channel *ch, enum weir_reason reason,
	enum weir_side by, int err)
{
	if (ch->reason != WEIR_R_NONE)
		return;
	ch->reason = (uint8_t)reason;
	ch->ended_ms = (uint32_t)(clock_ms() - ch->opened_ms);
	ch->ended_by = (uint8_t)by;
	ch->err = err;
}

void
channel_close(struct weir_channel *ch, enum weir_reason reason,
	enum weir_side by, int err, enum channel_ending ending)
{
	if (ch->state == CHANNEL_DEAD)
		return;
	if (ch->state != CHANNEL_CLOSING) {
		channel_note(ch, reason, by, err);
		ch->ending = (uint8_t)ending;
		channel_state(ch, CHANNEL_CLOSING);
	} else if (ending == ENDING_RESET && ch->ending != ENDING_SILENT) {
		ch->ending = ENDING_RESET;
	}
	channel_queue(ch);
}

static enum weir_reason
reason_of(int err)
{
	return err == ECONNRESET || err == EPIPE ? WEIR_R_RESET : WEIR_R_IO;
}

void
channel_side_failed(struct weir_channel *ch, enum weir_side side, int err)
{
	struct endpoint *ep = &ch->ends[side];
	enum weir_dir from = channel_dir(side);

	if (ep->err != 0)
		return;
	ep->err = err != 0 ? err : ECONNRESET;
	ep->mask |= ENDPOINT_ERR;
	if (channel_is_ending(ch))
		return;
	if (ch->state != CHANNEL_JOINED || ch->served || ch->failing) {
		channel_close(
			ch, reason_of(ep->err), side, ep->err, ENDING_RESET);
		return;
	}
	if (ch->flows[!from].state != FLOW_BROKEN)
		flow_state(ch, (enum weir_dir) !from, FLOW_BROKEN);
	if (ch->flows[from].state != FLOW_OPEN &&
		(ch->flows[from].state != FLOW_ENDED ||
			ch->flows[from].end_reached)) {
		channel_source_ended(ch, from, ep->err);
		return;
	}
	/* What it sent before is read and passed on first. */
	ch->failing = true;
	channel_note(ch, reason_of(ep->err), side, ep->err);
	channel_wait(ch, TIMEOUT_RESET_FLUSH, RESET_FLUSH_MS);
}

void
channel_source_ended(struct weir_channel *ch, enum weir_dir dir, int err)
{
	enum weir_side side = (enum weir_side)channel_source(ch, dir)->side;

	if (err != 0) {
		if (channel_source(ch, dir)->err == 0)
			history_note(ch, HISTORY_READ_ERROR, side, err);
		channel_source(ch, dir)->err = err;
		channel_close(ch, reason_of(err), side, err,
			ch->state != CHANNEL_JOINED || ch->served ? ENDING_RESET
			: dir == WEIR_UP ? ENDING_FLUSH_UP
					 : ENDING_FLUSH_DOWN);
		return;
	}
	history_note(ch, HISTORY_READ_FINISHED, side, 0);
	if (ch->flows[dir].state == FLOW_OPEN) {
		if (ch->ended_by == WEIR_SELF)
			ch->ended_by = (uint8_t)side;
		flow_state(ch, dir, FLOW_ENDED);
	}
	ch->flows[dir].drained = true;
	chain_feed(ch, dir, (const uint8_t *)"", 0, true);
}

void
channel_die(struct weir_channel *ch, bool reset)
{
	struct loop *loop = ch->engine->loop;

	channel_hang_up(ch, WEIR_FRONTEND, reset);
	channel_hang_up(ch, WEIR_BACKEND, reset);
	splice_drop(ch, WEIR_UP);
	splice_drop(ch, WEIR_DOWN);
	timeouts_clear(&loop->timeouts, &ch->phase);
	timeouts_clear(&loop->timeouts, &ch->total);
	if (ch->queued)
		TAILQ_REMOVE(&loop->run, ch, turn_link);
	ch->queued = false;
	loop->fds -= ch->served ? 1 : 2;
	channel_state(ch, CHANNEL_DEAD);
	if (loop->observers != NULL)
		observe_closed(ch);
	chain_leave(ch);
	channel_queue(ch);
}
