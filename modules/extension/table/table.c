/* table.c - a table in shared memory, which middlewares count in. */
#include <string.h>

#include "address.h"
#include "sync.h"
#include "table.h"

#define PREFIX_MOST 64

/* A column as it is configured. */
struct column {
	const char *name;
	int type; /* enum weir_column_type */
	uint32_t window_ms;
	size_t size, burst;
	int64_t rate;
};

static const struct weir_column standard[] = {
	{ .name = "conns", .type = WEIR_COLUMN_HELD },
	{ .name = "opened", .type = WEIR_COLUMN_RATE, .window_ms = 60000 },
	{ .name = "new", .type = WEIR_COLUMN_TOKENS },
	{ .name = "up", .type = WEIR_COLUMN_TOKENS },
	{ .name = "down", .type = WEIR_COLUMN_TOKENS },
	{ .name = "quota", .type = WEIR_COLUMN_PERIOD },
	{ .name = "bytes", .type = WEIR_COLUMN_COUNT },
};
#define STANDARD (sizeof(standard) / sizeof(standard[0]))

static const char *const types[] = {
#define X(id, word) [WEIR_COLUMN_##id] = word,
	WEIR_COLUMN_TYPES(X)
#undef X
		NULL
};

static const char *const fulls[] = {
#define X(id, word) [WEIR_FULL_##id] = word,
	WEIR_FULLS(X)
#undef X
		NULL
};

static const struct weir_opt column_opts[] = {
	WEIR_STRING("name", struct column, name,
		.help = "What middlewares call it."),
	WEIR_CHOICE("type", struct column, type, .choices = types,
		.help = "What a cell of it is: what was added; what was added "
			"in the last \"window\"; what workers hold, until they "
			"let go or are gone; a bucket of tokens; a text; what "
			"was spent since a period began."),
	WEIR_TIME("window", struct column, window_ms, .def = "1m", .min = 1,
		.max = 2592000000, .help = "Of a rate: how long."),
	WEIR_SIZE("size", struct column, size, .def = "64", .min = 1,
		.max = WEIR_CELL_MOST, .help = "Of a value: most bytes."),
	WEIR_INT("rate", struct column, rate, .def = "0", .max = INT32_MAX,
		.help = "Of tokens: how many come in a second, if who draws "
			"does not say."),
	WEIR_SIZE("burst", struct column, burst, .def = "0", .max = INT32_MAX,
		.help = "Of tokens: how many there are at most, likewise."),
	WEIR_OPT_END,
};
static const struct weir_rows column_rows = { .opts = column_opts,
	.size = sizeof(struct column) };

static const struct weir_opt opts[] = {
	WEIR_SIZE("size", struct conf, size, .def = "16M", .min = 65536,
		.max = (int64_t)1 << 36,
		.help = "Most memory for its rows; one with the columns that "
			"are there by themselves has about 500 bytes."),
	WEIR_TIME("ttl", struct conf, ttl_ms, .def = "1h", .flags = WEIR_OFF,
		.min = 1000, .max = 4233600000,
		.help = "How long a key is kept after its last use; off: until "
			"its room is needed.  One in which something is held "
			"is in use.  Longer than any window and period that is "
			"to be remembered: \"2d\" for quotas of a day."),
	WEIR_CHOICE("full", struct conf, full, .def = "evict", .choices = fulls,
		.help = "What happens when there is no room for a new key: the "
			"one used longest ago goes, unless something is held "
			"in it; or the new one is refused, or passes without "
			"being counted."),
	WEIR_INT("key_max", struct conf, key_max, .def = "64", .min = 4,
		.max = WEIR_KEY_MOST, .help = "Most bytes of a key."),
	WEIR_GROUPS("columns", struct conf, columns, .rows = &column_rows,
		.flags = WEIR_OPTIONAL, .max = WEIR_COLUMNS,
		.help = "What is kept of each key; without them: conns (held), "
			"opened (a rate of 1m), new, up and down (tokens), "
			"quota (a period) and bytes (a count), which is what "
			"middlewares look for.  A change of columns empties "
			"the table."),
	WEIR_STRING("keep", struct conf, keep, .flags = WEIR_OPTIONAL,
		.help = "Where the table is kept over a restart: an absolute "
			"path, in a directory that the user of the workers "
			"may write to.  What is held and rates begin anew."),
	WEIR_TIME("keep_every", struct conf, keep_every_ms, .def = "1m",
		.min = 1000, .max = 86400000,
		.help = "How often it is written there, besides when weir "
			"leaves: so much is lost when the machine fails."),
	WEIR_STRING("sync", struct conf, sync, .flags = WEIR_OPTIONAL,
		.help = "A Redis (5 or later; no cluster) over which machines "
			"share the table: \"redis://host:port\", with "
			"user:password@ or :password@ before the host and "
			"/number of a database behind it, or "
			"\"redis+unix:///path?db=number\"; "
			"\"redis://:${REDIS_PASSWORD}@host\" keeps a password "
			"out of the file.  To begin or end with it empties the "
			"table.  See Shared tables below."),
	WEIR_TIME("sync_every", struct conf, sync_every_ms, .def = "1s",
		.min = 10, .max = 60000,
		.help = "How often the table is exchanged."),
	WEIR_TIME("sync_stale", struct conf, sync_stale_ms, .def = "10s",
		.min = 100, .max = 3600000,
		.help = "How long what others hold counts after the last word "
			"of them, or of Redis; twice \"sync_every\" at least."),
	WEIR_STRING("sync_prefix", struct conf, sync_prefix, .def = "weir",
		.help = "What all keys in Redis begin with, before a colon: "
			"another one for machines that are to share nothing "
			"with these."),
	WEIR_STRING("machine", struct conf, machine, .flags = WEIR_OPTIONAL,
		.help = "What this machine is called there, before a random "
			"number of its own; the default is the host's name."),
	WEIR_OPT_END,
};

