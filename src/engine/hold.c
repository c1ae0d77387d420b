/* hold.c - bytes that a stage will be shown later. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/channel.h"
#include "engine/hold.h"
#include "engine/stage.h"

static struct hold **
hold_find(struct weir_channel *ch, enum weir_dir dir, unsigned stage)
{
	struct hold **h = &ch->holds;

	while (*h != NULL && ((*h)->dir != dir || (*h)->stage != stage))
		h = &(*h)->next;
	return h;
}

/* The stage's hold, made when there is none; NULL with ENOMEM. */
static struct hold *
hold_get(struct weir_channel *ch, enum weir_dir dir, unsigned stage)
{
	struct hold **at = hold_find(ch, dir, stage);

	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at != NULL) {
			(*at)->stage = (uint8_t)stage;
			(*at)->dir = (uint8_t)dir;
			(*at)->since_ms = clock_ms();
		}
	}
	return *at;
}

/* Sets the flow's bits to what is true, and frees what holds nothing. */
static void
hold_settle(struct weir_channel *ch, enum weir_dir dir, unsigned stage)
{
	struct hold **at = hold_find(ch, dir, stage), *h = *at;
	struct flow *fl = &ch->flows[dir];
	uint64_t bit = stage_bit(stage);

	fl->held &= ~bit;
	fl->needing &= ~bit;
	fl->skipping &= ~bit;
	if (h == NULL)
		return;
	if (h->bytes.head != NULL || h->eof)
		fl->held |= bit;
	if (h->bytes.len < h->need && !h->eof)
		fl->needing |= bit;
	if (h->skip > 0)
		fl->skipping |= bit;
	if (!((fl->held | fl->skipping) & bit)) {
		*at = h->next;
		free(h);
	}
}

int
hold_add(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const uint8_t *p, size_t n, bool eof, bool front)
{
	struct hold *h = hold_get(ch, dir, stage);
	struct buf ahead = { 0 };
	int rc = -1;

	if (h != NULL)
		rc = buf_append(front ? &ahead : &h->bytes, p, n);
	if (rc == 0) {
		buf_move_front(&h->bytes, &ahead);
		h->eof |= eof;
	}
	hold_settle(ch, dir, stage);
	return rc;
}

int
hold_put_back(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg *seg, bool eof)
{
	struct hold *h = hold_get(ch, dir, stage);

	if (h == NULL)
		return -1;
	buf_unshift(&h->bytes, seg);
	h->eof |= eof;
	hold_settle(ch, dir, stage);
	return 0;
}

void
hold_need(struct weir_channel *ch, enum weir_dir dir, unsigned stage, size_t n)
{
	struct hold *h = *hold_find(ch, dir, stage);

	if (h != NULL)
		h->need = n;
	hold_settle(ch, dir, stage);
}

int
hold_skip(
	struct weir_channel *ch, enum weir_dir dir, unsigned stage, uint64_t n)
{
	struct hold *h = hold_get(ch, dir, stage);

	if (h == NULL)
		return -1;
	h->skip = n;
	hold_settle(ch, dir, stage);
	return 0;
}

size_t
hold_skipped(
	struct weir_channel *ch, enum weir_dir dir, unsigned stage, size_t n)
{
	struct hold *h = *hold_find(ch, dir, stage);

	if (h == NULL || h->skip == 0)
		return 0;
	if (n > h->skip)
		n = (size_t)h->skip;
	h->skip -= n;
	hold_settle(ch, dir, stage);
	return n;
}

uint64_t
hold_skip_left(
	const struct weir_channel *ch, enum weir_dir dir, uint64_t stages)
{
	const struct hold *h;
	uint64_t left = UINT64_MAX;

	if ((ch->flows[dir].skipping & stages) != stages)
		return 0;
	for (h = ch->holds; h != NULL; h = h->next)
		if (h->dir == dir && (stages & stage_bit(h->stage)) &&
			h->skip < left)
			left = h->skip;
	return left;
}

bool
hold_shift(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg **seg, bool *eof)
{
	struct hold *h = *hold_find(ch, dir, stage);

	if (h == NULL || !(ch->flows[dir].held & stage_bit(stage)) ||
		(ch->flows[dir].needing & stage_bit(stage)))
		return false;
	if (h->need > 0 && buf_pullup(&h->bytes) == -1) {
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
		return false;
	}
	h->need = 0;
	*seg = buf_shift(&h->bytes);
	*eof = h->eof && h->bytes.head == NULL;
	if (*eof)
		h->eof = false;
	hold_settle(ch, dir, stage);
	return true;
}

size_t
hold_len(const struct weir_channel *ch, enum weir_dir dir, uint64_t stages)
{
	const struct hold *h;
	size_t len = 0;

	for (h = ch->holds; h != NULL; h = h->next)
		if (h->dir == dir && (stages & stage_bit(h->stage)))
			len += h->bytes.len;
	return len;
}

void
hold_clear(struct weir_channel *ch, enum weir_dir dir, unsigned stage)
{
	struct hold *h = *hold_find(ch, dir, stage);

	if (h == NULL)
		return;
	buf_clear(&h->bytes);
	h->eof = false;
	h->skip = 0;
	h->need = 0;
	hold_settle(ch, dir, stage);
}

void
hold_drop(struct weir_channel *ch)
{
	struct hold *h;

	while ((h = ch->holds) != NULL) {
		ch->holds = h->next;
		buf_clear(&h->bytes);
		free(h);
	}
	ch->flows[0].held = ch->flows[1].held = 0;
}
