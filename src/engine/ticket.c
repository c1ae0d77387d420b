/* ticket.c - names of channels that may outlive them. */
#include <stdlib.h>

#include "engine/ticket.h"

#define FIRST_SLOTS 16

void
tickets_done(struct tickets *ts)
{
	free(ts->slots);
	*ts = (struct tickets){ 0 };
}

/* Doubles the slots: the new ones are free. */
static int
tickets_grow(struct tickets *ts)
{
	uint32_t n = ts->n == 0 ? FIRST_SLOTS : ts->n * 2, i;
	struct ticket_slot *slots =
		reallocarray(ts->slots, n, sizeof(*ts->slots));

	if (slots == NULL)
		return -1;
	for (i = ts->n; i < n; i++)
		slots[i] = (struct ticket_slot){ .next_free = i + 1 < n ? i + 2
									: 0 };
	ts->first_free = ts->n + 1;
	ts->slots = slots;
	ts->n = n;
	return 0;
}

uint32_t
ticket_take(struct tickets *ts, struct weir_channel *ch)
{
	uint32_t number;

	if (ts->first_free == 0 && tickets_grow(ts) == -1)
		return 0;
	number = ts->first_free;
	ts->first_free = ts->slots[number - 1].next_free;
	ts->slots[number - 1].ch = ch;
	return number;
}

void
ticket_give_back(struct tickets *ts, uint32_t number)
{
	struct ticket_slot *slot;

	if (number == 0)
		return;
	slot = &ts->slots[number - 1];
	slot->ch = NULL;
	slot->age++;
	slot->next_free = ts->first_free;
	ts->first_free = number;
}

uint32_t
ticket_age(const struct tickets *ts, uint32_t number)
{
	return ts->slots[number - 1].age;
}

struct weir_channel *
ticket_owner(const struct tickets *ts, uint32_t number, uint32_t age)
{
	if (number == 0 || number > ts->n || ts->slots[number - 1].age != age)
		return NULL;
	return ts->slots[number - 1].ch;
}
