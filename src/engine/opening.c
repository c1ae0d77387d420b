/* opening.c - the first moments of a channel, until its backend is chosen. */
#include <errno.h>
#include <stdlib.h>

#include "engine/aside.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/opening.h"

static void
opening_serve(struct weir_channel *ch)
{
	channel_hang_up(ch, WEIR_BACKEND, true);
	ch->spare = false;
	ch->served = true;
	channel_state(ch, CHANNEL_JOINED);
}

void
opening_open(struct weir_channel *ch)
{
	if (!chain_open(ch) || channel_is_ending(ch))
		return;
	channel_state(ch, CHANNEL_ROUTE);
	if (ch->preread == 0)
		return;
	history_note(ch, HISTORY_START_READING, WEIR_FRONTEND, 0);
	channel_wait(
		ch, TIMEOUT_DUMB, ch->engine->server->dumb_connect_timeout_ms);
}

/* Keeps what was chosen, and needs no more client bytes. */
static void
opening_put_off(
	struct weir_channel *ch, const struct dial *dial, unsigned stage)
{
	struct aside *aside = aside_get(ch);

	if (aside != NULL)
		aside->chosen = malloc(sizeof(*aside->chosen));
	if (aside == NULL || aside->chosen == NULL) {
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
		return;
	}
	*aside->chosen = (struct chosen){ .dial = *dial, .stage = stage };
	ch->preread = 0;
}

void
opening_choose(struct weir_channel *ch, const struct dial *dial, unsigned stage)
{
	if (ch->state == CHANNEL_ROUTE && !dial->race && !ch->decided &&
		ch->engine->chain.late != 0) {
		if (ch->aside == NULL || ch->aside->chosen == NULL)
			opening_put_off(ch, dial, stage);
		return;
	}
	if (ch->state != CHANNEL_ROUTE &&
		((ch->state != CHANNEL_CONNECT && ch->state != CHANNEL_RACE) ||
			ch->dial_err == 0 || stage != ch->dial_stage))
		return;
	if (dial->serve)
		opening_serve(ch);
	else
		connect_start(ch, dial, stage);
}

void
opening_route(struct weir_channel *ch)
{
	struct chosen *chosen;

	if (!chain_open_late(ch)) {
		channel_wait(ch, TIMEOUT_DUMB, 0); /* nobody but us is silent */
		return;
	}
	chosen = ch->aside == NULL ? NULL : ch->aside->chosen;
	if (chosen == NULL) {
		chain_route(ch);
	} else if (!channel_is_ending(ch)) {
		ch->aside->chosen = NULL;
		opening_choose(ch, &chosen->dial, chosen->stage);
		free(chosen);
	}
	if (ch->state == CHANNEL_ROUTE)
		opening_serve(ch);
}
