/* tables.c - the tables that a generation's extensions want, in the segment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "conf/plan.h"
#include "master/tables.h"
#include "shm/counters.h"
#include "shm/pause.h"

#define HOLDERS                                                                \
	32 /* in whole such: processes that have something of one key          \
	    */

static int
table_open(struct tables *ts, const struct conf *conf, uint32_t extension,
	const struct weir_table_spec *spec, uint32_t holders);
static int tables_count(struct tables *ts, const struct conf *conf,
	const struct conf_extension *ext);
static void tables_warn(const struct tables *ts);
static uint32_t holders_for(const struct conf *conf, unsigned workers);
static void holders_fit(struct table_options *options);

bool
tables_wanted(const struct conf *conf)
{
	return conf->extensions.n > 0 || conf->api.listen.n > 0;
}

int
tables_open(struct tables *ts, struct shm *shm, const struct conf *conf,
	unsigned workers)
{
	const struct conf_extension *ext;
	struct weir_table_spec spec;
	uint32_t i;
	unsigned j;

	ts->shm = shm;
	ts->pauses = pauses_open(shm);
	if (ts->pauses == NULL) {
		log_error("cannot share memory: %s", strerror(errno));
		return -1;
	}
	for (i = 0; i < conf->extensions.n; i++) {
		ext = conf_extension_at(conf, i);
		for (j = 0; ext->type->table != NULL; j++) {
			spec = (struct weir_table_spec){ 0 };
			if (!ext->type->table(ext->conf, j, &spec))
				break;
			if (table_open(ts, conf, i, &spec,
				    holders_for(conf, workers)) == -1)
				return -1;
		}
		if (ext->type->count != NULL &&
			tables_count(ts, conf, ext) == -1)
			return -1;
	}
	tables_warn(ts);
	return 0;
}

void
tables_filled(struct tables *ts)
{
	size_t i;

	for (i = 0; i < ts->n; i++) {
		ts->v[i].fresh = false;
		ts->v[i].table->zone->filled = true;
	}
}

void
tables_done(struct tables *ts)
{
	size_t i;

	for (i = 0; i < ts->n; i++) {
		table_done(ts->v[i].table);
		free(ts->v[i].table);
		free(ts->v[i].name);
	}
	free(ts->v);
	if (ts->counters != NULL)
		counters_done(ts->counters);
	free(ts->counters);
	*ts = (struct tables){ 0 };
}

bool
tables_have(const struct tables *ts, const struct shm_zone *zone)
{
	size_t i;

	for (i = 0; i < ts->n; i++)
		if (ts->v[i].table->zone == zone)
			return true;
	return false;
}

static int
table_open(struct tables *ts, const struct conf *conf, uint32_t extension,
	const struct weir_table_spec *spec, uint32_t holders)
{
	const char *owner = conf_extension_at(conf, extension)->name;
	struct heritage_table *v = reallocarray(ts->v, ts->n + 1, sizeof(*v));
	struct table_options options = { .columns = spec->columns,
		.ncolumns = spec->ncolumns,
		.key_most = spec->key_most,
		.holders = holders,
		.size = spec->size,
		.ttl_ms = spec->ttl_ms,
		.full = spec->full };
	struct weir_table *table = calloc(1, sizeof(*table));
	char *name = NULL;
	bool fresh = false;

	if (v != NULL)
		ts->v = v;
	if (v == NULL || table == NULL ||
		asprintf(&name, "%s%s%s", owner, spec->name != NULL ? "." : "",
			spec->name != NULL ? spec->name : "") == -1) {
		log_error("table of extension \"%s\": %s", owner,
			strerror(ENOMEM));
		free(table);
		return -1;
	}
	options.name = name;
	holders_fit(&options);
	if (table_init(table, ts->shm, &options, &fresh) == -1) {
		log_error("table \"%s\": cannot have %zu bytes: %s", name,
			spec->size,
			errno == ENOSPC		? "process.shm_max is used up"
			: errno == ENAMETOOLONG ? "its name is too long"
			: errno == EINVAL	? "its rows would be too big"
						: strerror(errno));
		table_done(table);
		free(table);
		free(name);
		return -1;
	}
	if (fresh && shm_zone_other(ts->shm, table->zone))
		log_warn("table \"%s\" has other columns than before, or room "
			 "for other numbers of workers and generations: it "
			 "begins empty",
			name);
	ts->v[ts->n++] = (struct heritage_table){ .table = table,
		.name = name,
		.extension = extension,
		.file = spec->file,
		.hidden = spec->hidden,
		.save_ms = spec->save_ms,
		.fresh = !table->zone->filled };
	return 0;
}

/* Each part of a table has some room of its own, but not as much as wanted. */
static void
tables_warn(const struct tables *ts)
{
	uint64_t all = shm_taken(ts->shm);
	size_t i;

	for (i = 0; i < ts->n; i++)
		all += ts->v[i].table->options.size / SHM_EXTENT;
	if (all > shm_extents(ts->shm))
		log_warn("tables may come to %llu kB, more than "
			 "process.shm_max: when that is used up, they are full "
			 "before they have what they may",
			(unsigned long long)(all * SHM_EXTENT / 1024));
}

static int
tables_count(struct tables *ts, const struct conf *conf,
	const struct conf_extension *ext)
{
	struct weir_counters *c = ts->counters;

	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL || counters_init(c, ts->shm) == -1) {
			log_error("extension \"%s\": cannot count: %s",
				ext->name,
				errno == ENOSPC ? "process.shm_max is used up"
						: strerror(errno));
			free(c);
			return -1;
		}
		ts->counters = c;
	}
	if (ext->type->count(ext->conf, conf_plan(conf), c) == 0)
		return 0;
	log_error("extension \"%s\": cannot count: %s", ext->name,
		strerror(errno));
	return -1;
}

/* Every process that can be there at a time may hold something of one key:
 * those of all generations, and of one that is about to be.  In steps, so that
 * a few workers more do not make it another table. */
static uint32_t
holders_for(const struct conf *conf, unsigned workers)
{
	uint64_t n = (uint64_t)workers *
		     ((uint64_t)conf->process.max_generations + 1);

	if (n > WEIR_PROCESSES)
		n = WEIR_PROCESSES;
	return (uint32_t)((n + HOLDERS - 1) / HOLDERS * HOLDERS);
}

static bool
holds(const struct table_options *options)
{
	unsigned i;

	for (i = 0; i < options->ncolumns; i++)
		if (options->columns[i].type == WEIR_COLUMN_HELD)
			return true;
	return false;
}

/* Of those as many as a row has room for; where nothing is held, the same for
 * all, so that the table stays when there are others. */
static void
holders_fit(struct table_options *options)
{
	struct shape shape = { .columns = options->columns,
		.n = options->ncolumns,
		.key_most = options->key_most,
		.holders = holds(options) ? options->holders : HOLDERS };

	while (shape.holders > HOLDERS && shape_init(&shape) == -1)
		shape.holders -= HOLDERS;
	if (holds(options) && shape.holders < options->holders)
		log_warn("table \"%s\": rows have room for %u processes that "
			 "hold something of one key, but workers and "
			 "process.max_generations allow %u",
			options->name, shape.holders, options->holders);
	options->holders = shape.holders;
}
