/* loop.c - what all engines of a worker share: event base, turn, scratch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/seg.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/loop.h"

#define TICK_LEAST_MS	10  /* how exact limits of the server are */
#define TICK_EXACT_MS	1   /* and what modules ask for */
#define TICK_MOVABLE_MS 5   /* while somebody else may move the clock */
#define TRIM_MS		250 /* what is not used that long is given back */
#define PIPES_SHARE	16  /* a pipe for so many descriptors */

static void
loop_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	clock_update();
	loop->tick_ms = UINT64_MAX;
	if (loop->timeouts.next_ms <= clock_ms())
		timeouts_sweep(
			&loop->timeouts, clock_ms(), channel_timeout_due);
}

/* Memory and pipes that nobody has used lately. */
static void
loop_trim(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct engine *e;
	bool more;

	(void)fd;
	(void)what;
	more = segs_trim();
	more |= pipes_trim(&loop->pipes);
	TAILQ_FOREACH(e, &loop->engines, link)
	{
		pool_trim(&e->blocks);
	}
	loop->trims =
		more && poller_timer(&loop->poller, loop->trim, TRIM_MS) == 0;
}

/* Arms the timer that gives back, when there may be anything. */
static void
loop_arm_trim(struct loop *loop)
{
	if (loop->trims ||
		(!loop->reaped && loop->pipes.kept == 0 && !segs_are_kept()))
		return;
	loop->reaped = false;
	loop->trims = poller_timer(&loop->poller, loop->trim, TRIM_MS) == 0;
}

int
loop_init(struct loop *loop, size_t scratch_size)
{
	*loop = (struct loop){ .tick_ms = UINT64_MAX,
		.scratch_size = scratch_size,
		.fds_most = SIZE_MAX,
		.pipes.most = PIPES_MOST,
		.poller.epfd = -1 };
	TAILQ_INIT(&loop->run);
	TAILQ_INIT(&loop->dead);
	TAILQ_INIT(&loop->engines);
	LIST_INIT(&loop->cursors);
	LIST_INIT(&loop->tracers);
	clock_update();
	timeouts_init(&loop->timeouts, clock_ms());
	loop->scratch = malloc(scratch_size);
	if (loop->scratch == NULL || poller_init(&loop->poller) == -1) {
		free(loop->scratch);
		return -1;
	}
	loop->base = loop->poller.base;
	if ((loop->tick = evtimer_new(loop->base, loop_tick, loop)) == NULL ||
		(loop->trim = evtimer_new(loop->base, loop_trim, loop)) ==
			NULL) {
		loop_done(loop);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
loop_done(struct loop *loop)
{
	if (loop->tick != NULL)
		event_free(loop->tick);
	if (loop->trim != NULL)
		event_free(loop->trim);
	poller_done(&loop->poller);
	free(loop->scratch);
	pipes_done(&loop->pipes);
	tickets_done(&loop->tickets);
	*loop = (struct loop){ 0 };
}

void
loop_limit_pipes(struct loop *loop)
{
	size_t most = loop->fds_most / PIPES_SHARE;

	if (most < loop->pipes.most)
		loop->pipes.most = most;
	loop->fds_most -= 2 * loop->pipes.most;
}

/* Arms the one timer for the next limit that can be due. */
static void
loop_arm(struct loop *loop)
{
	uint64_t next_ms = loop->timeouts.next_ms, wait_ms;
	uint64_t least_ms =
		loop->timeouts.exact > 0 ? TICK_EXACT_MS : TICK_LEAST_MS;

	if (next_ms == UINT64_MAX)
		return;
	wait_ms = next_ms > clock_ms() ? next_ms - clock_ms() : 0;
	if (wait_ms < least_ms)
		wait_ms = least_ms;
	/* Later than that is not earlier: a busy loop would put it off for
	 * ever. */
	if (loop->tick_ms <= clock_ms() + wait_ms)
		return;
	loop->tick_ms = clock_ms() + wait_ms;
	if (clock_is_movable())
		wait_ms = TICK_MOVABLE_MS;
	if (poller_timer(&loop->poller, loop->tick, wait_ms) == -1) {
		log_error("cannot arm the timer of time limits");
		loop->tick_ms = UINT64_MAX;
	}
}

/* Runs who asked for it before now; who asks again waits for the next turn. */
static void
loop_run_queued(struct loop *loop)
{
	struct weir_channel *last = TAILQ_LAST(&loop->run, channel_head), *ch;

	while (last != NULL && (ch = TAILQ_FIRST(&loop->run)) != NULL) {
		TAILQ_REMOVE(&loop->run, ch, turn_link);
		ch->queued = false;
		if (ch == last)
			last = NULL;
		channel_run(ch);
	}
}

static void
loop_reap(struct loop *loop)
{
	struct weir_channel *ch;

	while ((ch = TAILQ_FIRST(&loop->dead)) != NULL) {
		TAILQ_REMOVE(&loop->dead, ch, turn_link);
		ch->queued = false;
		loop->reaped = true;
		channel_bury(ch);
	}
}

void
loop_turn(struct loop *loop)
{
	loop->turn_bytes = 0;
	loop_arm(loop);
	loop_arm_trim(loop);
	poller_wait(&loop->poller, TAILQ_EMPTY(&loop->run));
	loop_run_queued(loop);
	loop_reap(loop);
}

void
loop_run(struct loop *loop)
{
	while (!loop->leaving)
		loop_turn(loop);
	loop_run_queued(loop);
	loop_reap(loop);
}
