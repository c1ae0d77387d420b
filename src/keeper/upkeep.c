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

static bool table_fill(const struct heritage_table *t);
static void table_put_aside(const struct heritage_table *t);
static void file_try(const struct heritage_table *t);
static void upkeep_save(struct upkeep *u);
static void upkeep_tick(evutil_socket_t fd, short what, void *arg);

int
upkeep_init(struct upkeep *u, const struct heritage *h, struct event_base *base)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	const struct heritage_table *t = h->tables;
	size_t i;

	*u = (struct upkeep){ .heritage = h, .saver = { .base = base } };
	if (h->ntables == 0)
		return 0;
	u->v = calloc(h->ntables, sizeof(*u->v));
	u->tick = event_new(base, -1, EV_PERSIST, upkeep_tick, u);
	if (u->v == NULL || u->tick == NULL ||
		event_add(u->tick, &tick) == -1) {
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < h->ntables; i++) {
		if (t[i].file == NULL)
			continue;
		if (t[i].fresh)
			u->v[i].damaged = !table_fill(&t[i]);
		file_try(&t[i]);
	}
	return 0;
}

static uint64_t
save_after(const struct heritage_table *t)
{
	if (t->file == NULL)
		return UINT64_MAX;
	return clock_ms() + (t->save_ms != 0 ? t->save_ms : SAVE_MS);
}

void
upkeep_serve(struct upkeep *u)
{
	size_t i;

	for (i = 0; i < u->heritage->ntables; i++) {
		if (u->v[i].damaged)
			table_put_aside(&u->heritage->tables[i]);
		u->v[i].save_ms = save_after(&u->heritage->tables[i]);
	}
	u->serves = true;
}

void
upkeep_retire(struct upkeep *u)
{
	u->serves = false;
	saver_done(&u->saver);
}

void
upkeep_done(struct upkeep *u)
{
	size_t i;

	saver_done(&u->saver);
	for (i = 0; u->serves && i < u->heritage->ntables; i++)
		if (u->heritage->tables[i].file != NULL)
			saver_write(&u->heritage->tables[i]);
	if (u->tick != NULL)
		event_free(u->tick);
	free(u->v);
	*u = (struct upkeep){ 0 };
}

/* False: there is a file, but it cannot be read. */
static bool
table_fill(const struct heritage_table *t)
{
	const char *why = "";

	/* One who filled it before did not come to its end. */
	if (table_count(t->table) > 0)
		table_clear(t->table);
	if (access(t->file, F_OK) == -1 && errno == ENOENT)
		return true;
	if (snapshot_load(t->table, t->file, &why) == -1) {
		log_error("table \"%s\": begins empty: %s: %s", t->name,
			t->file, why);
		return false;
	}
	log_info("table \"%s\": has %llu keys of %s", t->name,
		(unsigned long long)table_count(t->table), t->file);
	return true;
}

/* What cannot be read is not overwritten: somebody may want to look at it. */
static void
table_put_aside(const struct heritage_table *t)
{
	char *aside = NULL;

	if (asprintf(&aside, "%s.damaged", t->file) == -1)
		return;
	if (rename(t->file, aside) == 0)
		log_notice(
			"table \"%s\": %s is %s now", t->name, t->file, aside);
	else if (errno != ENOENT)
		log_error("table \"%s\": %s cannot be put aside: %s", t->name,
			t->file, strerror(errno));
	free(aside);
}

/* Better to know now than later that it cannot be written. */
static void
file_try(const struct heritage_table *t)
{
	char *dir = strdup(t->file), *slash;

	if (dir == NULL)
		return;
	slash = strrchr(dir, '/');
	if (slash != NULL) {
		slash[slash == dir] = '\0';
		if (access(dir, W_OK | X_OK) == -1)
			log_error("table \"%s\": cannot be kept in %s: %s",
				t->name, t->file, strerror(errno));
	}
	free(dir);
}

/* Lets those be written whose time has come. */
static void
upkeep_save(struct upkeep *u)
{
	const struct heritage *h = u->heritage;
	bool *wanted, any = false;
	size_t i;

	if (saver_works(&u->saver))
		return;
	wanted = calloc(h->ntables, sizeof(*wanted));
	if (wanted == NULL)
		return;
	for (i = 0; i < h->ntables; i++) {
		wanted[i] = clock_ms() >= u->v[i].save_ms;
		any = any || wanted[i];
	}
	if (any)
		saver_start(&u->saver, h->tables, h->ntables, wanted);
	for (i = 0; i < h->ntables; i++)
		if (wanted[i])
			u->v[i].save_ms = save_after(&h->tables[i]);
	free(wanted);
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
		(void)table_sweep(u->heritage->tables[i].table, &u->v[i].from,
			SWEEP_STRIPES);
	if (u->serves)
		upkeep_save(u);
}
