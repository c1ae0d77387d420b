/* apply.c - the list becomes that of a file, but for what commands have added:
 * a part of it in each turn of the loop, as others wait for the keeper. */
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>

#include "denylist.h"

#define TURN_MOST 500 /* networks */

static const struct timeval at_once = { 0, 0 };

static struct apply *
apply_of(struct weir_service *s)
{
	return &((struct state *)s->state)->apply;
}

/* Its time has begun when it was first seen, and may be over. */
static int
line_apply(struct weir_service *s, const struct line *line)
{
	struct entry entry, by_file = { .by = BY_FILE, .ttl_ms = line->ttl_ms };
	bool timed = line->ttl_ms != 0, is_there;
	int seen = 0;

	if (entry_get(s, &line->net, &entry) == -1 && errno != ENOENT)
		return -1;
	is_there = entry.by == BY_FILE && entry.ttl_ms == line->ttl_ms;
	if (timed)
		seen = seen_is(s, &line->net, line->ttl_ms);
	if (seen != 0)
		return seen == 1 ? 0 : -1;
	if (!is_there && net_add(s, &line->net, &by_file) == -1)
		return -1;
	/* Who did that before may have died, or found no room, before this. */
	return timed ? seen_add(s, &line->net, line->ttl_ms) : 0;
}

/* The line of a network, if it has a time or need not. */
static const struct line *
line_find(const struct apply *a, const struct net *net, bool timed)
{
	const struct line *line =
		a->n == 0
			? NULL
			: bsearch(net, a->v, a->n, sizeof(*a->v), net_compare);

	return line == NULL || (timed && line->ttl_ms == 0) ? NULL : line;
}

/* It could not be said, or done: all is looked at again later. */
static void
apply_stays(struct apply *a, int err)
{
	a->stays = true;
	a->err = err;
}

/* Takes it away if no line has it (any more). */
static void
net_forget(struct weir_service *s, struct apply *a, const struct net *net)
{
	struct entry entry;

	if (line_find(a, net, false) != NULL)
		return;
	if (entry_get(s, net, &entry) == 0) {
		if (entry.by != BY_FILE)
			return;
		if (weir_table_delete(s->tables[NETS], net_key(net)) == 0) {
			a->removed++;
			return;
		}
	}
	if (errno != ENOENT)
		apply_stays(a, errno);
}

static void
seen_forget(struct weir_service *s, struct apply *a, const struct net *net)
{
	if (line_find(a, net, true) == NULL && seen_delete(s, net) == -1 &&
		errno != ENOENT)
		apply_stays(a, errno);
}

static void
apply_enter(struct weir_service *s, enum apply_step step)
{
	struct apply *a = apply_of(s);

	free(a->nets.v);
	a->nets = (struct nets){ .v = NULL };
	a->step = step;
	a->at = 0;
	if (step != APPLY_NETS && step != APPLY_SEENS)
		return;
	nets_list(s, &a->nets, step == APPLY_SEENS);
	if (a->nets.scant || a->nets.partial)
		apply_stays(a, a->nets.scant ? ENOMEM : ETIMEDOUT);
}

/* One network, or what comes next. */
static void
apply_one(struct weir_service *s)
{
	struct apply *a = apply_of(s);

	switch (a->step) {
	case APPLY_NETS:
		if (a->at < a->nets.n)
			net_forget(s, a, &a->nets.v[a->at++]);
		else
			apply_enter(s, APPLY_SEENS);
		break;
	case APPLY_SEENS:
		if (a->at < a->nets.n)
			seen_forget(s, a, &a->nets.v[a->at++]);
		else
			apply_enter(s, APPLY_LINES);
		break;
	case APPLY_LINES:
		if (a->at == a->n) {
			file_applied(s, a);
			apply_end(s);
		} else if (line_apply(s, &a->v[a->at++]) == -1) {
			a->failed++;
			a->err = errno;
		}
		break;
	case APPLY_NONE:
		break;
	}
}

static void
apply_turn(struct weir_service *s)
{
	struct apply *a = apply_of(s);
	unsigned i;

	for (i = 0; i < TURN_MOST && a->step != APPLY_NONE; i++)
		apply_one(s);
	/* Else the next look goes on. */
	if (a->step != APPLY_NONE)
		(void)event_add(a->turn, &at_once);
}

static void
apply_told(int fd, short what, void *arg)
{
	struct weir_service *s = arg;

	(void)fd;
	(void)what;
	((struct state *)s->state)->loops = true;
	apply_turn(s);
}

int
apply_init(struct weir_service *s)
{
	struct apply *a = apply_of(s);

	a->turn = event_new(s->base, -1, 0, apply_told, s);
	/* It is told that there is a loop. */
	if (a->turn != NULL && event_add(a->turn, &at_once) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

void
apply_done(struct weir_service *s)
{
	struct apply *a = apply_of(s);

	apply_end(s);
	if (a->turn != NULL)
		event_free(a->turn);
	a->turn = NULL;
}

void
apply_begin(struct weir_service *s, struct line *v, size_t n)
{
	struct apply *a = apply_of(s);

	*a = (struct apply){ .turn = a->turn, .v = v, .n = n };
	apply_enter(s, APPLY_NETS);
	apply_turn(s);
}

bool
apply_goes_on(struct weir_service *s)
{
	struct apply *a = apply_of(s);

	if (a->step == APPLY_NONE)
		return false;
	if (!event_pending(a->turn, EV_TIMEOUT, NULL))
		apply_turn(s);
	return true;
}

void
apply_finish(struct weir_service *s)
{
	while (apply_of(s)->step != APPLY_NONE)
		apply_one(s);
}

void
apply_end(struct weir_service *s)
{
	struct apply *a = apply_of(s);

	apply_enter(s, APPLY_NONE);
	free(a->v);
	a->v = NULL;
	if (a->turn != NULL)
		(void)event_del(a->turn);
}
