/* closing.c - the last moments of a channel whose reason is fixed. */
#include <sys/socket.h>

#include <errno.h>

#include "base/clock.h"
#include "engine/aside.h"
#include "engine/call.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/closing.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/wait.h"

#define LINGER_MS      2000
#define LINGER_BYTES   65536
#define RESET_FLUSH_MS 1000
#define RESET_POLL_MS  5

/* Reads and drops, so that the peer's bytes do not turn our last words into
 * a reset (RFC 1122, 4.2.2.13); true when there is nothing to wait for. */
static bool
linger_read(struct weir_channel *ch)
{
	struct loop *loop = ch->engine->loop;
	struct endpoint *front = &ch->ends[WEIR_FRONTEND];

	while (front->mask & ENDPOINT_READABLE) {
		ssize_t n = recv(front->fd, loop->scratch,
			loop->scratch_size < LINGER_BYTES ? loop->scratch_size
							  : LINGER_BYTES,
			0);

		if (n > 0) {
			ch->lingered += (uint32_t)n;
			if (ch->lingered > LINGER_BYTES)
				return true;
		} else if (n == -1 && errno == EAGAIN) {
			front->mask &= (uint16_t)~ENDPOINT_READABLE;
		} else if (n == 0 || errno != EINTR) {
			return true;
		}
	}
	return false;
}

/* No event tells that the peer's kernel has acknowledged what was written. */
static void
closing_poll(struct weir_channel *ch)
{
	timeouts_set(&ch->engine->loop->timeouts, &ch->total,
		TIMEOUT_RESET_POLL, RESET_POLL_MS, clock_ms());
}

/* Is all of a flow with the other side's kernel, or can it never be? */
static bool
closing_is_through(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct endpoint *to = &ch->ends[!dir];

	return to->fd == -1 || to->err != 0 ||
	       (flow_left(&ch->flows[dir]) == 0 && endpoint_unacked(to) == 0);
}

/* The backend gets what was meant for it; then a reset, for this is no end
 * that it should take for a clean one.  True when it is closed. */
static bool
linger_backend(struct weir_channel *ch)
{
	flow_flush(ch, WEIR_UP);
	if (ch->joined && !closing_is_through(ch, WEIR_UP)) {
		closing_poll(ch);
		return false;
	}
	channel_hang_up(ch, WEIR_BACKEND, true);
	return true;
}

/* The client gets our last words and an end, and may finish what it sends.
 * True when there is nothing to wait for. */
static bool
linger_frontend(struct weir_channel *ch)
{
	struct endpoint *front = &ch->ends[WEIR_FRONTEND];

	flow_flush(ch, WEIR_DOWN);
	if (front->err != 0)
		return true;
	if (!ch->lingering && flow_left(&ch->flows[WEIR_DOWN]) == 0) {
		ch->lingering = true;
		if (shutdown(front->fd, SHUT_WR) == -1)
			return true;
	}
	/* Before the last word is written a reset may be the answer to it. */
	return linger_read(ch) && ch->lingering;
}

static void
linger_run(struct weir_channel *ch)
{
	bool front, back;

	if (ch->phase.kind != TIMEOUT_LINGER) {
		channel_wait(ch, TIMEOUT_LINGER, LINGER_MS);
		endpoint_push(&ch->ends[WEIR_BACKEND]);
	}
	back = linger_backend(ch);
	front = linger_frontend(ch);
	if (back && front)
		channel_die(ch, false);
}

/* The bytes that were read before a reset go first, then the reset. */
static void
reset_run(struct weir_channel *ch, enum weir_dir dir)
{
	if (ch->phase.kind != TIMEOUT_RESET_FLUSH) {
		channel_wait(ch, TIMEOUT_RESET_FLUSH, RESET_FLUSH_MS);
		/* They may wait for an end that does not come. */
		endpoint_push(channel_sink(ch, dir));
	}
	channel_hang_up(
		ch, (enum weir_side)channel_source(ch, dir)->side, true);
	flow_flush(ch, dir);
	if (closing_is_through(ch, dir))
		channel_die(ch, true);
	else if (flow_left(&ch->flows[dir]) == 0)
		closing_poll(ch);
}

void
closing_run(struct weir_channel *ch)
{
	switch ((enum channel_ending)ch->ending) {
	case ENDING_CLOSE:
		channel_die(ch, false);
		break;
	case ENDING_RESET:
		channel_die(ch, true);
		break;
	case ENDING_SILENT:
		endpoint_hush(&ch->ends[WEIR_FRONTEND]);
		channel_die(ch, true);
		break;
	case ENDING_LINGER:
		linger_run(ch);
		break;
	case ENDING_FLUSH_UP:
		reset_run(ch, WEIR_UP);
		break;
	case ENDING_FLUSH_DOWN:
		reset_run(ch, WEIR_DOWN);
		break;
	}
}

void
channel_hang_up(struct weir_channel *ch, enum weir_side side, bool reset)
{
	if (ch->ends[side].fd == -1)
		return;
	history_note(ch, HISTORY_CLOSE, side, 0);
	if (endpoint_close(&ch->ends[side], reset) == -1)
		history_note(ch, HISTORY_CLOSE_ERROR, side, errno);
}

void
channel_hurry(struct weir_channel *ch)
{
	if (ch->state != CHANNEL_DEAD || ch->hurried)
		return;
	ch->hurried = true;
	wait_end(ch, HOOK_CLOSE);
}

static void
channel_free(struct weir_channel *ch)
{
	struct engine *engine = ch->engine;
	int dir;

	/* A wait that was over at once has queued it again. */
	if (ch->queued)
		TAILQ_REMOVE(&engine->loop->dead, ch, turn_link);
	timeouts_clear(&engine->loop->timeouts, &ch->phase);
	history_note(ch, HISTORY_CLEANUP_FINISHED, WEIR_SELF, 0);
	history_log(ch);
	call_unlock_all(ch);
	aside_done(ch);
	cursors_forget(ch);
	TAILQ_REMOVE(&engine->channels, ch, all_link);
	engine->loop->channels--;
	hold_drop(ch);
	for (dir = 0; dir < 2; dir++)
		buf_clear(&ch->flows[dir].out);
	endpoint_done(&ch->ends[WEIR_FRONTEND]);
	endpoint_done(&ch->ends[WEIR_BACKEND]);
	pool_put(&engine->blocks, ch);
}

void
channel_bury(struct weir_channel *ch)
{
	if (chain_close(ch))
		channel_free(ch);
}
