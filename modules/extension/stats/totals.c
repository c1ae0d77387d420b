/* totals.c - what all processes have counted together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

static int totals_backends(struct totals *, struct weir_counters *);

uint64_t
times_count(const struct times *t)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < TIME_BUCKETS; i++)
		n += t->buckets[i];
	return n;
}

bool
events_next(const char **events, char word[EVENT_WORD])
{
	size_t len = strcspn(*events, ",");

	if (len == 0)
		return false;
	snprintf(word, EVENT_WORD, "%.*s", (int)len, *events);
	*events += len + ((*events)[len] == ',');
	return true;
}

/* A series that belongs to another one: its labels, in that family. */
static void
series_beside(struct weir_counters *c, struct weir_series series,
	const char *family, uint64_t *figures)
{
	int number;

	series.family = family;
	number = weir_series_find(c, &series);
	if (number != -1)
		weir_series_read(c, number, figures);
}

static void
server_read(struct totals *t, struct weir_counters *c, unsigned i,
	const struct weir_series *series)
{
	struct server_total *to = &t->servers[t->nservers++];

	*to = (struct server_total){ .name = series->labels[0] };
	weir_series_read(c, (int)i, (uint64_t *)&to->f);
	series_beside(c, *series, FAMILY_ACTIVE, &to->active);
}

static void
stage_read(struct totals *t, struct weir_counters *c, unsigned i,
	const struct weir_series *series)
{
	struct stage_total *to = &t->stages[t->nstages++];

	*to = (struct stage_total){ .server = series->labels[0],
		.name = series->labels[1],
		.events = "" };
	weir_series_read(c, (int)i, (uint64_t *)&to->f);
	series_beside(c, *series, FAMILY_STALL, &to->longest_ns);
}

/* The stage that counts these events; another type may have had its name. */
static int
events_read(struct totals *t, struct weir_counters *c, unsigned i,
	const struct weir_series *series)
{
	struct stage_total *to = NULL;
	size_t at;

	for (at = t->nstages; at-- > 0 && to == NULL;)
		if (strcmp(t->stages[at].server, series->labels[0]) == 0 &&
			strcmp(t->stages[at].name, series->labels[1]) == 0)
			to = &t->stages[at];
	if (to == NULL)
		return 0;
	free(to->counted);
	to->counted = calloc(series->n, sizeof(*to->counted));
	if (to->counted == NULL)
		return -1;
	to->events = series->labels[2];
	weir_series_read(c, (int)i, to->counted);
	return 0;
}

int
totals_init(struct totals *t, struct weir_counters *c)
{
	struct weir_series s;
	unsigned i, n = 0;
	bool failed;

	*t = (struct totals){ .servers = NULL };
	weir_counters_look(c);
	while (weir_series_get(c, n, &s))
		n++;
	t->servers = calloc(n + 1, sizeof(*t->servers));
	t->stages = calloc(n + 1, sizeof(*t->stages));
	failed = t->servers == NULL || t->stages == NULL;
	for (i = 0; !failed && weir_series_get(c, i, &s); i++) {
		if (strcmp(s.family, FAMILY_SERVER) == 0)
			server_read(t, c, i, &s);
		else if (strcmp(s.family, FAMILY_STAGE) == 0)
			stage_read(t, c, i, &s);
		else if (strcmp(s.family, FAMILY_EVENTS) == 0)
			failed = events_read(t, c, i, &s) == -1;
	}
	if (!failed && totals_backends(t, c) == 0)
		return 0;
	totals_done(t);
	return -1;
}

void
totals_done(struct totals *t)
{
	size_t i;

	for (i = 0; i < t->nstages; i++)
		free(t->stages[i].counted);
	free(t->servers);
	free(t->stages);
	free(t->backends);
	*t = (struct totals){ .servers = NULL };
}

/* ---- backends ------------------------------------------------------------ */

/* The total of that address, made if there is none; NULL with ENOMEM. */
static struct backend_total *
totals_backend(struct totals *t, const char address[WEIR_ADDR_TEXT])
{
	struct backend_total *v;
	size_t i;

	for (i = 0; i < t->nbackends; i++)
		if (strncmp(t->backends[i].address, address, WEIR_ADDR_TEXT) ==
			0)
			return &t->backends[i];
	v = reallocarray(t->backends, t->nbackends + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	t->backends = v;
	v += t->nbackends++;
	*v = (struct backend_total){ .connects = 0 };
	memcpy(v->address, address, WEIR_ADDR_TEXT - 1);
	return v;
}

/* Adds what one process has at a place; active: what it has open there. */
static int
place_add(struct totals *t, const _Atomic uint64_t *cells, bool others,
	uint64_t active)
{
	char address[WEIR_ADDR_TEXT] = BACKENDS_ALL;
	struct backend_total *to;
	int dir;

	if (!others &&
		atomic_load_explicit(cell_of(cells, backend_figures, used),
			memory_order_acquire) == 0)
		return 0;
	if (!others)
		memcpy(address,
			(const void *)cell_of(cells, backend_figures, text),
			sizeof(address));
	to = totals_backend(t, address);
	if (to == NULL)
		return -1;
	to->connects += *cell_of(cells, backend_figures, connects);
	to->failures += *cell_of(cells, backend_figures, failures);
	for (dir = 0; dir < 2; dir++)
		to->bytes[dir] += *cell_of(cells, backend_figures, bytes[dir]);
	to->connect_us += *cell_of(cells, backend_figures, connect_us);
	to->active += active;
	return 0;
}

static int
place_read(struct totals *t, const struct weir_counters *c, int sums,
	int gauges, bool others)
{
	uint64_t active[WEIR_PROCESSES] = { 0 };
	const _Atomic uint64_t *cells;
	unsigned at = 0, process;
	bool lives;

	while (gauges != -1 && (cells = weir_series_next(c, gauges, &at,
					&process, &lives)) != NULL)
		active[process] = lives ? *cells : 0;
	at = 0;
	while ((cells = weir_series_next(c, sums, &at, &process, &lives)) !=
		NULL)
		if (place_add(t, cells, others, active[process]) == -1)
			return -1;
	return 0;
}

static int
totals_backends(struct totals *t, struct weir_counters *c)
{
	struct weir_series s;
	unsigned i;

	for (i = 0; weir_series_get(c, i, &s); i++) {
		bool others;

		if (strcmp(s.family, FAMILY_BACKEND) != 0)
			continue;
		others = strcmp(s.labels[0], BACKENDS_ALL) == 0;
		s.family = FAMILY_BACKEND_ACTIVE;
		if (place_read(t, c, (int)i, weir_series_find(c, &s), others) ==
			-1)
			return -1;
	}
	return 0;
}
