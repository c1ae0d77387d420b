/* timeouts.c - the time limits of all channels: links, not timer objects. */
#include "engine/timeouts.h"

#define SLOT_BITS 6 /* 64 slots */
#define SLOT_MASK (TIMEOUTS_SLOTS - 1)

static const char *const words[] = {
#define X(id, word) [TIMEOUT_##id] = word,
	TIMEOUT_KINDS(X)
#undef X
};

void
timeouts_init(struct timeouts *ts, uint64_t now_ms)
{
	unsigned level, slot;

	*ts = (struct timeouts){ .now_ms = now_ms, .next_ms = UINT64_MAX };
	for (level = 0; level < TIMEOUTS_LEVELS; level++)
		for (slot = 0; slot < TIMEOUTS_SLOTS; slot++)
			TAILQ_INIT(&ts->slots[level][slot]);
}

/* Number of the slot that a moment falls into, counted from zero time. */
static uint64_t
slot_of(uint64_t ms, unsigned level)
{
	return ms >> (SLOT_BITS * level);
}

/* Puts t where its time is, seen from now. */
static void
timeouts_insert(struct timeouts *ts, struct timeout *t)
{
	uint64_t left_ms = t->due_ms - ts->now_ms;
	unsigned level = 0;

	while (level < TIMEOUTS_LEVELS - 1 &&
		left_ms >> (SLOT_BITS * (level + 1)) != 0)
		level++;
	t->level = (uint8_t)level;
	t->slot = (uint8_t)(slot_of(t->due_ms, level) & SLOT_MASK);
	TAILQ_INSERT_TAIL(&ts->slots[level][t->slot], t, link);
	ts->used[level] |= (uint64_t)1 << t->slot;
}

static void
timeouts_take(struct timeouts *ts, struct timeout *t)
{
	struct timeout_head *head = &ts->slots[t->level][t->slot];

	TAILQ_REMOVE(head, t, link);
	if (TAILQ_EMPTY(head))
		ts->used[t->level] &= ~((uint64_t)1 << t->slot);
}

void
timeouts_set(struct timeouts *ts, struct timeout *t, enum timeout_kind kind,
	uint32_t value_ms, uint64_t since_ms)
{
	timeouts_clear(ts, t);
	if (value_ms == 0)
		return;
	t->kind = (uint8_t)kind;
	t->due_ms = since_ms + value_ms;
	if (t->due_ms <= ts->now_ms)
		t->due_ms = ts->now_ms + 1;
	timeouts_insert(ts, t);
	ts->exact += kind >= TIMEOUT_WAIT;
	if (t->due_ms < ts->next_ms)
		ts->next_ms = t->due_ms;
}

void
timeouts_clear(struct timeouts *ts, struct timeout *t)
{
	if (t->kind == TIMEOUT_NONE)
		return;
	timeouts_take(ts, t);
	ts->exact -= t->kind >= TIMEOUT_WAIT;
	t->kind = TIMEOUT_NONE;
}

/* When the first slot that is not empty begins, on any level. */
static uint64_t
timeouts_next(const struct timeouts *ts)
{
	uint64_t next_ms = UINT64_MAX;
	unsigned level;

	for (level = 0; level < TIMEOUTS_LEVELS; level++) {
		uint64_t at = slot_of(ts->now_ms, level), used, ms;
		unsigned turn = (unsigned)(at + 1) & SLOT_MASK;

		if (ts->used[level] == 0)
			continue;
		used = ts->used[level] >> turn;
		if (turn != 0)
			used |= ts->used[level] << (TIMEOUTS_SLOTS - turn);
		at += 1 + (unsigned)__builtin_ctzll(used);
		ms = at << (SLOT_BITS * level);
		if (ms < next_ms)
			next_ms = ms;
	}
	return next_ms;
}

/* Moves down who waits in the slots that begin now. */
static void
timeouts_cascade(struct timeouts *ts)
{
	unsigned level;

	for (level = TIMEOUTS_LEVELS - 1; level > 0; level--) {
		unsigned slot =
			(unsigned)slot_of(ts->now_ms, level) & SLOT_MASK;
		struct timeout *t, *last;

		if (slot_of(ts->now_ms, level) << (SLOT_BITS * level) !=
			ts->now_ms)
			continue;
		last = TAILQ_LAST(&ts->slots[level][slot], timeout_head);
		while (last != NULL) {
			t = TAILQ_FIRST(&ts->slots[level][slot]);
			if (t == last)
				last = NULL;
			timeouts_take(ts, t);
			timeouts_insert(ts, t);
		}
	}
}

void
timeouts_sweep(struct timeouts *ts, uint64_t now_ms, timeouts_due *due)
{
	uint64_t next_ms;

	while ((next_ms = timeouts_next(ts)) <= now_ms) {
		struct timeout_head *head;
		struct timeout *t;

		ts->now_ms = next_ms;
		timeouts_cascade(ts);
		head = &ts->slots[0][next_ms & SLOT_MASK];
		while ((t = TAILQ_FIRST(head)) != NULL &&
			t->due_ms == next_ms) {
			enum timeout_kind kind = t->kind;

			timeouts_clear(ts, t);
			due(t, kind);
		}
	}
	if (now_ms > ts->now_ms)
		ts->now_ms = now_ms;
	ts->next_ms = next_ms;
}

const char *
timeout_word(enum timeout_kind kind)
{
	return words[kind];
}