static int
sync_check(const struct conf *cf, struct weir_diag *d)
{
	struct address address;
	const char *why;

	if (cf->sync == NULL)
		return 0;
	if (address_parse(&address, cf->sync, &why) == -1) {
		weir_error(d, "option \"sync\": %s", why);
		return -1;
	}
	/* What it has of a file, others still know: it would count twice. */
	if (cf->keep != NULL) {
		weir_error(d, "options \"keep\" and \"sync\": one of them is "
			      "wanted, as over a restart Redis keeps what is "
			      "shared");
		return -1;
	}
	if (cf->sync_stale_ms < 2 * cf->sync_every_ms) {
		weir_error(d, "option \"sync_stale\" has to be twice "
			      "\"sync_every\" at least");
		return -1;
	}
	if (*cf->sync_prefix != '\0' && strlen(cf->sync_prefix) <= PREFIX_MOST)
		return 0;
	weir_error(d, "option \"sync_prefix\" has to have 1 to %d bytes",
		PREFIX_MOST);
	return -1;
}

static int
table_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	const struct column *c = cf->columns.v;
	size_t i, j;

	for (i = 0; i < cf->columns.n; i++)
		for (j = 0; j < i; j++)
			if (strcmp(c[i].name, c[j].name) == 0) {
				weir_error(d,
					"two of its columns have the name "
					"\"%.64s\"",
					c[i].name);
				return -1;
			}
	if (cf->keep != NULL && cf->keep[0] != '/') {
		weir_error(d,
			"option \"keep\" = \"%s\" wants a path that begins "
			"with "
			"\"/\"",
			cf->keep);
		return -1;
	}
	return sync_check(cf, d);
}

/* The columns of a conf: valid until the next call. */
static const struct weir_column *
columns_of(const struct conf *cf)
{
	static struct weir_column columns[WEIR_COLUMNS];
	const struct column *c = cf->columns.v;
	size_t i;

	for (i = 0; i < cf->columns.n; i++)
		columns[i] = (struct weir_column){ .name = c[i].name,
			.type = (enum weir_column_type)c[i].type,
			.window_ms = c[i].window_ms,
			.size = (uint32_t)c[i].size,
			.rate = (uint64_t)c[i].rate,
			.burst = c[i].burst };
	return columns;
}

bool
table_table(const void *conf, unsigned i, struct weir_table_spec *spec)
{
	const struct conf *cf = conf;
	bool own = cf->columns.n > 0;

	if (i > 0)
		return false;
	*spec = (struct weir_table_spec){ .columns = own ? columns_of(cf)
							 : standard,
		.ncolumns = (unsigned)(own ? cf->columns.n : STANDARD),
		.key_most = (uint32_t)cf->key_max,
		.size = cf->size,
		.ttl_ms = cf->ttl_ms,
		.full = (enum weir_full)cf->full,
		.file = cf->keep,
		.save_ms = cf->keep_every_ms,
		.shared = cf->sync != NULL };
	return true;
}

static int
table_keep(struct weir_service *s, struct weir_keeper *k)
{
	const struct conf *conf = s->conf;
	struct state *st = s->state;

	(void)k;
	if (conf->sync == NULL)
		return 0;
	st->sync = sync_start(s);
	return st->sync == NULL ? -1 : 0;
}

/* Not before: others are to hear of one keeper of a machine. */
static void
table_serve(struct weir_service *s)
{
	struct state *st = s->state;

	if (st->sync != NULL)
		sync_begin(st->sync);
}

static void
table_stop(struct weir_service *s)
{
	struct state *st = s->state;

	if (st->sync != NULL)
		sync_stop(st->sync);
}

static void
command_sync(struct weir_service *s, struct weir_request *r)
{
	const struct state *st = s->state;

	sync_tell(st->sync, r);
}

static const struct weir_command commands[] = {
	{ "sync", "Shows how the table is shared with other machines.", true,
		command_sync },
	{ .word = NULL },
};

const struct weir_extension ext_table = {
	.name = "table",
	.help = "A table in shared memory: counts, rates and limits by key, "
		"for all workers, and over reloads; if wanted, shared with "
		"other machines.",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state),
	.check = table_check,
	.table = table_table,
	.stop = table_stop,
	.keep = table_keep,
	.serve = table_serve,
	.commands = commands,
};
