/* totals.c - what all processes have counted together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define TOTALS_INDEX 4096 /* more than there can be backends */

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

struct weir_series
events_series(const char *server, const char *stage,
	const struct weir_middleware *mw, char words[EVENTS_TEXT])
{
	struct weir_series s = { .family = FAMILY_EVENTS,
		.labels = { server, stage, words } };
	size_t len = 0, n;

	words[0] = '\0';
	for (n = 0; mw->counters != NULL && mw->counters[n] != NULL; n++) {
		if (len + strlen(mw->counters[n]) + 2 > EVENTS_TEXT)
			break;
		len += (size_t)snprintf(words + len, EVENTS_TEXT - len, "%s%s",
			n == 0 ? "" : ",", mw->counters[n]);
	}
	s.n = (unsigned)n;
	return s;
}

/* What a stage counts itself, if it does: in the configuration that is there,
 * as another type may have had its name before. */
static int
events_read(struct stage_total *to, struct weir_counters *c,
	const struct weir_middleware *mw)
{
	char words[EVENTS_TEXT];
	struct weir_series s = events_series(to->server, to->name, mw, words);
	int i = s.n == 0 ? -1 : weir_series_find(c, &s);

	if (i == -1 || !weir_series_get(c, (unsigned)i, &s))
		return 0;
	free(to->counted);
	to->counted = calloc(s.n, sizeof(*to->counted));
	if (to->counted == NULL)
		return -1;
	to->events = s.labels[2];
	weir_series_read(c, i, to->counted);
	return 0;
}

/* Of all stages of the plan; at: the number of a stage, by that of its series.
 */
static int
totals_events(struct totals *t, struct weir_counters *c,
	const struct weir_plan *plan, const size_t *at)
{
	const struct weir_middleware *mw;
	const char *server, *stage;
	unsigned i, j;
	int number;

	for (i = 0; (server = weir_plan_server(plan, i)) != NULL; i++)
		for (j = 0; (stage = weir_plan_stage(plan, i, j, &mw)) != NULL;
			j++) {
			struct weir_series s = { .family = FAMILY_STAGE,
				.labels = { server, stage } };

			number = weir_series_find(c, &s);
			if (number != -1 && events_read(&t->stages[at[number]],
						    c, mw) == -1)
				return -1;
		}
	return 0;
}

int
totals_init(struct totals *t, struct weir_counters *c,
	const struct weir_plan *plan, size_t most_backends)
{
	struct weir_series s;
	unsigned i, n = 0;
	size_t *at;
	bool failed;

	*t = (struct totals){ .most_backends = most_backends };
	weir_counters_look(c);
	while (weir_series_get(c, n, &s))
		n++;
	t->servers = calloc(n + 1, sizeof(*t->servers));
	t->stages = calloc(n + 1, sizeof(*t->stages));
	t->index = calloc(TOTALS_INDEX, sizeof(*t->index));
	at = calloc(n + 1, sizeof(*at));
	failed = t->servers == NULL || t->stages == NULL || t->index == NULL ||
		 at == NULL;
	for (i = 0; !failed && i < n && weir_series_get(c, i, &s); i++) {
		at[i] = t->nstages;
		if (strcmp(s.family, FAMILY_SERVER) == 0)
			server_read(t, c, i, &s);
		else if (strcmp(s.family, FAMILY_STAGE) == 0)
			stage_read(t, c, i, &s);
	}
	failed = failed || totals_events(t, c, plan, at) == -1 ||
		 totals_backends(t, c) == -1;
	free(at);
	if (!failed)
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
	free(t->index);
	*t = (struct totals){ .servers = NULL };
}

/* ---- backends ------------------------------------------------------------ */

/* The total of that address, made if there is none: of no more than most, but
 * for that of all others.  NULL with ENOMEM. */
static struct backend_total *
totals_backend(struct totals *t, const char *address)
{
	uint32_t at = backends_hash(address, strlen(address));
	struct backend_total *v;

	for (; t->index[at % TOTALS_INDEX] != 0; at++) {
		v = &t->backends[t->index[at % TOTALS_INDEX] - 1];
		if (strcmp(v->address, address) == 0)
			return v;
	}
	if (t->nbackends >= t->most_backends &&
		strcmp(address, BACKENDS_ALL) != 0)
		return totals_backend(t, BACKENDS_ALL);
	v = reallocarray(t->backends, t->nbackends + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	t->backends = v;
	v += t->nbackends++;
	t->index[at % TOTALS_INDEX] = (uint16_t)t->nbackends;
	*v = (struct backend_total){ .connects = 0 };
	snprintf(v->address, sizeof(v->address), "%s", address);
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
			sizeof(address) - 1);
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
