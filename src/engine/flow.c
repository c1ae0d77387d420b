/* flow.c - one direction of a channel: source, chain, sink. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/aside.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/flow.h"
#include "engine/history.h"
#include "engine/splice.h"
#include "engine/stage.h"
#include "engine/trace.h"

static const char *const words[] = {
#define X(id, word) [FLOW_##id] = word,
	FLOW_STATES(X)
#undef X
};

/* Allowed steps: bit of every state that may follow. */
static const uint8_t steps[FLOW_STATE_COUNT] = {
	[FLOW_OPEN] = 1u << FLOW_ENDED | 1u << FLOW_BROKEN,
	[FLOW_ENDED] = 1u << FLOW_SHUT | 1u << FLOW_BROKEN,
	[FLOW_SHUT] = 1u << FLOW_BROKEN,
	[FLOW_BROKEN] = 0,
};

const char *
flow_word(uint8_t state)
{
	return words[state];
}

void
flow_state(struct weir_channel *ch, enum weir_dir dir, enum flow_state to)
{
	struct flow *fl = &ch->flows[dir];

	log_debug("%s: #%llu: flow %s: %s -> %s", ch->engine->server->name,
		(unsigned long long)ch->id, dir == WEIR_UP ? "up" : "down",
		words[fl->state], words[to]);
	if (!(steps[fl->state] & 1u << to)) {
		log_alert("#%llu: flow may not go from %s to %s",
			(unsigned long long)ch->id, words[fl->state],
			words[to]);
		abort();
	}
	fl->state = (uint8_t)to;
	if (ch->traced)
		trace_words(ch, WEIR_SELF,
			dir == WEIR_UP ? "flow up:" : "flow down:", words[to],
			0);
	if (to == FLOW_BROKEN) {
		buf_clear(&fl->out);
		splice_drop(ch, dir);
	}
}

/* Can bytes of this direction be written at all, if the socket takes them? */
static bool
flow_has_sink(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	if (fl->state == FLOW_BROKEN || fl->state == FLOW_SHUT ||
		ch->ends[!dir].fd == -1)
		return false;
	return dir == WEIR_DOWN || ch->state == CHANNEL_JOINED ||
	       ch->state == CHANNEL_CLOSING;
}

/* May bytes be read that go nowhere, as the direction was ended before? */
static bool
flow_may_drain(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	return aside_cut(ch, dir) != 0 && !fl->drained &&
	       (ch->state == CHANNEL_JOINED ||
		       (ch->state == CHANNEL_ROUTE && dir == WEIR_UP &&
			       ch->preread != 0)) &&
	       (fl->state == FLOW_ENDED || fl->state == FLOW_SHUT);
}

bool
flow_may_read(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	if ((fl->held & ~fl->needing) != 0 ||
		!(ch->ends[dir].mask & ENDPOINT_READABLE) ||
		(fl->active != 0 && chain_blocked(ch, dir)))
		return false;
	if (fl->state != FLOW_OPEN)
		return flow_may_drain(ch, dir);
	if (ch->state == CHANNEL_JOINED)
		return flow_left(fl) == 0;
	/* Only who must see client bytes first makes us read them so early. */
	return ch->state == CHANNEL_ROUTE && dir == WEIR_UP &&
	       ch->preread != 0 && fl->out.len < ch->engine->server->hold_max;
}

/* Is the socket empty after a short read?  Then the next edge tells of more;
 * unless it stopped at an urgent byte, or where a unix socket has descriptors,
 * or where small segments fill a pipe. */
static bool
flow_trusts(const struct endpoint *from, bool spliced)
{
	return !spliced && !(from->mask & ENDPOINT_PRI) &&
	       !endpoint_is_unix(from);
}

/* There was no more to read.  Nor will be, if the end was known before: it came
 * behind all that was there (tcp(7): a FIN has its place in the sequence). */
static void
flow_emptied(struct endpoint *from)
{
	from->mask &= (uint16_t)~ENDPOINT_IN;
	if ((from->mask & (ENDPOINT_RDHUP | ENDPOINT_ERR)) == ENDPOINT_RDHUP)
		from->mask |= ENDPOINT_ENDS;
}

/* Reads once; how many bytes of the budget that takes.  Who splices has had his
 * share with one read, however big: the more waits, the less each byte costs.
 */
