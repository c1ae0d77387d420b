/* stats.c - counts what all channels do, and shows it: /metrics as OpenMetrics
 * text, /v1/stats as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats.h"

#define STALL_EVERY_MS 1000 /* of one middleware, in the log */
#define US_PER_S       1000000u
#define NS_PER_US      1000u
#define NS_PER_MS      1000000u

static const struct weir_opt opts[] = {
	WEIR_INT("backends", struct stats_conf, backends, .def = "100",
		.min = 0, .max = 1000,
		.help = "How many backend addresses have figures of their own; "
			"the others have them together, as \"other\", and so "
			"has one that nothing was connected to for long when "
			"another needs its place.  The bytes of a channel are "
			"added when it has ended; those of its server at "
			"once."),
	WEIR_TIME("stall", struct stats_conf, stall_ms, .def = "50ms",
		.flags = WEIR_OFF, .max = 60000,
		.help = "A middleware of which one callback takes longer is "
			"named in the log, at most once a second."),
	WEIR_OPT_END
};

/* Where this worker counts for one middleware of a server. */
struct stage_cells {
	const char *name;
	_Atomic uint64_t *cells, *stall, *events;
	uint64_t told_ms; /* of its last stall */
};

struct server_cells {
	const char *name;
	_Atomic uint64_t *cells, *active;
	struct stage_cells *stages;
	unsigned n;
};

struct state {
	struct server_cells *servers;
	unsigned n;
	struct backends backends;
};

/* What it remembers of a channel. */
struct own {
	struct backend *backend; /* that it is connected to; NULL: none */
	uint64_t opened_us;
};

/* ---- series -------------------------------------------------------------- */

static struct weir_series
server_series(const char *server, bool active)
{
	return (struct weir_series){ .family = active ? FAMILY_ACTIVE
						      : FAMILY_SERVER,
		.labels = { server },
		.kind = active ? WEIR_COUNTER_GAUGE : WEIR_COUNTER_SUM,
		.n = active ? 1 : cells_in(server_figures) };
}

static struct weir_series
stage_series(const char *server, const char *stage, bool stall)
{
	return (struct weir_series){ .family = stall ? FAMILY_STALL
						     : FAMILY_STAGE,
		.labels = { server, stage },
		.kind = stall ? WEIR_COUNTER_PEAK : WEIR_COUNTER_SUM,
		.n = stall ? 1 : cells_in(stage_figures) };
}

static int
stage_count(struct weir_counters *c, const char *server, const char *stage,
	const struct weir_middleware *mw)
{
	struct weir_series s = stage_series(server, stage, false);
	struct weir_series stall = stage_series(server, stage, true), events;
	char words[EVENTS_TEXT];

	events = events_series(server, stage, mw, words);
	return weir_series_add(c, &s) == -1 ||
			       weir_series_add(c, &stall) == -1 ||
			       (events.n > 0 &&
				       weir_series_add(c, &events) == -1)
		       ? -1
		       : 0;
}

static int
stats_count(
	const void *conf, const struct weir_plan *plan, struct weir_counters *c)
{
	const struct stats_conf *cf = conf;
	const struct weir_middleware *mw;
	const char *server, *stage;
	unsigned i, j;

	for (i = 0; (server = weir_plan_server(plan, i)) != NULL; i++) {
		struct weir_series s = server_series(server, false);
		struct weir_series active = server_series(server, true);

		if (weir_series_add(c, &s) == -1 ||
			weir_series_add(c, &active) == -1)
			return -1;
		for (j = 0; (stage = weir_plan_stage(plan, i, j, &mw)) != NULL;
			j++)
			if (stage_count(c, server, stage, mw) == -1)
				return -1;
	}
	return backends_count(c, (unsigned)cf->backends);
}

/* ---- a worker ------------------------------------------------------------ */

static _Atomic uint64_t *
series_cells(struct weir_counters *c, struct weir_series series)
{
	int number = weir_series_find(c, &series);

	return number == -1 ? NULL : weir_series_cells(c, number);
}

static int
stage_start(struct stage_cells *to, struct weir_counters *c, const char *server,
	const char *name, const struct weir_middleware *mw)
{
	char words[EVENTS_TEXT];
	struct weir_series events = events_series(server, name, mw, words);

	to->name = name;
	to->cells = series_cells(c, stage_series(server, name, false));
	to->stall = series_cells(c, stage_series(server, name, true));
	if (events.n > 0)
		to->events = series_cells(c, events);
	return to->cells == NULL || to->stall == NULL ||
			       (events.n > 0 && to->events == NULL)
		       ? -1
		       : 0;
}

