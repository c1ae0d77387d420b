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
#define OWN_WAIT_MS	1   /* while there is traffic, libevent comes */
#define PIPES_SHARE	16  /* a pipe for so many descriptors */
#define OWN_TURNS	32  /* so many turns, or ... */
#define OWN_MS		2   /* so much later, at the latest */

static const struct timeval trim_after = { .tv_usec = TRIM_MS * 1000 };

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
	loop->trims = more && evtimer_add(loop->trim, &trim_after) == 0;
}

/* Arms the timer that gives back, when there may be anything. */
static void
loop_arm_trim(struct loop *loop)
{
	if (loop->trims ||
		(!loop->reaped && loop->pipes.kept == 0 && !segs_are_kept()))
		return;
	loop->reaped = false;
	loop->trims = evtimer_add(loop->trim, &trim_after) == 0;
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
	clock_update();
	timeouts_init(&loop->timeouts, clock_ms());
	loop->base = event_base_new();
	loop->scratch = malloc(scratch_size);
	if (loop->base == NULL || loop->scratch == NULL ||
		(loop->tick = evtimer_new(loop->base, loop_tick, loop)) ==
			NULL ||
		(loop->trim = evtimer_new(loop->base, loop_trim, loop)) ==
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
	if (loop->trim != NULL)
		event_free(loop->trim);
	if (loop->base != NULL)
		event_base_free(loop->base);
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
		loop->reaped = true;
		channel_bury(ch);
	}
}

/* Timers, signals and whatever modules have: all but sockets of channels, and
 * these too. */
static void
loop_ask_libevent(struct loop *loop)
{
	struct poller *p = &loop->poller;
	bool busy;

	loop_arm_trim(loop);
	p->told = false;
	/* Once in any case: else whoever has always something to do keeps it
	 * from ever coming back. */
	if (event_base_loop(
		    loop->base, TAILQ_EMPTY(&loop->run)
					? EVLOOP_ONCE
					: EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
		log_error("the event loop failed: %s", strerror(errno));
	clock_update();
	busy = p->told && clock_ms() - loop->told_ms <= OWN_WAIT_MS;
	if (p->told)
		loop->told_ms = clock_ms();
	loop->own_turns = busy ? OWN_TURNS : 0;
	loop->asked_ms = clock_ms();
}

/* Is there so much traffic that the detour through libevent counts? */
static bool
loop_is_busy(const struct loop *loop)
{
	return loop->own_turns > 0 && clock_ms() - loop->asked_ms < OWN_MS &&
	       (loop->tick_ms == UINT64_MAX || loop->tick_ms > clock_ms());
}

void
loop_turn(struct loop *loop)
{
	loop_arm(loop);
	if (loop_is_busy(loop)) {
		bool idle = TAILQ_EMPTY(&loop->run);

		loop->own_turns--;
		if (poller_wait(&loop->poller, idle ? OWN_WAIT_MS : 0) > 0)
			loop->told_ms = clock_ms();
		else if (idle)
			loop->own_turns = 0;
	} else {
		loop_ask_libevent(loop);
	}
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
