/* connect.c - reaching a backend. */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/dial.h"
#include "engine/engine.h"
#include "engine/observe.h"

#define TRIES_PER_TURN 16
#define WORD_EVERY_MS  1000

static void
connect_report(
	const struct weir_channel *ch, int err, const struct fault *fault)
{
	struct loop *loop = ch->engine->loop;
	char text[WEIR_ADDR_TEXT], from[WEIR_ADDR_TEXT], why[SOCKOPT_WHY];
	bool bound = fault->source.len != 0;
	struct weir_addr to;

	endpoint_peer(&ch->ends[WEIR_BACKEND], &to);
	/* What the peer or the net does is no error of ours; what we lack, we
	 * lack for many at once. */
	if (!fault_is_ours(fault, err)) {
		log_info("%s: #%llu: %s did not accept: %s",
			ch->engine->server->name, (unsigned long long)ch->id,
			weir_addr_text(&to, text), strerror(err));
	} else if (clock_ms() >= loop->next_word_ms) {
		loop->next_word_ms = clock_ms() + WORD_EVERY_MS;
		log_error("%s: #%llu: cannot connect to %s%s%s: %s",
			ch->engine->server->name, (unsigned long long)ch->id,
			weir_addr_text(&to, text), bound ? " from " : "",
			bound ? weir_addr_text(&fault->source, from) : "",
			fault_why(fault, err, why));
	}
}

/* Is this what the stage connected to in a race that the client has won? */
static bool
connect_has_spare(
	const struct weir_channel *ch, const struct dial *dial, unsigned stage)
{
	const struct endpoint *back = &ch->ends[WEIR_BACKEND];
	struct weir_addr to;

	/* From where it comes is not known any more. */
	if (!ch->spare || ch->dial_stage != stage || dial->source.len != 0 ||
		(back->mask & (ENDPOINT_ERR | ENDPOINT_HUP)))
		return false;
	endpoint_peer(back, &to);
	return to.len == dial->to.len &&
	       memcmp(&to.sa, &dial->to.sa, to.len) == 0;
}

void
connect_start(struct weir_channel *ch, const struct dial *dial, unsigned stage)
{
	struct endpoint *back = &ch->ends[WEIR_BACKEND];
	bool spare = connect_has_spare(ch, dial, stage);
	struct fault fault = { .option = SOCKOPT_NONE };

	chain_target(ch, &dial->to,
		ch->decided ? ~(uint64_t)0 : ~ch->engine->chain.late);
	if (channel_is_ending(ch))
		return;
	if (ch->state == CHANNEL_ROUTE)
		channel_state(ch, dial->race ? CHANNEL_RACE : CHANNEL_CONNECT);
	ch->dial_stage = (uint8_t)stage;
	ch->dial_err = 0;
	ch->dialed = false;
	ch->spare = false;
	channel_wait(ch, TIMEOUT_CONNECT,
		dial->timeout_ms != 0 ? dial->timeout_ms
				      : ch->engine->server->connect_timeout_ms);
	if (spare)
		return;
	channel_hang_up(ch, WEIR_BACKEND, false);
	poller_forget(&ch->engine->loop->poller, back);
	if (endpoint_set_peer(back, &dial->to) == -1) {
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
		return;
	}
	if (ch->engine->loop->observers != NULL)
		observe_dial(ch);
	back->fd = dial_open(ch, dial, &fault);
	back->mask = dial_is_fast(ch) ? ENDPOINT_FAST : 0;
	back->err = 0;
	if (back->fd == -1 || poller_add_endpoint(&ch->engine->loop->poller,
				      back, true) == -1) {
		/* Told by connect_run(): no callback inside another. */
		ch->dial_err = errno;
		ch->dialed = true;
		connect_report(ch, ch->dial_err, &fault);
	}
}

/* The client decides alone from here on; spare: a backend waits for it. */
static void
race_end(struct weir_channel *ch, bool spare)
{
	if (!spare)
		channel_hang_up(ch, WEIR_BACKEND, false);
	ch->spare = spare;
	ch->dialed = false;
	ch->dial_err = 0;
	ch->raced = true;
	channel_state(ch, CHANNEL_ROUTE);
	channel_wait(
		ch, TIMEOUT_DUMB, ch->engine->server->dumb_connect_timeout_ms);
}