static int
server_start(struct server_cells *to, const struct weir_service *s, unsigned i)
{
	const struct weir_middleware *mw;
	const char *name;

	to->name = weir_plan_server(s->plan, i);
	to->cells = series_cells(s->counters, server_series(to->name, false));
	to->active = series_cells(s->counters, server_series(to->name, true));
	if (to->cells == NULL || to->active == NULL)
		return -1;
	while (weir_plan_stage(s->plan, i, to->n, &mw) != NULL)
		to->n++;
	to->stages = calloc(to->n + 1, sizeof(*to->stages));
	if (to->stages == NULL)
		return -1;
	for (to->n = 0;
		(name = weir_plan_stage(s->plan, i, to->n, &mw)) != NULL;
		to->n++)
		if (stage_start(&to->stages[to->n], s->counters, to->name, name,
			    mw) == -1)
			return -1;
	return 0;
}

static void
stats_stop(struct weir_service *s)
{
	struct state *st = s->state;
	unsigned i;

	for (i = 0; st->servers != NULL && i < st->n; i++)
		free(st->servers[i].stages);
	free(st->servers);
	backends_done(&st->backends);
	*st = (struct state){ .servers = NULL };
}

static int
stats_start(struct weir_service *s)
{
	const struct stats_conf *cf = s->conf;
	struct state *st = s->state;
	unsigned i, n = 0;

	if (s->process != WEIR_IN_WORKER)
		return 0;
	while (weir_plan_server(s->plan, n) != NULL)
		n++;
	st->servers = calloc(n + 1, sizeof(*st->servers));
	st->n = n;
	if (st->servers == NULL || backends_init(&st->backends, s->counters,
					   (unsigned)cf->backends) == -1)
		goto fail;
	for (i = 0; i < n; i++)
		if (server_start(&st->servers[i], s, i) == -1)
			goto fail;
	return 0;
fail:
	i = (unsigned)errno;
	stats_stop(s);
	errno = (int)i;
	return -1;
}

static uint64_t
now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * US_PER_S +
	       (uint64_t)ts.tv_nsec / NS_PER_US;
}

/* ---- what it sees -------------------------------------------------------- */

static void
times_add(_Atomic uint64_t *cells, uint64_t us)
{
	static const uint64_t bounds[] = {
#define X(us, text) us,
		BUCKETS(X)
#undef X
	};
	unsigned i = 0;

	while (us > bounds[i])
		i++;
	weir_cell_add(&cells[i], 1);
	weir_cell_add(cell_of(cells, times, sum_us), us);
}

static struct server_cells *
server_of(const struct weir_service *s, const struct weir_seen *seen)
{
	return &((struct state *)s->state)->servers[seen->server];
}

static struct weir_moved *
stats_moved(struct weir_service *s, unsigned server)
{
	struct state *st = s->state;

	return (struct weir_moved *)cell_of(
		st->servers[server].cells, server_figures, copied);
}
_Static_assert(offsetof(struct server_figures, ended) -
			       offsetof(struct server_figures, copied) ==
		       sizeof(struct weir_moved),
	"its figures are those of struct weir_moved");

static _Atomic uint64_t *
stats_events(struct weir_service *s, unsigned server, unsigned stage)
{
	return ((struct state *)s->state)->servers[server].stages[stage].events;
}

static void
stats_opened(struct weir_service *s, const struct weir_seen *seen)
{
	struct server_cells *to = server_of(s, seen);
	struct own *own = seen->own;

	own->opened_us = now_us(CLOCK_MONOTONIC);
	weir_cell_add(cell_of(to->cells, server_figures, accepted), 1);
	weir_cell_add(to->active, 1);
}

static void
stats_connected(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_addr *addr, int err, uint64_t us)
{
	struct backends *all = &((struct state *)s->state)->backends;
	struct backend *b = backends_find(all, addr);
	struct own *own = seen->own;

	if (err != 0) {
		weir_cell_add(cell_of(b->cells, backend_figures, failures), 1);
		return;
	}
	own->backend = b;
	weir_cell_add(cell_of(b->cells, backend_figures, connects), 1);
	weir_cell_add(cell_of(b->cells, backend_figures, connect_us), us);
	weir_cell_add(b->active, 1);
	times_add(cell_of(server_of(s, seen)->cells, server_figures, connect),
		us);
}

static void
stats_answered(
	struct weir_service *s, const struct weir_seen *seen, uint64_t us)
{
	times_add(
		cell_of(server_of(s, seen)->cells, server_figures, first_byte),
		us);
}

