/* limits.c - what happens when a channel's time is up. */
#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/timer.h"
#include "engine/wait.h"

/* Length of a limit that each byte starts anew; 0: not one of these. */
static uint32_t
silence_ms(const struct conf_server *server, enum timeout_kind kind)
{
	switch (kind) {
	case TIMEOUT_DUMB:
		return server->dumb_connect_timeout_ms;
	case TIMEOUT_IDLE:
		return server->idle_timeout_ms;
	case TIMEOUT_HALF_CLOSE:
		return server->half_close_timeout_ms;
	default:
		return 0;
	}
}

static void
channel_expire(struct weir_channel *ch, enum timeout_kind kind)
{
	switch (kind) {
	case TIMEOUT_CONNECT:
		connect_finish(ch, ETIMEDOUT);
		break;
	case TIMEOUT_LINGER:
		channel_hang_up(ch, WEIR_BACKEND, true);
		channel_die(ch, false);
		break;
	case TIMEOUT_RESET_FLUSH:
		channel_close(
			ch, ch->reason, ch->ended_by, ch->err, ENDING_RESET);
		break;
	case TIMEOUT_RESET_POLL:
		break;
	case TIMEOUT_CLOSE_WAIT:
		channel_hurry(ch);
		break;
	default:
		history_note(ch, HISTORY_READ_TIMEOUT, WEIR_SELF, 0);
		if (ch->reason == WEIR_R_NONE)
			ch->detail = timeout_word(kind);
		channel_close(
			ch, WEIR_R_TIMEOUT, WEIR_SELF, ETIMEDOUT, ENDING_RESET);
	}
}

static void
channel_limit_due(struct timeout *t, enum timeout_kind kind)
{
	bool total = kind == TIMEOUT_SESSION || kind == TIMEOUT_PREREAD ||
		     kind == TIMEOUT_RESET_POLL;
	struct weir_channel *ch =
		(void *)((uint8_t *)t -
			 (total ? offsetof(struct weir_channel, total)
				: offsetof(struct weir_channel, phase)));
	uint32_t value_ms = silence_ms(ch->engine->server, kind);

	if (value_ms > 0 && clock_ms() - ch->last_ms < value_ms) {
		timeouts_set(&ch->engine->loop->timeouts, t, kind, value_ms,
			ch->last_ms);
		return;
	}
	channel_expire(ch, kind);
	if (ch->state != CHANNEL_DEAD)
		channel_run(ch);
}

void
channel_timeout_due(struct timeout *t, enum timeout_kind kind)
{
	if (kind == TIMEOUT_WAIT)
		wait_due(t);
	else if (kind == TIMEOUT_TIMER)
		timer_due(t);
	else
		channel_limit_due(t, kind);
}
