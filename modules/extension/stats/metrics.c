/* metrics.c - all figures as OpenMetrics text. */
#include <stdio.h>
#include <string.h>

#include "stats.h"

#define US_PER_S 1000000u
#define NS_PER_S 1000000000u

const char *const stats_directions[2] = { "up", "down" };

static const char *const bounds[TIME_BUCKETS] = {
#define X(us, text) text,
	BUCKETS(X)
#undef X
};

/* A family begins; unit may be NULL. */
static void
family(struct text *t, const char *name, const char *type, const char *unit,
	const char *help)
{
	text_add(t, "# TYPE %s %s\n", name, type);
	if (unit != NULL)
		text_add(t, "# UNIT %s %s\n", name, unit);
	text_add(t, "# HELP %s %s\n", name, help);
}

/* A sample begins with its first label; what is in {} is not closed. */
static void
sample(struct text *t, const char *name, const char *label, const char *value)
{
	text_add(t, "%s{%s=\"", name, label);
	text_quote(t, value, false);
	text_add(t, "\"");
}

static void
label(struct text *t, const char *name, const char *value)
{
	text_add(t, ",%s=\"", name);
	text_quote(t, value, false);
	text_add(t, "\"");
}

static void
number(struct text *t, uint64_t n)
{
	text_add(t, "} %llu\n", (unsigned long long)n);
}

/* In parts of a second. */
static void
seconds(struct text *t, uint64_t n, unsigned parts)
{
	text_add(t, "} %llu.%0*u\n", (unsigned long long)(n / parts),
		parts == US_PER_S ? 6 : 9, (unsigned)(n % parts));
}

/* ---- servers ------------------------------------------------------------- */

static void
servers_channels(struct text *t, const struct totals *totals)
{
	size_t i;
	int reason;

	family(t, "weir_channels_accepted", "counter", NULL,
		"Clients that were accepted.");
	for (i = 0; i < totals->nservers; i++) {
		sample(t, "weir_channels_accepted_total", "server",
			totals->servers[i].name);
		number(t, totals->servers[i].f.accepted);
	}
	family(t, "weir_channels_active", "gauge", NULL,
		"Channels that are open.");
	for (i = 0; i < totals->nservers; i++) {
		sample(t, "weir_channels_active", "server",
			totals->servers[i].name);
		number(t, totals->servers[i].active);
	}
	family(t, "weir_channels_ended", "counter", NULL,
		"Channels that have ended, by reason.");
	for (i = 0; i < totals->nservers; i++)
		for (reason = WEIR_R_NONE + 1; reason < WEIR_R_COUNT;
			reason++) {
			sample(t, "weir_channels_ended_total", "server",
				totals->servers[i].name);
			label(t, "reason",
				weir_reason_word((enum weir_reason)reason));
			number(t, totals->servers[i].f.ended[reason]);
		}
}

static void
servers_bytes(struct text *t, const struct totals *totals)
{
	static const char read[] = "weir_read_bytes_total";
	size_t i;
	int dir;

	family(t, "weir_read_bytes", "counter", "bytes",
		"Bytes that were read from clients (up) and backends (down), "
		"and how they go on.");
	for (i = 0; i < totals->nservers; i++)
		for (dir = 0; dir < 2; dir++) {
			const struct server_total *s = &totals->servers[i];

			sample(t, read, "server", s->name);
			label(t, "direction", stats_directions[dir]);
			label(t, "way", "copied");
			number(t, s->f.copied[dir]);
			sample(t, read, "server", s->name);
			label(t, "direction", stats_directions[dir]);
			label(t, "way", "spliced");
			number(t, s->f.spliced[dir]);
		}
	family(t, "weir_sent_bytes", "counter", "bytes",
		"Bytes that were sent to backends (up) and clients (down).");
	for (i = 0; i < totals->nservers; i++)
		for (dir = 0; dir < 2; dir++) {
			sample(t, "weir_sent_bytes_total", "server",
				totals->servers[i].name);
			label(t, "direction", stats_directions[dir]);
			number(t, totals->servers[i].f.sent[dir]);
		}
}

/* One histogram of a server. */
static void
times_write(struct text *t, const char *name, const char *server,
	const struct times *times)
{
	char whole[64];
	uint64_t n = 0;
	int i;

	snprintf(whole, sizeof(whole), "%s_bucket", name);
	for (i = 0; i < TIME_BUCKETS; i++) {
		n += times->buckets[i];
		sample(t, whole, "server", server);
		label(t, "le", bounds[i]);
		number(t, n);
	}
	snprintf(whole, sizeof(whole), "%s_count", name);
	sample(t, whole, "server", server);
	number(t, n);
	snprintf(whole, sizeof(whole), "%s_sum", name);
	sample(t, whole, "server", server);
	seconds(t, times->sum_us, US_PER_S);
}

