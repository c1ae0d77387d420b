/* table.c - a table in shared memory, which middlewares count in. */
#include <string.h>

#include "weir.h"

/* A column as it is configured. */
struct column {
	const char *name;
	int type; /* enum weir_column_type */
	uint32_t window_ms;
	size_t size, burst;
	int64_t rate;
};

struct conf {
	size_t size;
	uint32_t ttl_ms;
	int full; /* enum weir_full */
	int64_t key_max;
	const char *keep;
	uint32_t keep_every_ms;
	struct weir_list columns; /* of struct column; none: those below */
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
	WEIR_OPT_END,
};

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
	return 0;
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

static bool
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
		.save_ms = cf->keep_every_ms };
	return true;
}

const struct weir_extension ext_table = {
	.name = "table",
	.help = "A table in shared memory: counts, rates and limits by key, "
		"for all workers, and over reloads.",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.check = table_check,
	.table = table_table,
};
