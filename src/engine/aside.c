/* aside.c - what only few channels need: waits, timers, a history. */
#include <stdlib.h>

#include "engine/aside.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/ticket.h"
#include "engine/timer.h"
#include "engine/wait.h"

struct aside *
aside_get(struct weir_channel *ch)
{
	if (ch->aside == NULL)
		ch->aside = calloc(1, sizeof(*ch->aside));
	return ch->aside;
}

void
aside_done(struct weir_channel *ch)
{
	if (ch->aside == NULL)
		return;
	wait_drop(ch);
	timer_drop(ch);
	history_drop(ch);
	ticket_give_back(&ch->engine->loop->tickets, ch->aside->slot);
	free(ch->aside->chosen);
	free(ch->aside);
	ch->aside = NULL;
}
