/* upkeep.c - what tables need once, whoever uses them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "heritage.h"
#include "keeper/upkeep.h"
#include "shm/snapshot.h"
#include "shm/table.h"

#define TICK_MS	      250
#define SWEEP_STRIPES 16 /* of each table, a tick */
#define SAVE_MS	      60000

static void table_fill(const struct heritage_table *t);
static void upkeep_save(struct upkeep *u);
static void upkeep_tick(evutil_socket_t fd, short what, void *arg);

int
upkeep_init(struct upkeep *u, const struct heritage *h, struct event_base *base)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	size_t i;

	*u = (struct upkeep){ .heritage = h, .save_ms = clock_ms() + SAVE_MS };
	if (h->ntables == 0)
		return 0;
	for (i = 0; i < h->ntables; i++)
		if (h->tables[i].fresh && h->tables[i].file != NULL)
			table_fill(&h->tables[i]);
	u->from = calloc(h->ntables, sizeof(*u->from));
	u->tick = event_new(base, -1, EV_PERSIST, upkeep_tick, u);
	if (u->from != NULL && u->tick != NULL &&
		event_add(u->tick, &tick) == 0) {
		/* Better to know now than in a minute that it cannot. */
		upkeep_save(u);
		return 0;
	}
	errno = ENOMEM;
	return -1;
}

void
upkeep_done(struct upkeep *u)
{
	if (u->tick != NULL) {
		upkeep_save(u);
		event_free(u->tick);
	}
	free(u->from);
	*u = (struct upkeep){ 0 };
}

/* What cannot be read is not overwritten: somebody may want to look at it. */
static void
table_fill(const struct heritage_table *t)
{
	const char *why = "";
	char *aside = NULL;

	if (access(t->file, F_OK) == -1 && errno == ENOENT)
		return;
	if (snapshot_load(t->table, t->file, &why) == 0) {
		log_info("table \"%s\": has %llu keys of %s", t->name,
			(unsigned long long)table_count(t->table), t->file);
		return;
	}
	if (asprintf(&aside, "%s.damaged", t->file) != -1 &&
		rename(t->file, aside) == 0)
		log_error("table \"%s\": begins empty: %s: %s; it is %s now",
			t->name, t->file, why, aside);
	else
		log_error("table \"%s\": begins empty: %s: %s", t->name,
			t->file, why);
	free(aside);
}

static void
upkeep_save(struct upkeep *u)
{
	const struct heritage_table *t = u->heritage->tables;
	size_t i;

	for (i = 0; i < u->heritage->ntables; i++)
		if (t[i].file != NULL &&
			snapshot_save(t[i].table, t[i].file) == -1)
			log_error("table \"%s\": cannot be kept in %s: %s",
				t[i].name, t[i].file, strerror(errno));
}

static void
upkeep_tick(evutil_socket_t fd, short what, void *arg)
{
	struct upkeep *u = arg;
	size_t i;

	(void)fd;
	(void)what;
	clock_update();
	for (i = 0; i < u->heritage->ntables; i++)
		(void)table_sweep(u->heritage->tables[i].table, &u->from[i],
			SWEEP_STRIPES);
	if (clock_ms() < u->save_ms)
		return;
	u->save_ms = clock_ms() + SAVE_MS;
	upkeep_save(u);
}