static void
stats_closed(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_facts *facts)
{
	struct server_cells *to = server_of(s, seen);
	struct own *own = seen->own;
	struct backend *b = own->backend;

	weir_cell_add(to->active, UINT64_MAX);
	weir_cell_add(
		cell_of(to->cells, server_figures, ended[facts->reason]), 1);
	/* Of what is over soon milliseconds say too little. */
	times_add(cell_of(to->cells, server_figures, session),
		facts->age_ms >= 1000
			? facts->age_ms * 1000
			: now_us(CLOCK_MONOTONIC) - own->opened_us);
	if (b == NULL)
		return;
	weir_cell_add(b->active, UINT64_MAX);
	weir_cell_add(cell_of(b->cells, backend_figures, bytes[WEIR_UP]),
		facts->up_bytes);
	weir_cell_add(cell_of(b->cells, backend_figures, bytes[WEIR_DOWN]),
		facts->down_bytes);
}

/* All channels of this worker have waited for it. */
static void
stats_stalled(struct weir_service *s, const struct server_cells *server,
	struct stage_cells *stage, const struct weir_seen *seen,
	const struct weir_called *called)
{
	uint64_t now = now_us(CLOCK_MONOTONIC) / 1000;

	if (stage->told_ms != 0 && now < stage->told_ms + STALL_EVERY_MS)
		return;
	stage->told_ms = now;
	weir_service_warn(s,
		"%s/%s: #%llu: its %s took %llu ms: all channels of this "
		"worker waited",
		server->name, stage->name, (unsigned long long)seen->id,
		called->hook, (unsigned long long)(called->ns / NS_PER_MS));
}

static void
stats_called(struct weir_service *s, const struct weir_seen *seen,
	const struct weir_called *called)
{
	const struct stats_conf *cf = s->conf;
	struct server_cells *server = server_of(s, seen);
	struct stage_cells *to = &server->stages[called->stage];

	weir_cell_add(cell_of(to->cells, stage_figures, calls), 1);
	weir_cell_add(cell_of(to->cells, stage_figures, bytes), called->bytes);
	weir_cell_add(cell_of(to->cells, stage_figures, ns), called->ns);
	weir_cell_rise(to->stall, called->ns);
	if (cf->stall_ms != 0 &&
		called->ns > (uint64_t)cf->stall_ms * NS_PER_MS)
		stats_stalled(s, server, to, seen, called);
}

static const struct weir_observer observer = {
	.channel_size = sizeof(struct own),
	.moved = stats_moved,
	.events = stats_events,
	.opened = stats_opened,
	.connected = stats_connected,
	.answered = stats_answered,
	.called = stats_called,
	.closed = stats_closed,
};

/* ---- pages --------------------------------------------------------------- */

static void
stats_page(struct weir_service *s, struct weir_request *r, bool json)
{
	static const char none[] = "there is no memory for the figures\n";
	const struct stats_conf *cf = s->conf;
	struct text t = { .p = NULL };
	struct totals totals;

	t.failed = totals_init(&totals, s->counters, s->plan,
			   (size_t)cf->backends) == -1;
	if (!t.failed) {
		if (json)
			json_write(&t, &totals, now_us(CLOCK_REALTIME) / 1000);
		else
			metrics_write(&t, &totals);
		totals_done(&totals);
	}
	if (t.failed)
		weir_reply(r, 503, "text/plain", none, sizeof(none) - 1);
	else
		weir_reply(r, 200, json ? "application/json" : METRICS_TYPE,
			t.p, t.len);
	free(t.p);
}

static void
page_metrics(struct weir_service *s, struct weir_request *r)
{
	stats_page(s, r, false);
}

static void
page_stats(struct weir_service *s, struct weir_request *r)
{
	stats_page(s, r, true);
}

static int
stats_keep(struct weir_service *s, struct weir_keeper *k)
{
	return weir_keeper_page(k, s, "/metrics", page_metrics) == -1 ||
			       weir_keeper_page(
				       k, s, "/v1/stats", page_stats) == -1
		       ? -1
		       : weir_keeper_page(k, s, "/", dashboard_answer);
}

const struct weir_extension ext_stats = {
	.name = "stats",
	.help = "Counts what channels, backends and middlewares do, and shows "
		"it at /metrics (OpenMetrics), /v1/stats (JSON), and, to "
		"people, "
		"as a page at /.",
	.opts = opts,
	.conf_size = sizeof(struct stats_conf),
	.state_size = sizeof(struct state),
	.single = true,
	.count = stats_count,
	.observer = &observer,
	.start = stats_start,
	.stop = stats_stop,
	.keep = stats_keep,
};