void
connect_finish(struct weir_channel *ch, int err)
{
	static const struct fault none = { .option = SOCKOPT_NONE };

	if (ch->engine->loop->observers != NULL)
		observe_connected(ch, err);
	if (err == 0) {
		channel_state(ch, CHANNEL_JOINED);
		chain_connected(ch, 0);
		return;
	}
	/* What failed at once has been reported then. */
	if (!ch->dialed)
		connect_report(ch, err, &none);
	channel_hang_up(ch, WEIR_BACKEND, false);
	ch->dial_err = err;
	ch->dialed = false;
	chain_connected(ch, err);
	if (channel_is_ending(ch) || ch->dial_err == 0 || ch->dialed)
		return;
	if (ch->state == CHANNEL_RACE)
		race_end(ch, false);
	else
		channel_close(ch, WEIR_R_CONNECT, WEIR_BACKEND, err,
			ch->flows[WEIR_DOWN].out.len > 0 ? ENDING_LINGER
							 : ENDING_RESET);
}

/* Why a backend that nobody has heard of is gone. */
static int
connect_lost(const struct endpoint *back)
{
	int err = endpoint_take_error(back);

	return err != 0 ? err : ECONNRESET;
}

/* The outcome of the connect under way is known: takes it from the socket. */
static void
connect_outcome(struct weir_channel *ch)
{
	struct endpoint *back = &ch->ends[WEIR_BACKEND];
	int err = 0;

	if (back->mask & (ENDPOINT_ERR | ENDPOINT_HUP))
		err = endpoint_take_error(back);
	if (err != ECONNRESET && err != EPIPE) {
		connect_finish(ch, err);
		return;
	}
	/* It did accept; what it sent may still be there. */
	back->mask |= ENDPOINT_OUT;
	connect_finish(ch, 0);
	if (ch->state == CHANNEL_JOINED)
		channel_side_failed(ch, WEIR_BACKEND, err);
}

/* The backend was first: it is the one. */
static void
race_won(struct weir_channel *ch)
{
	uint64_t late = ch->decided ? 0 : ch->engine->chain.late;
	struct weir_addr to;

	/* Nobody but us is waited for. */
	channel_wait(ch, TIMEOUT_CONNECT, 0);
	if (!chain_open_late(ch) || channel_is_ending(ch))
		return;
	/* Who did not know whether he takes part has not been asked yet. */
	endpoint_peer(&ch->ends[WEIR_BACKEND], &to);
	chain_target(ch, &to, late);
	if (channel_is_ending(ch))
		return;
	ch->preread = 0;
	connect_finish(ch, 0);
}

void
connect_race(struct weir_channel *ch)
{
	const struct endpoint *back = &ch->ends[WEIR_BACKEND];
	int i;

	for (i = 0; i < TRIES_PER_TURN && ch->state == CHANNEL_RACE; i++) {
		bool over = back->mask & (ENDPOINT_ERR | ENDPOINT_HUP);

		if ((ch->ends[WEIR_FRONTEND].mask & ENDPOINT_READABLE) ||
			ch->preread == 0) {
			race_end(ch, !ch->dialed && !over);
		} else if (ch->dialed) {
			connect_finish(ch, ch->dial_err);
		} else if (over) {
			connect_finish(ch, connect_lost(back));
		} else if (back->mask & ENDPOINT_READABLE) {
			race_won(ch);
			return;
		} else {
			if ((back->mask & ENDPOINT_OUT) &&
				ch->phase.kind != TIMEOUT_IDLE)
				channel_wait(ch, TIMEOUT_IDLE,
					ch->engine->server->idle_timeout_ms);
			return;
		}
	}
}

void
connect_run(struct weir_channel *ch)
{
	const struct endpoint *back = &ch->ends[WEIR_BACKEND];

	int i;

	/* As addresses fail at once, others are tried; but the turn ends. */
	for (i = 0; i < TRIES_PER_TURN && ch->state == CHANNEL_CONNECT; i++) {
		if (ch->dialed)
			connect_finish(ch, ch->dial_err);
		else if (back->mask &
			 (ENDPOINT_OUT | ENDPOINT_ERR | ENDPOINT_HUP))
			connect_outcome(ch);
		else
			break;
	}
}