static void
servers_times(struct text *t, const struct totals *totals)
{
	static const struct {
		const char *name, *help;
		size_t off;
	} all[] = {
		{ "weir_session_seconds",
			"How old channels were when they ended.",
			offsetof(struct server_figures, session) },
		{ "weir_connect_seconds", "How long backends took to accept.",
			offsetof(struct server_figures, connect) },
		{ "weir_first_byte_seconds",
			"From there to the first byte of the backend.",
			offsetof(struct server_figures, first_byte) },
	};
	size_t i, j;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		family(t, all[i].name, "histogram", "seconds", all[i].help);
		for (j = 0; j < totals->nservers; j++)
			times_write(t, all[i].name, totals->servers[j].name,
				(const void *)((const char *)&totals->servers[j]
						       .f +
					       all[i].off));
	}
}

/* ---- backends ------------------------------------------------------------ */

static void
backends_write(struct text *t, const struct totals *totals)
{
	static const struct {
		const char *name, *suffix, *type, *help;
		size_t off;
	} all[] = {
		{ "weir_backend_connects", "_total", "counter",
			"Connections that the backend accepted.",
			offsetof(struct backend_total, connects) },
		{ "weir_backend_failures", "_total", "counter",
			"Connections that could not be made.",
			offsetof(struct backend_total, failures) },
		{ "weir_backend_active", "", "gauge",
			"Channels that are open to the backend.",
			offsetof(struct backend_total, active) },
	};
	const struct backend_total *b;
	char whole[64];
	size_t i, j;
	int dir;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		family(t, all[i].name, all[i].type, NULL, all[i].help);
		snprintf(whole, sizeof(whole), "%s%s", all[i].name,
			all[i].suffix);
		for (j = 0; j < totals->nbackends; j++) {
			uint64_t n;

			b = &totals->backends[j];
			memcpy(&n, (const char *)b + all[i].off, sizeof(n));
			sample(t, whole, "backend", b->address);
			number(t, n);
		}
	}
	family(t, "weir_backend_connect_seconds", "counter", "seconds",
		"How long the backend took to accept, all connections "
		"together.");
	for (j = 0; j < totals->nbackends; j++) {
		b = &totals->backends[j];
		sample(t, "weir_backend_connect_seconds_total", "backend",
			b->address);
		seconds(t, b->connect_us, US_PER_S);
	}
	family(t, "weir_backend_bytes", "counter", "bytes",
		"Bytes of channels to the backend that have ended.");
	for (j = 0; j < totals->nbackends; j++)
		for (dir = 0; dir < 2; dir++) {
			b = &totals->backends[j];
			sample(t, "weir_backend_bytes_total", "backend",
				b->address);
			label(t, "direction", stats_directions[dir]);
			number(t, b->bytes[dir]);
		}
}

/* ---- middlewares --------------------------------------------------------- */

static void
stage_sample(struct text *t, const char *name, const struct stage_total *s)
{
	sample(t, name, "server", s->server);
	label(t, "middleware", s->name);
}

static void
stages_calls(struct text *t, const struct totals *totals)
{
	const struct stage_total *v = totals->stages;
	size_t i;

	family(t, "weir_middleware_calls", "counter", NULL,
		"Callbacks of the middleware that have returned.");
	for (i = 0; i < totals->nstages; i++) {
		stage_sample(t, "weir_middleware_calls_total", &v[i]);
		number(t, v[i].f.calls);
	}
	family(t, "weir_middleware_bytes", "counter", "bytes",
		"Bytes that the middleware was shown.");
	for (i = 0; i < totals->nstages; i++) {
		stage_sample(t, "weir_middleware_bytes_total", &v[i]);
		number(t, v[i].f.bytes);
	}
	family(t, "weir_middleware_seconds", "counter", "seconds",
		"Time that its callbacks took.");
	for (i = 0; i < totals->nstages; i++) {
		stage_sample(t, "weir_middleware_seconds_total", &v[i]);
		seconds(t, v[i].f.ns, NS_PER_S);
	}
	family(t, "weir_middleware_longest_seconds", "gauge", "seconds",
		"Time that the longest of them took.");
	for (i = 0; i < totals->nstages; i++) {
		stage_sample(t, "weir_middleware_longest_seconds", &v[i]);
		seconds(t, v[i].longest_ns, NS_PER_S);
	}
}

static void
stages_events(struct text *t, const struct totals *totals)
{
	size_t i, n;

	family(t, "weir_middleware_events", "counter", NULL,
		"What the middleware counts itself.");
	for (i = 0; i < totals->nstages; i++) {
		const struct stage_total *s = &totals->stages[i];
		const char *at = s->events;
		char word[EVENT_WORD];

		for (n = 0; events_next(&at, word); n++) {
			stage_sample(t, "weir_middleware_events_total", s);
			label(t, "event", word);
			number(t, s->counted[n]);
		}
	}
}

void
metrics_write(struct text *t, const struct totals *totals)
{
	servers_channels(t, totals);
	servers_bytes(t, totals);
	servers_times(t, totals);
	backends_write(t, totals);
	stages_calls(t, totals);
	stages_events(t, totals);
	text_add(t, "# EOF\n");
}
