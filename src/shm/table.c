/* table.c - a table in shared memory: keys, spread over stripes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/place.h"
#include "shm/table.h"

#define SPREAD	    32 /* stripes that there are at least, if they have */
#define SPREAD_SIZE ((size_t)2 * SHM_EXTENT)
#define STRIPE_SIZE ((size_t)16 * SHM_EXTENT) /* rows of one, about */
#define STRIPE_MOST 64 /* extents of one: more make what has a lock slow */
#define STRIPES	    4096

/* ---- making -------------------------------------------------------------- */

static uint32_t
stripes_for(size_t size)
{
	uint32_t n = 1;

	while (n < STRIPES &&
		n * (n < SPREAD ? SPREAD_SIZE : STRIPE_SIZE) < size)
		n *= 2;
	return n;
}

static int
stripes_init(struct weir_table *t)
{
	uint32_t i;
	int err;

	for (i = 0; i < t->n; i++) {
		if (stripe_init(&t->stripes[i], t->shm, place_of(t, i).owner) ==
			0)
			continue;
		err = errno;
		shm_zone_drop(t->shm, t->zone);
		t->zone = NULL;
		errno = err;
		return -1;
	}
	return 0;
}

int
table_init(struct weir_table *t, struct shm *shm,
	const struct table_options *options, bool *fresh)
{
	size_t size, most;

	*t = (struct weir_table){ .shm = shm, .options = *options };
	if (options->ncolumns <= WEIR_COLUMNS)
		memcpy(t->columns, options->columns,
			options->ncolumns * sizeof(*t->columns));
	t->shape = (struct shape){ .columns = t->columns,
		.n = options->ncolumns,
		.key_most = options->key_most,
		.holders = options->holders };
	if (shape_init(&t->shape) == -1)
		return -1;
	t->n = stripes_for(options->size);
	size = t->n * sizeof(*t->stripes);
	t->zone =
		shm_zone_open(shm, options->name, t->shape.layout, size, fresh);
	if (t->zone == NULL)
		return -1;
	t->stripes = shm_zone_data(shm, t->zone);
	/* Of another size before, it keeps its stripes, but may grow. */
	t->n = 1;
	while ((size_t)t->n * 2 * sizeof(*t->stripes) <=
		(size_t)t->zone->n * SHM_EXTENT)
		t->n *= 2;
	most = options->size / SHM_EXTENT / t->n;
	t->extents_most = most > STRIPE_MOST ? STRIPE_MOST
			  : most > 0	     ? (uint32_t)most
					     : 1;
	if (*fresh && stripes_init(t) == -1)
		return -1;
	t->later_ms = calloc(t->n, sizeof(*t->later_ms));
	return t->later_ms == NULL ? -1 : 0;
}

void
table_done(struct weir_table *t)
{
	owed_drop(t);
	free(t->later_ms);
	t->later_ms = NULL;
}

void
table_own(struct weir_table *t, uint64_t me)
{
	t->me = me;
	t->pid = getpid();
}

/* ---- all of it ----------------------------------------------------------- */

uint64_t
table_sweep(struct weir_table *t, uint32_t *from, uint32_t n)
{
	uint64_t left = 0;
	uint32_t i;

	for (i = 0; i < n && i < t->n; i++, (*from)++) {
		struct stripe_of of = place_of(t, *from %= t->n);

		if (place_lock_stripe(t, *from, &of) == -1)
			continue;
		left += stripe_sweep(&t->stripes[*from], &of);
		stripe_unlock(&t->stripes[*from]);
	}
	return left;
}

void
table_clear(struct weir_table *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		struct stripe_of of = place_of(t, i);

		if (place_lock_stripe(t, i, &of) == -1)
			continue;
		stripe_clear(&t->stripes[i], &of);
		stripe_unlock(&t->stripes[i]);
	}
}

int
table_walk_part(struct weir_table *t, uint32_t i,
	bool (*told)(void *arg, const struct row *row), void *arg)
{
	struct stripe_of of = place_of(t, i);

	if (place_lock_stripe(t, i, &of) == -1)
		return -1;
	stripe_walk(&t->stripes[i], &of, told, arg);
	stripe_unlock(&t->stripes[i]);
	return 0;
}

uint32_t
table_walk(struct weir_table *t, bool (*told)(void *arg, const struct row *row),
	void *arg)
{
	uint32_t i, out = 0;

	for (i = 0; i < t->n; i++)
		out += table_walk_part(t, i, told, arg) == -1;
	return out;
}

uint64_t
table_count(struct weir_table *t)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < t->n; i++)
		n += t->stripes[i].live;
	return n;
}

uint64_t
table_repaired(struct weir_table *t)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < t->n; i++)
		n += t->stripes[i].repaired;
	return n;
}

const char *
table_check(struct weir_table *t)
{
	const char *wrong = NULL;
	uint32_t i;

	for (i = 0; i < t->n && wrong == NULL; i++) {
		struct stripe_of of = place_of(t, i);

		if (place_lock_stripe(t, i, &of) == -1)
			return "a lock cannot be had";
		wrong = stripe_check(&t->stripes[i], &of);
		stripe_unlock(&t->stripes[i]);
	}
	return wrong;
}

/* What somebody wants to be told of. */
struct telling {
	weir_key_told *told;
	void *arg;
	bool over;
};

static bool
telling_row(void *arg, const struct row *row)
{
	struct telling *t = arg;

	t->over = t->over ||
		  !t->told(t->arg, (struct weir_bytes){ .p = row->bytes,
					   .len = row->key_len });
	return !t->over;
}

int
weir_table_walk(struct weir_table *t, weir_key_told *told, void *arg)
{
	struct telling telling = { .told = told, .arg = arg };

	if (table_walk(t, telling_row, &telling) == 0)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}
