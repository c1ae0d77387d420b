/* hold.c - bytes that a stage will be shown later. */
#include <stdlib.h>

#include "engine/channel.h"
#include "engine/hold.h"

static struct hold **
hold_find(struct weir_channel *ch, enum weir_dir dir, unsigned stage)
{
	struct hold **h = &ch->holds;

	while (*h != NULL && ((*h)->dir != dir || (*h)->stage != stage))
		h = &(*h)->next;
	return h;
}

int
hold_add(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const uint8_t *p, size_t n, bool eof, bool front)
{
	struct hold **at = hold_find(ch, dir, stage), *h = *at;
	struct buf ahead = { 0 };

	if (h == NULL) {
		h = calloc(1, sizeof(*h));
		if (h == NULL)
			return -1;
		h->stage = (uint8_t)stage;
		h->dir = (uint8_t)dir;
	}
	if (buf_append(front ? &ahead : &h->bytes, p, n) == -1) {
		if (*at == NULL)
			free(h);
		return -1;
	}
	buf_move_front(&h->bytes, &ahead);
	h->eof |= eof;
	*at = h;
	ch->flows[dir].held |= (uint64_t)1 << stage;
	return 0;
}

bool
hold_shift(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg **seg, bool *eof)
{
	struct hold **at = hold_find(ch, dir, stage), *h = *at;

	if (h == NULL)
		return false;
	*seg = buf_shift(&h->bytes);
	*eof = h->eof && h->bytes.head == NULL;
	if (h->bytes.head == NULL) {
		*at = h->next;
		free(h);
		ch->flows[dir].held &= ~((uint64_t)1 << stage);
	}
	return true;
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
