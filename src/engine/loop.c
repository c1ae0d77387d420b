/* loop.c - what all engines of a worker share: event base, turn, scratch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/loop.h"

#define TICK_LEAST_MS	10 /* how exact limits of the server are */
#define TICK_EXACT_MS	1  /* and what modules ask for */
#define TICK_MOVABLE_MS 5  /* while somebody else may move the clock */

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

int
loop_init(struct loop *loop, size_t scratch_size)
{
	*loop = (struct loop){ .tick_ms = UINT64_MAX,
		.scratch_size = scratch_size,
		.fds_most = SIZE_MAX,
		.poller.epfd = -1 };
	TAILQ_INIT(&loop->run);
	TAILQ_INIT(&loop->dead);
	clock_update();
	timeouts_init(&loop->timeouts, clock_ms());
	loop->base = event_base_new();
	loop->scratch = malloc(scratch_size);
	if (loop->base == NULL || loop->scratch == NULL ||
		(loop->tick = evtimer_new(loop->base, loop_tick, loop)) ==
			NULL ||
		poller_init(&loop->poller, loop->base) == -1) {
		loop_done(loop);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
loop_done(struct loop *loop)
{
	poller_done(&loop->poller);
	if (loop->tick != NULL)
		event_free(loop->tick);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop->scratch);
	tickets_done(&loop->tickets);
	*loop = (struct loop){ 0 };
}

/* Arms the one timer for the next limit that can be due. */
static void
loop_arm(struct loop *loop)
{
	uint64_t next_ms = loop->timeouts.next_ms, wait_ms;
	uint64_t least_ms =
		loop->timeouts.exact > 0 ? TICK_EXACT_MS : TICK_LEAST_MS;
	struct timeval tv;

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
	tv.tv_sec = (time_t)(wait_ms / 1000);
	tv.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000);
	if (evtimer_add(loop->tick, &tv) == -1) {
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
		channel_bury(ch);
	}
}

void
loop_turn(struct loop *loop)
{
	loop_arm(loop);
	/* Once in any case: else whoever has always something to do keeps it
	 * from ever coming back. */
	if (event_base_loop(
		    loop->base, TAILQ_EMPTY(&loop->run)
					? EVLOOP_ONCE
					: EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
		log_error("the event loop failed: %s", strerror(errno));
	clock_update();
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
