/* claim.c - columns of tables that middlewares count in: whether they are there
 * and go together. */
#include <stdlib.h>
#include <string.h>

#include "api/limiter.h"
#include "base/units.h"
#include "conf/claim.h"
#include "conf/entry.h"
#include "conf/late.h"

struct claim {
	struct weir_claim is;
	const struct conf_entry *entry;
	const struct conf_stage *stage;
	const char *server; /* path of its list, the same for all of it */
	size_t index;
};

static void column_check(struct option_loader *l, const struct claim *c);
static const struct weir_column *
column_find(const struct weir_table_spec *spec, const char *name);
static void column_error(struct option_loader *l, const struct claim *c,
	const struct weir_table_spec *spec);
static void ttl_check(struct option_loader *l, const struct claim *c,
	const struct weir_table_spec *spec);
static int claim_compare(const void *left, const void *right);
static bool claims_meet(const struct claim *a, const struct claim *b);
static const char *
claims_why(struct arena *a, const struct claim *c, const struct claim *first);
static bool claims_count_twice(const struct claim *a, const struct claim *b);
static void claim_error(struct option_loader *l, const struct claim *c,
	const struct claim *other, const char *why);

void
claims_keep(struct option_loader *l, const struct conf_entry *e,
	const struct conf_stage *stage, const char *server)
{
	struct claims *all = l->claims;
	struct claim c = { .entry = e, .stage = stage, .server = server };
	unsigned i;

	if (all == NULL || all->unsure || l->extensions == NULL || e->failed ||
		stage->mw->claim == NULL)
		return;
	for (i = 0; stage->mw->claim(stage->conf, i, &c.is); i++) {
		column_check(l, &c);
		c.index = all->n;
		all->v = arena_grow(
			l->diag->arena, all->v, all->n, sizeof(*all->v));
		all->v[all->n++] = c;
	}
}

void
claims_check(struct option_loader *l)
{
	struct claims *all = l->claims;
	const char *why;
	size_t i, j, first = 0;

	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v), claim_compare);
	for (i = 1; i < all->n; i++) {
		const struct claim *c = &all->v[i];

		if (!claims_meet(c, &all->v[first])) {
			first = i;
			continue;
		}
		why = claims_why(l->diag->arena, c, &all->v[first]);
		if (why != NULL) {
			claim_error(l, c, &all->v[first], why);
			continue;
		}
		/* Those of its own chain stand just before it. */
		for (j = i; j-- > first &&
			    strcmp(all->v[j].server, c->server) == 0;)
			if (claims_count_twice(&all->v[j], c)) {
				claim_error(l, c, &all->v[j],
					"so that each channel counts twice");
				break;
			}
	}
}

/* ---- the table ----------------------------------------------------------- */

static void
column_check(struct option_loader *l, const struct claim *c)
{
	const struct conf_extension *ext = l->extensions->v;
	struct weir_table_spec spec = { .name = NULL };
	const struct weir_column *column;
	size_t i = 0;

	while (i < l->extensions->n &&
		strcmp(ext[i].name, c->is.by->table) != 0)
		i++;
	if (i == l->extensions->n || ext[i].type->table == NULL ||
		!ext[i].type->table(ext[i].conf, 0, &spec))
		return;
	column = column_find(&spec, c->is.column);
	if (column == NULL || column->type != c->is.type)
		column_error(l, c, &spec);
	else
		ttl_check(l, c, &spec);
}

static const struct weir_column *
column_find(const struct weir_table_spec *spec, const char *name)
{
	unsigned i;

	for (i = 0; i < spec->ncolumns; i++)
		if (strcmp(spec->columns[i].name, name) == 0)
			return &spec->columns[i];
	return NULL;
}

static const char *
type_word(enum weir_column_type type)
{
	static const char *const words[] = {
#define X(id, word) [WEIR_COLUMN_##id] = word,
		WEIR_COLUMN_TYPES(X)
#undef X
	};

	return words[type];
}

/* Where an option of the entry was written, or else the entry. */
static const struct place *
option_place(const struct claim *c, const char *option)
{
	const struct node *node = node_member(c->entry->node, option);

	return node != NULL ? &node->place : &c->entry->node->place;
}

static void
column_error(struct option_loader *l, const struct claim *c,
	const struct weir_table_spec *spec)
{
	struct arena *a = l->diag->arena;
	const char *all = "";
	unsigned i;

	for (i = 0; i < spec->ncolumns; i++)
		if (spec->columns[i].type == c->is.type)
			all = arena_printf(a, "%s%s\"%.64s\"", all,
				*all != '\0' ? ", " : "",
				spec->columns[i].name);
	diag_error(l->diag, option_place(c, c->is.option), c->entry->path,
		"option \"%s\" = \"%.64s\": table \"%.64s\" has no column of "
		"that name and of type \"%s\" (of that type it has: %s)",
		c->is.option, c->is.column, c->is.by->table,
		type_word(c->is.type), *all != '\0' ? all : "none");
}

