/* history.c - the last events of a channel, kept at log level debug. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/aside.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/trace.h"

#define EVENTS_KEPT 32
#define EVENT_TEXT  96

struct happening {
	uint32_t age_ms;
	int err;
	uint8_t event; /* enum history_event */
	uint8_t side;  /* enum weir_side */
};

struct history {
	unsigned n; /* ever noted: the last ones are kept */
	struct happening kept[EVENTS_KEPT];
};

static const char *const words[] = {
#define X(id, words) [HISTORY_##id] = words,
	HISTORY_EVENTS(X)
#undef X
};

void
history_keep(struct weir_channel *ch)
{
	if (log_enabled(LOG_LEVEL_DEBUG) && aside_get(ch) != NULL)
		ch->aside->history = calloc(1, sizeof(*ch->aside->history));
}

void
history_note(struct weir_channel *ch, enum history_event event,
	enum weir_side side, int err)
{
	struct history *h = ch->aside == NULL ? NULL : ch->aside->history;

	if (ch->traced)
		trace_words(ch, side, words[event], NULL, err);
	if (h == NULL)
		return;
	h->kept[h->n++ % EVENTS_KEPT] = (struct happening){
		.age_ms = (uint32_t)(clock_ms() - ch->opened_ms),
		.err = err,
		.event = (uint8_t)event,
		.side = (uint8_t)side
	};
}

static void
happening_text(const struct happening *e, char text[static EVENT_TEXT])
{
	static const char *const sides[] = { " frontend", " backend", "" };

	snprintf(text, EVENT_TEXT, "%u ms %s%s%s%.40s%s", e->age_ms,
		words[e->event], sides[e->side], e->err != 0 ? " (" : "",
		e->err != 0 ? strerror(e->err) : "", e->err != 0 ? ")" : "");
}

void
history_log(const struct weir_channel *ch)
{
	const struct history *h = ch->aside == NULL ? NULL : ch->aside->history;
	char line[EVENTS_KEPT * (EVENT_TEXT + 2)], *p = line;
	unsigned i;

	if (h == NULL)
		return;
	*p = '\0';
	for (i = h->n > EVENTS_KEPT ? h->n - EVENTS_KEPT : 0; i < h->n; i++) {
		char text[EVENT_TEXT];

		happening_text(&h->kept[i % EVENTS_KEPT], text);
		p += snprintf(p, (size_t)(line + sizeof(line) - p), "%s%s",
			p == line ? "" : ", ", text);
	}
	log_debug("%s: #%llu: history: %s", ch->engine->server->name,
		(unsigned long long)ch->id, line);
}

void
history_drop(struct weir_channel *ch)
{
	free(ch->aside->history);
	ch->aside->history = NULL;
}
