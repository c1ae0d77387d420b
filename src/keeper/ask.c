/* ask.c - one question to workers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "keeper/ask.h"
#include "keeper/keeper.h"
#include "keeper/members.h"

static void
ask_is_over(evutil_socket_t fd, short what, void *arg)
{
	struct ask *a = arg;

	(void)fd;
	(void)what;
	clock_update();
	a->over(a);
}

/* In a turn of its own: whoever is called may end it. */
static void
ask_look(struct ask *a)
{
	if (a->waits == 0 && !a->follows)
		event_active(a->deadline, EV_TIMEOUT, 1);
}

static void
owed_know(struct owed *o, const struct member *m)
{
	o->known = m->known;
	o->generation = m->generation;
	o->slot = m->slot;
	o->pid = m->pid;
}

/* Asks one worker, or, if it has said nothing yet, as soon as it has. */
static int
ask_member(struct ask *a, struct member *m)
{
	struct owed *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return -1;
	o->member = m;
	owed_know(o, m);
	TAILQ_INSERT_TAIL(&a->owed, o, link);
	a->waits++;
	/* A worker that does not even read is silent. */
	if (m->known && !a->queued)
		(void)member_send(m, a->question, a->size);
	return 0;
}

static int
ask_members(struct ask *a, struct member *only)
{
	struct member *m;

	if (only != NULL)
		return ask_member(a, only);
	TAILQ_FOREACH(m, &a->keeper->members, link)
	{
		if (ask_member(a, m) == -1)
			return -1;
	}
	return 0;
}

struct ask *
ask_begin(struct weir_keeper *k, const struct ask_options *o)
{
	const struct timeval tv = { (time_t)(o->ms / 1000),
		(suseconds_t)(o->ms % 1000 * 1000) };
	unsigned most = o->most == 0 ? ASKS_MOST : o->most;
	struct ask *a;

	if (k->nasks >= most && o->ms == 0) {
		errno = EBUSY;
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->queued = k->nasks >= most;
	a->urgent = most == ASKS_URGENT;
	a->most = most;
	a->keeper = k;
	a->number = ++k->last_ask;
	a->since_ms = clock_ms();
	a->follows = o->ms == 0 && o->only == NULL;
	a->told = o->told;
	a->over = o->over;
	a->arg = o->arg;
	a->size = o->size;
	TAILQ_INIT(&a->owed);
	TAILQ_INSERT_TAIL(&k->asks, a, link);
	k->nasks += !a->queued;
	a->question = malloc(o->size);
	a->deadline = evtimer_new(k->base, ask_is_over, a);
	if (a->question != NULL) {
		memcpy(a->question, o->question, o->size);
		((struct link_head *)a->question)->ask = a->number;
	}
	if (a->question == NULL || a->deadline == NULL ||
		ask_members(a, o->only) == -1 ||
		(o->ms > 0 && evtimer_add(a->deadline, &tv) == -1)) {
		ask_end(a);
		errno = ENOMEM;
		return NULL;
	}
	ask_look(a);
	return a;
}

static void
ask_send(const struct ask *a)
{
	const struct owed *o;

	TAILQ_FOREACH(o, &a->owed, link)
	{
		if (o->member != NULL && o->member->known)
			(void)member_send(o->member, a->question, a->size);
	}
}

/* One is over: the next that waits, and may go now, goes. */
static void
asks_next(struct weir_keeper *k)
{
	struct ask *a;

	TAILQ_FOREACH(a, &k->asks, link)
	{
		if (a->queued && k->nasks < a->most)
			break;
	}
	if (a == NULL)
		return;
	a->queued = false;
	k->nasks++;
	ask_send(a);
}

void
ask_end(struct ask *a)
{
	struct link_head end = { LINK_END, a->number };
	struct weir_keeper *k = a->keeper;
	struct owed *o;

	if (a->queued && a->urgent && a->question != NULL)
		ask_send(a);
	while ((o = TAILQ_FIRST(&a->owed)) != NULL) {
		if (o->member != NULL && o->member->known && !o->answered &&
			(!a->queued || a->urgent))
			(void)member_send(o->member, &end, sizeof(end));
		TAILQ_REMOVE(&a->owed, o, link);
		free(o);
	}
	TAILQ_REMOVE(&k->asks, a, link);
	k->nasks -= !a->queued;
	if (a->deadline != NULL)
		event_free(a->deadline);
	free(a->question);
	free(a);
	asks_next(k);
}

json_t *
ask_silent(const struct ask *a)
{
	json_t *list = json_array();
	const struct owed *o;

	TAILQ_FOREACH(o, &a->owed, link)
	{
		json_t *one;

		/* Who has ended since has nothing to say any more. */
		if (o->answered || o->member == NULL)
			continue;
		one = o->known ? json_pack("{s:I,s:I,s:I}", "generation",
					 (json_int_t)o->generation, "slot",
					 (json_int_t)o->slot, "pid",
					 (json_int_t)o->pid)
			       : json_pack("{s:n,s:n,s:I}", "generation",
					 "slot", "pid", (json_int_t)o->pid);
		(void)json_array_append_new(list, one);
	}
	return list;
}

static struct owed *
ask_owed(const struct ask *a, const struct member *m)
{
	struct owed *o;

	TAILQ_FOREACH(o, &a->owed, link)
	{
		if (o->member == m)
			return o;
	}
	return NULL;
}

static void
ask_answered(struct ask *a, struct owed *o)
{
	if (o->answered)
		return;
	o->answered = true;
	o->answer_ms = clock_ms() - a->since_ms;
	a->waits--;
	ask_look(a);
}

void
asks_told(
	struct weir_keeper *k, const struct member *m, const void *p, size_t n)
{
	const struct link_head *head = p;
	struct ask *a;
	struct owed *o;

	if (n < sizeof(*head))
		return;
	TAILQ_FOREACH(a, &k->asks, link)
	{
		if (a->number == head->ask)
			break;
	}
	/* An answer that comes late, or twice, is nobody's. */
	o = a == NULL ? NULL : ask_owed(a, m);
	if (o != NULL && !o->answered) {
		o->answer_ms = clock_ms() - a->since_ms;
		if (a->told(a, o, head, n))
			ask_answered(a, o);
	}
}

void
asks_join(struct weir_keeper *k, struct member *m)
{
	struct ask *a;
	struct owed *o;

	TAILQ_FOREACH(a, &k->asks, link)
	{
		o = ask_owed(a, m);
		if (o != NULL) {
			owed_know(o, m);
			if (!a->queued)
				(void)member_send(m, a->question, a->size);
		} else if (a->follows) {
			(void)ask_member(a, m);
		}
	}
}

void
asks_forget(struct weir_keeper *k, const struct member *m)
{
	struct ask *a;
	struct owed *o;

	TAILQ_FOREACH(a, &k->asks, link)
	{
		o = ask_owed(a, m);
		if (o == NULL)
			continue;
		ask_answered(a, o);
		o->member = NULL;
	}
}

void
asks_done(struct weir_keeper *k)
{
	while (!TAILQ_EMPTY(&k->asks))
		ask_end(TAILQ_FIRST(&k->asks));
}