static size_t
flow_read_once(struct weir_channel *ch, enum weir_dir dir, size_t budget)
{
	struct loop *loop = ch->engine->loop;
	struct endpoint *from = channel_source(ch, dir);
	struct flow *fl = &ch->flows[dir];
	bool spliced;
	ssize_t n;

	if (from->mask & ENDPOINT_ENDS) {
		channel_source_ended(ch, dir, from->err);
		return 0;
	}
	spliced = splice_is_due(ch, dir);
	n = spliced ? splice_read(ch, dir)
		    : recv(from->fd, loop->scratch, budget, 0);
	if (n > 0) {
		/* Bits of an end or an error stay: they are read up to. */
		if ((size_t)n < budget && flow_trusts(from, spliced))
			flow_emptied(from);
		fl->in_bytes += (uint64_t)n;
		ch->last_ms = clock_ms();
		if (ch->traced)
			trace_bytes(ch, (enum weir_side)from->side, "read",
				spliced ? NULL : loop->scratch, (uint64_t)n);
		if (spliced)
			return budget;
		splice_watch(ch, dir, (size_t)n);
		if (fl->state == FLOW_OPEN && flow_is_plain(fl))
			flow_take(
				ch, dir, loop->scratch, (size_t)n, true, NULL);
		else
			chain_feed(ch, dir, loop->scratch, (size_t)n, false);
		return (size_t)n;
	}
	if (n == 0 && !spliced)
		channel_source_ended(ch, dir, from->err);
	else if (n == -1 && errno == EAGAIN)
		from->mask &= (uint16_t) ~(ENDPOINT_READABLE | ENDPOINT_PRI);
	else if (n == -1 && errno != EINTR)
		channel_source_ended(ch, dir, errno);
	return 0;
}

void
flow_read(struct weir_channel *ch, enum weir_dir dir)
{
	const struct endpoint *from = channel_source(ch, dir);
	size_t budget = ch->engine->server->read_max;

	while (budget > 0 && flow_may_read(ch, dir)) {
		budget -= flow_read_once(ch, dir, budget);
		/* The end goes with the last bytes, in one segment. */
		if ((from->mask & ENDPOINT_ENDS) && flow_may_read(ch, dir))
			flow_read_once(ch, dir, budget);
		flow_flush(ch, WEIR_UP);
		flow_flush(ch, WEIR_DOWN);
	}
}

bool
flow_pass(struct weir_channel *ch, enum weir_dir dir)
{
	flow_read(ch, dir);
	if (ch->state != CHANNEL_JOINED || ch->flows[dir].state != FLOW_OPEN)
		return false;
	if (flow_may_read(ch, dir))
		channel_queue(ch);
	return true;
}

