/* timeouts.c - the time limits of all channels: links, not timer objects. */
#include <errno.h>
#include <stdlib.h>

#include "engine/timeouts.h"

TAILQ_HEAD(timeout_head, timeout);

struct timeout_list {
	struct timeout_head head;
	uint32_t value_ms;
};

static const char *const words[] = {
#define X(id, word) [TIMEOUT_##id] = word,
	TIMEOUT_KINDS(X)
#undef X
};

void
timeouts_init(struct timeouts *ts)
{
	*ts = (struct timeouts){ .next_ms = UINT64_MAX };
}

void
timeouts_done(struct timeouts *ts)
{
	uint16_t i;

	for (i = 0; i < ts->nlists; i++)
		free(ts->lists[i]);
	free(ts->lists);
	timeouts_init(ts);
}

static int
timeouts_list(struct timeouts *ts, uint32_t value_ms)
{
	struct timeout_list **lists, *list;
	uint16_t i;

	for (i = 0; i < ts->nlists; i++)
		if (ts->lists[i]->value_ms == value_ms)
			return i;
	if (ts->nlists == UINT16_MAX) {
		errno = ENOMEM;
		return -1;
	}
	lists = reallocarray(ts->lists, ts->nlists + 1u, sizeof(list));
	if (lists == NULL)
		return -1;
	ts->lists = lists;
	list = malloc(sizeof(*list));
	if (list == NULL)
		return -1;
	TAILQ_INIT(&list->head);
	list->value_ms = value_ms;
	ts->lists[ts->nlists] = list;
	return ts->nlists++;
}

int
timeouts_set(struct timeouts *ts, struct timeout *t, enum timeout_kind kind,
	uint32_t value_ms, uint64_t since_ms)
{
	struct timeout_list *list;
	struct timeout *after;
	int i;

	timeouts_clear(ts, t);
	if (value_ms == 0)
		return 0;
	i = timeouts_list(ts, value_ms);
	if (i == -1)
		return -1;
	list = ts->lists[i];
	/* Nearly always the last one: who is moved was active just now. */
	TAILQ_FOREACH_REVERSE(after, &list->head, timeout_head, link)
	if (after->since_ms <= since_ms)
		break;
	if (after == NULL)
		TAILQ_INSERT_HEAD(&list->head, t, link);
	else
		TAILQ_INSERT_AFTER(&list->head, after, t, link);
	t->kind = (uint8_t)kind;
	t->since_ms = since_ms;
	t->list = (uint16_t)i;
	if (since_ms + value_ms < ts->next_ms)
		ts->next_ms = since_ms + value_ms;
	return 0;
}

void
timeouts_clear(struct timeouts *ts, struct timeout *t)
{
	if (t->kind == TIMEOUT_NONE)
		return;
	TAILQ_REMOVE(&ts->lists[t->list]->head, t, link);
	t->kind = TIMEOUT_NONE;
}

void
timeouts_sweep(struct timeouts *ts, uint64_t now_ms, timeouts_due *due)
{
	uint64_t next_ms = UINT64_MAX;
	struct timeout *t;
	uint16_t i;

	for (i = 0; i < ts->nlists; i++) {
		struct timeout_list *list = ts->lists[i];

		while ((t = TAILQ_FIRST(&list->head)) != NULL &&
			t->since_ms + list->value_ms <= now_ms) {
			enum timeout_kind kind = t->kind;

			timeouts_clear(ts, t);
			due(t, kind);
		}
	}
	/* Only now: what was due may have set links in any list. */
	for (i = 0; i < ts->nlists; i++) {
		t = TAILQ_FIRST(&ts->lists[i]->head);
		if (t != NULL && t->since_ms + ts->lists[i]->value_ms < next_ms)
			next_ms = t->since_ms + ts->lists[i]->value_ms;
	}
	ts->next_ms = next_ms;
}

const char *
timeout_word(enum timeout_kind kind)
{
	return words[kind];
}
