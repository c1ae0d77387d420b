/* backends.c - the backends that a process has seen: so many places, and one
 * for all others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

/* The two series of place i of n. */
static void
backend_series(
	struct weir_series series[2], char label[16], unsigned i, unsigned n)
{
	snprintf(label, 16, "%u", i);
	series[0] = (struct weir_series){ .family = FAMILY_BACKEND,
		.labels = { i == n ? BACKENDS_ALL : label },
		.kind = WEIR_COUNTER_SUM,
		.n = cells_in(backend_figures) };
	series[1] = (struct weir_series){ .family = FAMILY_BACKEND_ACTIVE,
		.labels = { series[0].labels[0] },
		.kind = WEIR_COUNTER_GAUGE,
		.n = 1 };
}

int
backends_count(struct weir_counters *c, unsigned n)
{
	struct weir_series series[2];
	char label[16];
	unsigned i;

	for (i = 0; i <= n; i++) {
		backend_series(series, label, i, n);
		if (weir_series_add(c, &series[0]) == -1 ||
			weir_series_add(c, &series[1]) == -1)
			return -1;
	}
	return 0;
}

int
backends_init(struct backends *b, struct weir_counters *c, unsigned n)
{
	struct weir_series series[2];
	char label[16];
	unsigned i;

	*b = (struct backends){ .n = n, .nindex = 16 };
	while (b->nindex < 2 * n)
		b->nindex *= 2;
	b->v = calloc(n + 1, sizeof(*b->v));
	b->index = calloc(b->nindex, sizeof(*b->index));
	if (b->v == NULL || b->index == NULL)
		return -1;
	for (i = 0; i <= n; i++) {
		backend_series(series, label, i, n);
		b->v[i].cells =
			weir_series_cells(c, weir_series_find(c, &series[0]));
		b->v[i].active =
			weir_series_cells(c, weir_series_find(c, &series[1]));
		if (b->v[i].cells == NULL || b->v[i].active == NULL)
			return -1;
	}
	return 0;
}

void
backends_done(struct backends *b)
{
	free(b->v);
	free(b->index);
	*b = (struct backends){ .v = NULL };
}

static uint32_t
addr_hash(const struct weir_addr *addr)
{
	const uint8_t *p = (const uint8_t *)&addr->sa;
	uint32_t hash = 2166136261u;
	socklen_t i;

	for (i = 0; i < addr->len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return hash ^ hash >> 16;
}

/* Has the place been given to that address, by this process or one before? */
static bool
backend_has(const struct backend *p, const char text[WEIR_ADDR_TEXT])
{
	/* Nobody but this process writes it. */
	return strncmp((const void *)cell_of(p->cells, backend_figures, text),
		       text, WEIR_ADDR_TEXT) == 0;
}

/* A place for an address that this process has not seen: its own of before, or
 * a free one. */
static struct backend *
backends_take(struct backends *b, const struct weir_addr *addr)
{
	char text[WEIR_ADDR_TEXT] = "";
	unsigned i;

	if (b->seen == b->n)
		return NULL;
	weir_addr_text(addr, text);
	for (i = 0; i < b->n; i++) {
		struct backend *p = &b->v[i];
		_Atomic uint64_t *used =
			cell_of(p->cells, backend_figures, used);

		if (*used != 0 && !backend_has(p, text))
			continue;
		if (*used == 0)
			memcpy((void *)cell_of(p->cells, backend_figures, text),
				text, sizeof(text));
		/* Not before the text is whole. */
		atomic_store_explicit(used, 1, memory_order_release);
		p->addr = *addr;
		b->seen++;
		return p;
	}
	return NULL;
}

struct backend *
backends_find(struct backends *b, const struct weir_addr *addr)
{
	uint32_t at = addr_hash(addr);
	struct backend *p;

	for (; b->index[at & (b->nindex - 1)] != 0; at++) {
		p = &b->v[b->index[at & (b->nindex - 1)] - 1];
		if (p->addr.len == addr->len &&
			memcmp(&p->addr.sa, &addr->sa, addr->len) == 0)
			return p;
	}
	p = backends_take(b, addr);
	if (p == NULL)
		return &b->v[b->n];
	b->index[at & (b->nindex - 1)] = (uint16_t)(p - b->v + 1);
	return p;
}