static void
flow_nomem(struct weir_channel *ch)
{
	channel_close(ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
}

void
flow_cut(struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	struct flow *fl = &ch->flows[dir];
	struct aside *aside = aside_get(ch);

	if (aside == NULL) {
		flow_nomem(ch);
		return;
	}
	if (aside->cut[dir] == 0)
		fl->drained = fl->state != FLOW_OPEN;
	aside->cut[dir] |= stage_bit(i);
	if (fl->state == FLOW_OPEN)
		flow_state(ch, dir, FLOW_ENDED);
}

/* The view must not stay a view: copies it to the queue. */
static void
flow_keep_view(struct weir_channel *ch, enum weir_dir dir)
{
	struct view *view = &ch->engine->loop->view[dir];

	if (view->n > 0 &&
		buf_append(&ch->flows[dir].out, view->p, view->n) == -1)
		flow_nomem(ch);
	*view = (struct view){ 0 };
}

void
flow_take(struct weir_channel *ch, enum weir_dir dir, const uint8_t *p,
	size_t n, bool stable, struct seg *seg)
{
	struct flow *fl = &ch->flows[dir];
	struct view *view = &ch->engine->loop->view[dir];

	if (n == 0 || fl->state == FLOW_BROKEN ||
		(dir == WEIR_UP && ch->served)) {
		if (fl->state != FLOW_BROKEN)
			fl->out_bytes += n;
		seg_free(seg);
		return;
	}
	if (stable && flow_left(fl) == 0 &&
		(view->n == 0 || view->p + view->n == p)) {
		if (view->n == 0)
			view->p = p;
		view->n += n;
		return;
	}
	flow_keep_view(ch, dir);
	if (seg != NULL) {
		/* What was judged before these bytes has left already. */
		seg->start = (uint32_t)(p - seg->data);
		seg->end = seg->start + (uint32_t)n;
		buf_add_seg(&fl->out, seg);
	} else if (buf_append(&fl->out, p, n) == -1) {
		flow_nomem(ch);
	}
}

/* The sink takes no more for now. */
static void
flow_filled(struct weir_channel *ch, struct endpoint *to)
{
	to->mask &= (uint16_t)~ENDPOINT_OUT;
	if (poller_watch_out(&ch->engine->loop->poller, to) == -1)
		channel_close(ch, WEIR_R_NOMEM, WEIR_SELF, errno, ENDING_RESET);
}

/* Books what a write did; true when the sink may take more. */
static bool
flow_wrote(struct weir_channel *ch, enum weir_dir dir, ssize_t n, size_t wanted)
{
	struct endpoint *to = channel_sink(ch, dir);

	if (n >= 0) {
		ch->flows[dir].out_bytes += (uint64_t)n;
		weir_cell_add(&ch->engine->moved->sent[dir], (uint64_t)n);
		ch->last_ms = clock_ms();
		if (ch->traced && n > 0)
			trace_bytes(ch, (enum weir_side)to->side, "wrote", NULL,
				(uint64_t)n);
		if ((size_t)n == wanted)
			return true;
		flow_filled(ch, to);
	} else if (errno == EAGAIN || errno == EINPROGRESS) {
		/* The latter: a fast open whose cookie is gone (tcp(7)). */
		flow_filled(ch, to);
	} else if (errno == EINTR) {
		return true;
	} else {
		history_note(ch, HISTORY_WRITE_ERROR, (enum weir_side)to->side,
			errno);
		channel_side_failed(ch, (enum weir_side)to->side, errno);
	}
	return false;
}

/* Does shutdown(2) follow in this turn, once all is written?  Then the last
 * bytes wait for it, and share its segment. */
static int
flow_send_flags(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	return fl->end_reached && fl->state == FLOW_ENDED &&
			       !channel_is_ending(ch) &&
			       ch->ends[dir].err == 0 &&
			       !(ch->ends[!dir].mask & ENDPOINT_FAST)
		       ? MSG_NOSIGNAL | MSG_MORE
		       : MSG_NOSIGNAL;
}

void
flow_flush(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	struct view *view = &ch->engine->loop->view[dir];
	struct endpoint *to = channel_sink(ch, dir);
	bool more;

	if (view->n == 0 && flow_left(fl) == 0)
		return;
	more = flow_has_sink(ch, dir) && (to->mask & ENDPOINT_OUT);
	/* A short one does not tell that the sink is full. */
	while (more && fl->pipe != NULL) {
		ssize_t n = splice_write(ch, dir);

		more = flow_wrote(ch, dir, n, n > 0 ? (size_t)n : SIZE_MAX);
	}
	while (more && flow_left(fl) == 0 && view->n > 0) {
		ssize_t n = send(
			to->fd, view->p, view->n, flow_send_flags(ch, dir));

		more = flow_wrote(ch, dir, n, view->n);
		if (n > 0) {
			view->p += n;
			view->n -= (size_t)n;
		}
	}
	if (fl->state == FLOW_BROKEN)
		*view = (struct view){ 0 };
	flow_keep_view(ch, dir);
	while (more && fl->out.len > 0 && fl->pipe == NULL) {
		size_t wanted = buf_sendable(&fl->out);

		more = flow_wrote(ch, dir,
			buf_send(&fl->out, to->fd, flow_send_flags(ch, dir)),
			wanted);
	}
	if (flow_left(fl) == 0 && fl->held == 0)
		fl->emitters = 0;
}

bool
flow_may_settle(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	return fl->state == FLOW_ENDED && fl->end_reached &&
	       flow_left(fl) == 0 && !(ch->ends[!dir].mask & ENDPOINT_FAST);
}

void
flow_settle(struct weir_channel *ch, enum weir_dir dir)
{
	struct endpoint *to = channel_sink(ch, dir);

	/* shutdown(2) would give up a connect under way; that it is through,
	 * an edge tells. */
	if ((to->mask & ENDPOINT_FAST) && ch->flows[dir].end_reached &&
		!endpoint_is_connecting(to))
		to->mask &= (uint16_t)~ENDPOINT_FAST;
	if (!flow_may_settle(ch, dir) || channel_is_ending(ch) ||
		(dir == WEIR_UP && ch->state != CHANNEL_JOINED))
		return;
	if (channel_source(ch, dir)->err != 0) {
		/* Behind its end came a reset: that is the end to pass on. */
		channel_source_ended(ch, dir, channel_source(ch, dir)->err);
		return;
	}
	flow_state(ch, dir, FLOW_SHUT);
	if (dir == WEIR_UP && ch->served) {
		/* Whoever answered here has heard the end and said all. */
		if (ch->flows[WEIR_DOWN].state == FLOW_OPEN) {
			flow_state(ch, WEIR_DOWN, FLOW_ENDED);
			chain_feed(ch, WEIR_DOWN, (const uint8_t *)"", 0, true);
			flow_flush(ch, WEIR_UP);
			flow_flush(ch, WEIR_DOWN);
		}
		return;
	}
	/* When both are through, closing says it as well; it does not follow
	 * at once when one of them was ended by us. */
	if ((ch->flows[!dir].state != FLOW_SHUT || aside_cut(ch, dir) != 0 ||
		    aside_cut(ch, (enum weir_dir) !dir) != 0) &&
		shutdown(to->fd, SHUT_WR) == -1) {
		int err = endpoint_take_error(to);

		/* ENOTCONN alone: a reset, told of already. */
		channel_side_failed(ch, (enum weir_side)to->side,
			err != 0 ? err : ECONNRESET);
	}
}
