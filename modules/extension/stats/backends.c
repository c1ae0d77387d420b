/* backends.c - the backends that a process has seen: so many places, and one
 * for all others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define LONG 16 /* times as many others as there are places */

static void backends_index(struct backends *b);

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
	b->texts = calloc(b->nindex, sizeof(*b->texts));
	if (b->v == NULL || b->index == NULL || b->texts == NULL)
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
	backends_index(b);
	return 0;
}

void
backends_done(struct backends *b)
{
	free(b->v);
	free(b->index);
	free(b->texts);
	*b = (struct backends){ .v = NULL };
}

uint32_t
backends_hash(const void *p, size_t n)
{
	const uint8_t *byte = p;
	uint32_t hash = 2166136261u;

	while (n-- > 0)
		hash = (hash ^ *byte++) * 16777619u;
	return hash ^ hash >> 16;
}

/* Nobody but this process writes it. */
static const char *
backend_text(const struct backend *p)
{
	return (const void *)cell_of(p->cells, backend_figures, text);
}

static _Atomic uint64_t *
backend_used(const struct backend *p)
{
	return cell_of(p->cells, backend_figures, used);
}

static void
index_put(struct backends *b, uint16_t *index, uint32_t at, unsigned number)
{
	while (index[at & (b->nindex - 1)] != 0)
		at++;
	index[at & (b->nindex - 1)] = (uint16_t)(number + 1);
}

/* Makes both indexes, of what this process has seen, and of whoever counted
 * there before as well. */
static void
backends_index(struct backends *b)
{
	unsigned i;

	memset(b->index, 0, b->nindex * sizeof(*b->index));
	memset(b->texts, 0, b->nindex * sizeof(*b->texts));
	for (i = 0; i < b->n; i++) {
		const struct backend *p = &b->v[i];

		if (p->addr.len > 0)
			index_put(b, b->index,
				backends_hash(&p->addr.sa, p->addr.len), i);
		if (*backend_used(p) != 0)
			index_put(b, b->texts,
				backends_hash(backend_text(p),
					strnlen(backend_text(p),
						WEIR_ADDR_TEXT)),
				i);
	}
}

/* The place that has been given to that text, by this process or one before. */
static struct backend *
texts_find(struct backends *b, const char text[WEIR_ADDR_TEXT])
{
	uint32_t at = backends_hash(text, strlen(text));
	struct backend *p;

	for (; b->texts[at & (b->nindex - 1)] != 0; at++) {
		p = &b->v[b->texts[at & (b->nindex - 1)] - 1];
		if (strncmp(backend_text(p), text, WEIR_ADDR_TEXT) == 0)
			return p;
	}
	return NULL;
}

/* What was counted there is the others' from now on.  Zero comes first: what is
 * moved when somebody dies is lost, but never counted twice. */
static void
backend_empty(struct backends *b, struct backend *p)
{
	uint64_t n;
	size_t i;

	atomic_store_explicit(backend_used(p), 0, memory_order_release);
	for (i = offsetof(struct backend_figures, connects) / sizeof(uint64_t);
		i < cells_in(backend_figures); i++) {
		n = atomic_exchange_explicit(
			&p->cells[i], 0, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		weir_cell_add(&b->v[b->n].cells[i], n);
	}
	p->addr.len = 0;
}

/* A place that nobody has, or else one that nobody needs; NULL: there is none,
 * which is not looked for again at once. */
static struct backend *
backends_free(struct backends *b)
{
	struct backend *p, *found = NULL;

	if (b->turn < b->full)
		return NULL;
	for (p = b->v; p < b->v + b->n; p++) {
		if (*backend_used(p) == 0)
			return p;
		if (*p->active == 0 &&
			b->turn - p->turn >= (uint64_t)LONG * (b->n + 1) &&
			(found == NULL || p->turn < found->turn))
			found = p;
	}
	if (found == NULL)
		b->full = b->turn + b->n + 1;
	return found;
}

/* A place for an address that this process has not seen. */
static struct backend *
backends_take(struct backends *b, const struct weir_addr *addr)
{
	char text[WEIR_ADDR_TEXT] = "";
	struct backend *p;

	weir_addr_text(addr, text);
	p = texts_find(b, text);
	if (p == NULL) {
		p = backends_free(b);
		if (p == NULL)
			return NULL;
		backend_empty(b, p);
		memcpy((void *)cell_of(p->cells, backend_figures, text), text,
			sizeof(text));
		/* Not before the text is whole. */
		atomic_store_explicit(backend_used(p), 1, memory_order_release);
	}
	p->addr = *addr;
	backends_index(b);
	return p;
}

struct backend *
backends_find(struct backends *b, const struct weir_addr *addr)
{
	uint32_t at = backends_hash(&addr->sa, addr->len);
	struct backend *p = NULL;

	b->turn++;
	for (; b->index[at & (b->nindex - 1)] != 0; at++) {
		p = &b->v[b->index[at & (b->nindex - 1)] - 1];
		if (p->addr.len == addr->len &&
			memcmp(&p->addr.sa, &addr->sa, addr->len) == 0)
			break;
		p = NULL;
	}
	if (p == NULL)
		p = backends_take(b, addr);
	if (p == NULL)
		p = &b->v[b->n];
	p->turn = b->turn;
	return p;
}
