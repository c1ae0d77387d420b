/* json.c - all figures as JSON (RFC 8259). */
#include "stats.h"

static const uint64_t bounds_us[TIME_BUCKETS] = {
#define X(us, text) us,
	BUCKETS(X)
#undef X
};

static void
string(struct text *t, const char *s)
{
	text_add(t, "\"");
	text_quote(t, s, true);
	text_add(t, "\"");
}

static void
member(struct text *t, const char *name, uint64_t n)
{
	text_add(t, ",\"%s\":%llu", name, (unsigned long long)n);
}

/* What separates item i of a list from the one before. */
static const char *
comma(size_t i)
{
	return i == 0 ? "" : ",";
}

static void
moved_write(struct text *t, const struct server_figures *f)
{
	int dir;

	for (dir = 0; dir < 2; dir++)
		text_add(t,
			",\"%s\":{\"copied_bytes\":%llu,"
			"\"spliced_bytes\":%llu,\"sent_bytes\":%llu}",
			stats_directions[dir],
			(unsigned long long)f->copied[dir],
			(unsigned long long)f->spliced[dir],
			(unsigned long long)f->sent[dir]);
}

static void
reasons_write(struct text *t, const struct server_figures *f)
{
	int i;

	text_add(t, ",\"ended\":{");
	for (i = WEIR_R_NONE + 1; i < WEIR_R_COUNT; i++)
		text_add(t, "%s\"%s\":%llu", comma((size_t)i - 1),
			weir_reason_word((enum weir_reason)i),
			(unsigned long long)f->ended[i]);
	text_add(t, "}");
}

/* Buckets as [upper bound in microseconds, times in it], none that is empty. */
static void
times_write(struct text *t, const char *name, const struct times *times)
{
	size_t i, n = 0;

	text_add(t, ",\"%s\":{\"count\":%llu", name,
		(unsigned long long)times_count(times));
	member(t, "sum_us", times->sum_us);
	text_add(t, ",\"buckets\":[");
	for (i = 0; i < TIME_BUCKETS; i++) {
		if (times->buckets[i] == 0)
			continue;
		if (bounds_us[i] == UINT64_MAX)
			text_add(t, "%s[null,%llu]", comma(n++),
				(unsigned long long)times->buckets[i]);
		else
			text_add(t, "%s[%llu,%llu]", comma(n++),
				(unsigned long long)bounds_us[i],
				(unsigned long long)times->buckets[i]);
	}
	text_add(t, "]}");
}

static void
figures_write(struct text *t, const struct server_figures *f, uint64_t active)
{
	text_add(t, "\"accepted\":%llu", (unsigned long long)f->accepted);
	member(t, "active", active);
	moved_write(t, f);
	reasons_write(t, f);
	times_write(t, "session", &f->session);
	times_write(t, "connect", &f->connect);
	times_write(t, "first_byte", &f->first_byte);
}

static void
servers_write(struct text *t, const struct totals *totals)
{
	struct server_figures all = { .accepted = 0 };
	uint64_t active = 0;
	size_t i, j;

	for (i = 0; i < totals->nservers; i++) {
		const uint64_t *from = (const void *)&totals->servers[i].f;

		active += totals->servers[i].active;
		for (j = 0; j < cells_in(server_figures); j++)
			((uint64_t *)&all)[j] += from[j];
	}
	text_add(t, ",\"totals\":{");
	figures_write(t, &all, active);
	text_add(t, "},\"servers\":[");
	for (i = 0; i < totals->nservers; i++) {
		text_add(t, "%s{\"name\":", comma(i));
		string(t, totals->servers[i].name);
		text_add(t, ",");
		figures_write(
			t, &totals->servers[i].f, totals->servers[i].active);
		text_add(t, "}");
	}
	text_add(t, "]");
}

static void
backends_write(struct text *t, const struct totals *totals)
{
	size_t i;

	text_add(t, ",\"backends\":[");
	for (i = 0; i < totals->nbackends; i++) {
		const struct backend_total *b = &totals->backends[i];

		text_add(t, "%s{\"address\":", comma(i));
		string(t, b->address);
		member(t, "connects", b->connects);
		member(t, "failures", b->failures);
		member(t, "active", b->active);
		member(t, "up_bytes", b->bytes[WEIR_UP]);
		member(t, "down_bytes", b->bytes[WEIR_DOWN]);
		member(t, "connect_us", b->connect_us);
		text_add(t, "}");
	}
	text_add(t, "]");
}

static void
stages_write(struct text *t, const struct totals *totals)
{
	char word[EVENT_WORD];
	const char *at;
	size_t i, n;

	text_add(t, ",\"middlewares\":[");
	for (i = 0; i < totals->nstages; i++) {
		const struct stage_total *s = &totals->stages[i];

		text_add(t, "%s{\"server\":", comma(i));
		string(t, s->server);
		text_add(t, ",\"name\":");
		string(t, s->name);
		member(t, "calls", s->f.calls);
		member(t, "bytes", s->f.bytes);
		member(t, "ns", s->f.ns);
		member(t, "longest_ns", s->longest_ns);
		text_add(t, ",\"events\":{");
		at = s->events;
		for (n = 0; events_next(&at, word); n++) {
			text_add(t, "%s", comma(n));
			string(t, word);
			text_add(t, ":%llu", (unsigned long long)s->counted[n]);
		}
		text_add(t, "}}");
	}
	text_add(t, "]");
}

void
json_write(struct text *t, const struct totals *totals, uint64_t now_ms)
{
	text_add(t, "{\"time_ms\":%llu", (unsigned long long)now_ms);
	servers_write(t, totals);
	backends_write(t, totals);
	stages_write(t, totals);
	text_add(t, "}\n");
}
