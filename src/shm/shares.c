/* shares.c - the verbs of a table that several machines share. */
#include <errno.h>

#include "base/clock.h"
#include "shm/owner.h"
#include "shm/place.h"
#include "shm/share.h"
#include "shm/table.h"

/* Who is told of rows. */
struct notice {
	const struct weir_table *t;
	uint64_t since;
	bool gone;
	weir_table_told *told;
	void *arg;
	unsigned rows;
};

bool
weir_table_is_shared(const struct weir_table *t)
{
	return t->shape.share != NULL;
}

uint64_t
weir_table_self(const struct weir_table *t)
{
	return t->shape.share->self;
}

unsigned
weir_table_parts(const struct weir_table *t)
{
	return t->n;
}

uint64_t
weir_table_turn(const struct weir_table *t)
{
	const struct owners *owners = shm_owners(t->shm);
	uint64_t turn = 0;
	unsigned i;

	for (i = 0; i < OWNERS; i++)
		turn += owners->turns[i];
	return turn;
}

static bool
notice_row(void *arg, const struct row *row)
{
	struct notice *g = arg;
	const struct shape *shape = &g->t->shape;
	const struct owners *owners = shm_owners(g->t->shm);
	struct weir_share own[WEIR_COLUMNS];
	unsigned i;

	g->rows++;
	if (!share_is_news(shape, row, g->since, owners, g->gone))
		return true;
	for (i = 0; i < shape->n; i++)
		own[i] = share_own(shape, row, i, owners);
	return g->told(g->arg,
		(struct weir_bytes){ .p = row->bytes, .len = row->key_len },
		own, shape->n);
}

int
weir_table_changes(struct weir_table *t, unsigned part, uint64_t *since,
	bool gone, weir_table_told *told, void *arg)
{
	struct notice g = {
		.t = t, .since = *since, .gone = gone, .told = told, .arg = arg
	};
	struct stripe_of of = place_of(t, part);

	/* A row that is changed now is found the next time. */
	if (!gone && t->shape.share->changes[part] == *since)
		return 0;
	if (place_lock_stripe(t, part, &of) == -1) {
		errno = ETIMEDOUT;
		return -1;
	}
	*since = t->shape.share->changes[part];
	stripe_walk(&t->stripes[part], &of, notice_row, &g);
	stripe_unlock(&t->stripes[part]);
	return (int)g.rows;
}

static bool
others_are_none(const struct weir_table *t, const struct weir_others *others)
{
	unsigned i;

	for (i = 0; i < t->shape.n; i++)
		if (others->columns[i].n != 0 || others->columns[i].before != 0)
			return false;
	return true;
}

int
weir_table_others(struct weir_table *t, struct weir_bytes key,
	const struct weir_others *others)
{
	struct place p;
	struct row *row = place_find(&p, t, key);

	/* Where a new key may be refused, room is for those that come here. */
	if (row == NULL && errno == ENOENT && !others_are_none(t, others) &&
		t->options.full == WEIR_FULL_EVICT)
		row = place_room(&p, t, key);
	if (row == NULL)
		return -1;
	if (share_set(&t->shape, row, others))
		stripe_use(p.stripe, &p.of, row);
	return place_done(&p, 0);
}

uint64_t
weir_table_clock(struct weir_table *t)
{
	clock_update();
	share_look(t->shape.share);
	return share_clock(&t->shape, clock_ms());
}

void
weir_table_fresh(struct weir_table *t, uint32_t ms)
{
	t->shape.share->until_ms = clock_ms() + ms;
}
