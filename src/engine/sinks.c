/* sinks.c - the log files of a worker, and when they are written to. */
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sink.h"
#include "conf/conf.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/sinks.h"

#define TICK_LEAST_MS	5
#define TICK_MOVABLE_MS 5 /* while somebody else may move the clock */

static void sinks_tick(evutil_socket_t fd, short what, void *arg);
static void sinks_arm(struct sinks *ss, uint64_t due_ms);

int
sinks_init(struct sinks *ss, struct poller *poller, const struct conf *conf,
	const int *fds)
{
	size_t n = conf->logfiles.n;

	*ss = (struct sinks){ .tick_ms = UINT64_MAX, .poller = poller };
	ss->v = calloc(n > 0 ? n : 1, sizeof(struct sink *));
	ss->tick = evtimer_new(poller->base, sinks_tick, ss);
	while (ss->v != NULL && ss->n < n) {
		ss->v[ss->n] = sink_new(
			conf_logfile_at(conf, ss->n)->text, fds[ss->n]);
		if (ss->v[ss->n] == NULL)
			break;
		ss->n++;
	}
	if (ss->v != NULL && ss->tick != NULL && ss->n == n)
		return 0;
	sinks_done(ss);
	errno = ENOMEM;
	return -1;
}

void
sinks_done(struct sinks *ss)
{
	size_t i;

	for (i = 0; i < ss->n; i++)
		sink_free(ss->v[i]);
	free(ss->v);
	if (ss->tick != NULL)
		event_free(ss->tick);
	*ss = (struct sinks){ 0 };
}

void
sinks_line(struct sinks *ss, const struct weir_logfile *to, const char *line,
	size_t len, uint32_t wait_ms)
{
	struct sink *s = ss->v[to->index];

	sink_line(s, line, len, wait_ms);
	sinks_arm(ss, sink_due(s));
}

int
sinks_reopen(struct sinks *ss, size_t i, int fd)
{
	int rc = sink_reopen(ss->v[i], fd);

	sinks_arm(ss, sink_due(ss->v[i]));
	return rc;
}

void
weir_line(const struct weir_call *c, const struct weir_logfile *to,
	const char *line, size_t len, uint32_t wait_ms)
{
	sinks_line(&c->ch->engine->loop->sinks, to, line, len, wait_ms);
}

static void
sinks_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sinks *ss = arg;
	uint64_t due_ms = UINT64_MAX;
	size_t i;

	(void)fd;
	(void)what;
	clock_update();
	ss->tick_ms = UINT64_MAX;
	for (i = 0; i < ss->n; i++) {
		sink_run(ss->v[i]);
		if (sink_due(ss->v[i]) < due_ms)
			due_ms = sink_due(ss->v[i]);
	}
	sinks_arm(ss, due_ms);
}

/* One timer for all: it only ever has to come earlier. */
static void
sinks_arm(struct sinks *ss, uint64_t due_ms)
{
	uint64_t wait_ms;

	if (due_ms >= ss->tick_ms)
		return;
	wait_ms = due_ms > clock_ms() ? due_ms - clock_ms() : 0;
	if (wait_ms < TICK_LEAST_MS)
		wait_ms = TICK_LEAST_MS;
	ss->tick_ms = clock_ms() + wait_ms;
	if (clock_is_movable())
		wait_ms = TICK_MOVABLE_MS;
	if (poller_timer(ss->poller, ss->tick, wait_ms) == -1) {
		log_error("cannot arm the timer of log files");
		ss->tick_ms = UINT64_MAX;
	}
}