/* How long what was counted matters. */
static double
claim_ms(const struct weir_claim *c)
{
	const struct weir_bucket *b = &c->bucket;

	if (c->type == WEIR_COLUMN_PERIOD)
		return (double)c->period_ms;
	if (c->type == WEIR_COLUMN_TOKENS && b->rate > 0)
		return (double)b->burst * b->per_ms / (double)b->rate;
	return 0;
}

/* A key that is forgotten early has the whole of its limit again. */
static void
ttl_check(struct option_loader *l, const struct claim *c,
	const struct weir_table_spec *spec)
{
	char ttl[UNITS_TEXT], wanted[UNITS_TEXT];
	double ms = claim_ms(&c->is);

	if (spec->ttl_ms == 0 || ms <= (double)spec->ttl_ms)
		return;
	diag_error(l->diag, option_place(c, "table"), c->entry->path,
		"table \"%.64s\" forgets a key %s after its last use (its "
		"option \"ttl\"), but what this counts has to be known for "
		"%s: give the table a longer ttl",
		c->is.by->table, units_time_text(spec->ttl_ms, ttl),
		units_time_text(
			ms < 9e15 ? (int64_t)ms + (ms > (double)(int64_t)ms)
				  : INT64_MAX,
			wanted));
}

/* ---- one beside the other ------------------------------------------------ */

static int
claim_compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int c = strcmp(a->is.by->table, b->is.by->table);

	if (c == 0)
		c = strcmp(a->is.column, b->is.column);
	return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

static bool
claims_meet(const struct claim *a, const struct claim *b)
{
	return strcmp(a->is.by->table, b->is.by->table) == 0 &&
	       strcmp(a->is.column, b->is.column) == 0;
}

/* Why what they count cannot be in one column, or NULL.  They may have limits
 * of their own: how it comes again must be the same. */
static const char *
claims_why(struct arena *a, const struct claim *c, const struct claim *first)
{
	const struct weir_bucket *b = &c->is.bucket, *o = &first->is.bucket;
	char mine[UNITS_TEXT], other[UNITS_TEXT];

	if (c->is.type != first->is.type)
		return NULL;
	if (strcmp(c->is.counts, first->is.counts) != 0)
		return arena_printf(a, "which counts %s there, and this %s",
			first->is.counts, c->is.counts);
	if (c->is.type == WEIR_COLUMN_PERIOD &&
		c->is.period_ms != first->is.period_ms)
		return arena_printf(a,
			"which has a period of %s there, and this one of %s",
			units_time_text((int64_t)first->is.period_ms, other),
			units_time_text((int64_t)c->is.period_ms, mine));
	if (c->is.type == WEIR_COLUMN_TOKENS &&
		(double)b->rate * o->per_ms != (double)o->rate * b->per_ms)
		return arena_printf(a,
			"which has a rate of %llu in %s there, and this one of "
			"%llu in %s",
			(unsigned long long)o->rate,
			units_time_text(o->per_ms, other),
			(unsigned long long)b->rate,
			units_time_text(b->per_ms, mine));
	return NULL;
}

static bool
keys_are_one(const struct weir_limiter *a, const struct weir_limiter *b)
{
	if ((a->key == NULL) != (b->key == NULL))
		return false;
	return a->key == NULL
		       ? a->prefix4 == b->prefix4 || a->prefix6 == b->prefix6
		       : strcmp(late_text(WEIR_T_FORMAT, a->key),
				 late_text(WEIR_T_FORMAT, b->key)) == 0;
}

/* Two of a chain, not two columns of one entry, that no condition tells apart.
 */
static bool
claims_count_twice(const struct claim *a, const struct claim *b)
{
	return a->stage != b->stage && a->stage->when == NULL &&
	       b->stage->when == NULL && keys_are_one(a->is.by, b->is.by);
}

static void
claim_error(struct option_loader *l, const struct claim *c,
	const struct claim *other, const char *why)
{
	diag_error(l->diag, option_place(c, c->is.option), c->entry->path,
		"counts in column \"%.64s\" of table \"%.64s\" as %s (%s) "
		"does, %s: give each a column of its own (option \"%s\", and "
		"\"columns\" of the table), or a table, or the same settings "
		"in different servers",
		c->is.column, c->is.by->table,
		diag_place(l->diag, &other->entry->node->place),
		other->entry->path, why, c->is.option);
}
