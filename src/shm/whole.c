/* whole.c - what is done with all of a table. */
#include "shm/table_private.h"

uint64_t
table_sweep(struct weir_table *t, uint32_t *from, uint32_t n)
{
	uint64_t left = 0;
	uint32_t i;

	for (i = 0; i < n && i < t->n; i++, (*from)++) {
		struct stripe_of of = table_of(t, *from %= t->n);

		if (table_lock(t, *from, &of) == -1)
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
		struct stripe_of of = table_of(t, i);

		if (table_lock(t, i, &of) == -1)
			continue;
		stripe_clear(&t->stripes[i], &of);
		stripe_unlock(&t->stripes[i]);
	}
}

void
table_walk(struct weir_table *t, bool (*told)(void *arg, const struct row *row),
	void *arg)
{
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		struct stripe_of of = table_of(t, i);

		if (table_lock(t, i, &of) == -1)
			continue;
		stripe_walk(&t->stripes[i], &of, told, arg);
		stripe_unlock(&t->stripes[i]);
	}
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
		struct stripe_of of = table_of(t, i);

		if (table_lock(t, i, &of) == -1)
			return "a lock cannot be had";
		wrong = stripe_check(&t->stripes[i], &of);
		stripe_unlock(&t->stripes[i]);
	}
	return wrong;
}

/* What somebody wants to be told of. */
struct telling {
	bool (*told)(void *arg, struct weir_bytes key);
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

void
weir_table_walk(struct weir_table *t,
	bool (*told)(void *arg, struct weir_bytes key), void *arg)
{
	struct telling telling = { .told = told, .arg = arg };

	table_walk(t, telling_row, &telling);
}
