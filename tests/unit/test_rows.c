/* test_rows.c - every row of every table, given wrongly in every way. */
#include "conf_try.h"
#include "registry_fake.h"

#include "base/units.h"
#include "conf/core.h"
#include "conf/stage.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A place for options: what stands before and after them. */
struct block {
	const char *path; /* of its settings; NULL: not recorded by key */
	const struct weir_opt *rows;
	const char *more; /* rows of the core too, by key of their group */
	const char *head;
	const char *tail;
};

static struct block blocks[9];

static const struct weir_rows *
rows_of(const struct weir_opt *rows, const char *key)
{
	const struct weir_opt *row = option_find(rows, key, strlen(key));

	assert_non_null(row);
	return row->rows;
}

static int
blocks_fill(void **state)
{
	const struct weir_rows *servers = rows_of(core_rows, "servers");

	(void)state;
	blocks[0] = (struct block){ "", core_rows, NULL, "", "" };
	blocks[1] =
		(struct block){ "process.", rows_of(core_rows, "process")->opts,
			NULL, "servers = ( { } ); process = {", "};" };
	blocks[2] = (struct block){ "log.", rows_of(core_rows, "log")->opts,
		NULL, "servers = ( { } ); log = {", "};" };
	blocks[3] = (struct block){ "servers.server0.", servers->opts, NULL,
		"servers = ( {", "} );" };
	blocks[4] = (struct block){ "servers.server0.listen[0].",
		rows_of(servers->opts, "listen")->opts, NULL,
		"servers = ( { middlewares = \"sni\"; listen = ( {",
		"} ); } );" };
	blocks[5] = (struct block){ "servers.server0.middlewares.every.",
		fake_every_opts, "common",
		"servers = ( { middlewares = ( { type = \"every\";",
		"} ); } );" };
	blocks[6] = (struct block){ "servers.server0.middlewares.forward.",
		fake_forward_opts, "common",
		"servers = ( { middlewares = ( { type = \"forward\";",
		"} ); } );" };
	blocks[7] = (struct block){ "servers.server0.middlewares.echo.",
		stage_rows.opts, "common", "servers = ( { middlewares = ( { ",
		"} ); } );" };
	blocks[8] = (struct block){ "servers.server0.backend.",
		rows_of(servers->opts, "backend")->opts, NULL,
		"servers = ( { backend = {", "}; } );" };
	return 0;
}

/* A value that the row takes. */
static const char *
sample(const struct weir_opt *row)
{
	switch (row->type) {
	case WEIR_T_BOOL:
		return "true";
	case WEIR_T_INT:
	case WEIR_T_SIZE:
	case WEIR_T_TIME:
		return "16";
	case WEIR_T_ADDR:
	case WEIR_T_ADDRS:
		return "\"127.0.0.1:1\"";
	case WEIR_T_FORMAT:
		return "\"%{client.addr}\"";
	case WEIR_T_CONDITION:
		return "\"client.port < 1024\"";
	case WEIR_T_CIDRS:
		return "\"10.0.0.0/8\"";
	case WEIR_T_GROUP:
		return "{ }";
	case WEIR_T_GROUPS:
		return "( { name = \"x\"; } )";
	case WEIR_T_MODULES:
		return "\"echo\"";
	case WEIR_T_CHOICE:
		return row->choices[0][0] == 'r'   ? "\"red\""
		       : row->choices[0][0] == 'd' ? "\"debug\""
		       : row->choices[0][0] == 'o' ? "\"off\""
						   : "\"serial\"";
	default:
		return strcmp(row->key, "type") == 0   ? "\"echo\""
		       : strcmp(row->key, "user") == 0 ? "\"root\""
						       : "\"x\"";
	}
}

/* The block with these options in line 2, and whatever else it requires. */
static char *
text_of(const struct block *b, const char *options, const char *without)
{
	const struct weir_opt *row;
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	fprintf(f, "%s\n%s\n", b->head, options);
	for (row = b->rows; row->key != NULL; row++)
		if (row->def == NULL && row->type != WEIR_T_GROUP &&
			(row->flags & (WEIR_OPTIONAL | WEIR_NOT_BUILT)) == 0 &&
			strcmp(row->key, without) != 0)
			fprintf(f, "%s = %s;", row->key, sample(row));
	if (b == &blocks[7] && strcmp(without, "type") != 0)
		fprintf(f, "type = \"echo\";");
	fprintf(f, "%s", b->tail);
	fclose(f);
	return text;
}

static void
assert_block_refused(const struct block *b, const char *options,
	const char *without, const char *said)
{
	char *text = text_of(b, options, without);
	struct trial t = try_text(text);

	if (t.conf != NULL || strstr(t.said, said) == NULL ||
		strstr(t.said, TRY_FILE ":2: ") == NULL)
		fail_msg("%s\nwanted: %s\nsaid: %s", text, said, t.said);
	assert_places(t.said);
	try_end(&t);
	free(text);
}

static bool
takes(const struct weir_opt *row, const char *value)
{
	static const struct {
		enum weir_type type;
		const char *values; /* first characters that it takes */
	} t[] = {
		{ WEIR_T_BOOL, "t" },
		{ WEIR_T_INT, "7" },
		{ WEIR_T_SIZE, "7" },
		{ WEIR_T_TIME, "7" },
		{ WEIR_T_STRING, "\"" },
		{ WEIR_T_STRINGS, "\"[" },
		{ WEIR_T_LOGFILE, "\"" },
		{ WEIR_T_FORMAT, "\"" },
		{ WEIR_T_GROUP, "{" },
	};
	size_t i;

	for (i = 0; i < COUNT(t); i++)
		if (t[i].type == row->type)
			return strchr(t[i].values, *value) != NULL;
	return false;
}

static void
test_wrong_types(void **state)
{
	static const char *const values[] = { "true", "7", "1.5",
		"\"\\tnothing takes this\"", "( )", "( ( ) )",
		"[ \"far too long a name\" ]", "( 7 )", "( true )", "{ }",
		"{ bad = 1; }" };
	const struct weir_opt *row;
	char options[128];
	size_t b, i;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++)
			for (i = 0; i < COUNT(values); i++) {
				/* An empty list may be fine, { } a group. */
				if (takes(row, values[i]) ||
					(row->flags & WEIR_OPTIONAL &&
						(option_is_list(row->type) ||
							option_is_groups(
								row->type)) &&
						(row->flags & WEIR_NOT_BUILT) ==
							0 &&
						strcmp(values[i], "( )") == 0))
					continue;
				if (strcmp(values[i], "{ }") == 0 &&
					(row->type == WEIR_T_GROUP ||
						strcmp(row->key, "servers") ==
							0))
					continue;
				snprintf(options, sizeof(options), "%s = %s;",
					row->key, values[i]);
				assert_block_refused(
					&blocks[b], options, row->key, "");
			}
}

static void
test_misspelt_keys(void **state)
{
	const struct weir_opt *row;
	char options[128], said[128];
	size_t b;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++) {
			snprintf(options, sizeof(options), "%sx = %s;",
				row->key, sample(row));
			snprintf(said, sizeof(said),
				"unknown option \"%sx\" (did you mean \"%s\"?)",
				row->key, row->key);
			assert_block_refused(&blocks[b], options, "", said);
		}
}

static void
test_duplicated_keys(void **state)
{
	const struct weir_opt *row;
	char options[256];
	size_t b;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++) {
			snprintf(options, sizeof(options), "%s = %s; %s = %s;",
				row->key, sample(row), row->key, sample(row));
			assert_block_refused(&blocks[b], options, row->key,
				"is given twice");
		}
}

static void
test_keys_in_the_wrong_block(void **state)
{
	const struct weir_opt *row;
	char options[128], said[128];
	size_t b, other, n;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++)
			for (other = 0; other < COUNT(blocks); other++) {
				n = strlen(row->key);
				if (option_find(blocks[other].rows, row->key,
					    n) != NULL ||
					(blocks[other].more != NULL &&
						option_find(stage_rows.opts,
							row->key, n) != NULL))
					continue;
				snprintf(options, sizeof(options), "%s = %s;",
					row->key, sample(row));
				snprintf(said, sizeof(said),
					"unknown option \"%s\"", row->key);
				assert_block_refused(
					&blocks[other], options, "", said);
			}
}

/* ---- numbers ------------------------------------------------------------- */

static const struct number {
	const char *text;
	bool ok; /* a number at all */
	int64_t value;
} numbers[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "1", true, 1 },
	{ "+1", true, 1 },
	{ "-1", true, -1 },
	{ "10", true, 10 },
	{ "64", true, 64 },
	{ "1024", true, 1024 },
	{ "1025", true, 1025 },
	{ "65535", true, 65535 },
	{ "65536", true, 65536 },
	{ "1000000", true, 1000000 },
	{ "4233600", true, 4233600 },
	{ "4233601", true, 4233601 },
	{ "16777216", true, 16777216 },
	{ "16777217", true, 16777217 },
	{ "1073741824", true, 1073741824 },
	{ "2147483647", true, 2147483647 },
	{ "-2147483648", true, INT32_MIN },
	{ "0x10", true, 16 },
	{ "0x7fffffff", true, 2147483647 },
	{ "64L", true, 64 },
	{ "64LL", true, 64 },
	{ "0x40L", true, 64 },
	{ "4294967376L", true, 4294967376 },
	{ "2147483648L", true, 2147483648 },
	{ "9223372036854775807L", true, INT64_MAX },
	{ "-9223372036854775808L", true, INT64_MIN },
	{ "0x7fffffffffffffffL", true, INT64_MAX },
	{ "9223372036854775L", true, INT64_C(9223372036854775) },
	{ "4294967376", false, 0 },
	{ "2147483648", false, 0 },
	{ "-2147483649", false, 0 },
	{ "4294967296", false, 0 },
	{ "0xFFFFFFFF", false, 0 },
	{ "0xffffffffffffffffL", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "99999999999999999999L", false, 0 },
	{ "-99999999999999999999L", false, 0 },
	{ "1e400", false, 0 },
	{ "1e3", false, 0 },
	{ "10.0", false, 0 },
	{ "010", false, 0 },
	{ "08", false, 0 },
	{ "10m", false, 0 },
	{ "64k", false, 0 },
	{ "nan", false, 0 },
	{ "\"\"", false, 0 },
	{ "\"0x10\"", false, 0 },
	{ "\"10 \"", false, 0 },
	{ "\"4294967376L\"", false, 0 },
	{ "\"-\"", false, 0 },
};

#define DAY_MS INT64_C(86400000)

/* Does the row take v, and what does the field then hold? */
static bool
number_fits(const struct weir_opt *row, int64_t *v)
{
	bool any = row->min == 0 && row->max == 0;
	int64_t most = any ? row->type == WEIR_T_TIME	 ? 49 * DAY_MS
			       : row->type == WEIR_T_INT ? INT64_MAX
							 : INT64_MAX
			   : row->max;
	int64_t least = any && row->type == WEIR_T_INT ? INT64_MIN : row->min;

	if (row->type == WEIR_T_TIME && __builtin_mul_overflow(*v, 1000, v))
		return false;
	if (*v == 0 && row->flags & WEIR_OFF)
		return true;
	return *v >= least && *v <= most;
}

static int64_t
number_of(const struct weir_opt *row, const char *text)
{
	const char *why;
	int64_t v = -42;

	if (strcmp(text, "off") == 0)
		return 0;
	assert_int_equal(row->type == WEIR_T_TIME   ? units_time(text, &v, &why)
			 : row->type == WEIR_T_SIZE ? units_size(text, &v, &why)
						    : units_int(text, &v, &why),
		0);
	return v;
}

static void
number_try(const struct block *b, const struct weir_opt *row,
	const struct number *n)
{
	int64_t v = n->value;
	char options[128], path[128];
	bool fits = n->ok && number_fits(row, &v);
	struct trial t;
	char *text;

	snprintf(options, sizeof(options), "%s = %s;", row->key, n->text);
	snprintf(path, sizeof(path), "%s%s", b->path, row->key);
	/* Both at once, for each must go with the other. */
	if (strcmp(row->key, "read_max") == 0)
		snprintf(options, sizeof(options),
			"read_max = %s; hold_max = 1073741824;", n->text);
	if (strcmp(row->key, "hold_max") == 0)
		snprintf(options, sizeof(options),
			"hold_max = %s; read_max = 1;", n->text);
	if (strncmp(row->key, "keepalive_", 10) == 0)
		snprintf(options, sizeof(options), "keepalive = true; %s = %s;",
			row->key, n->text);
	text = text_of(b, options, row->key);
	t = try_text(text);
	if ((t.conf != NULL) != fits)
		fail_msg("%s\nsaid: %s", text, t.said);
	if (!fits)
		assert_places(t.said);
	else if (number_of(row, setting_of(t.conf, path)->value) != v)
		fail_msg("%s\nread: %s", text, setting_of(t.conf, path)->value);
	try_end(&t);
	free(text);
}

static void
test_numbers(void **state)
{
	const struct weir_opt *row;
	size_t b, i, tried = 0;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++) {
			if ((row->type != WEIR_T_INT &&
				    row->type != WEIR_T_SIZE &&
				    row->type != WEIR_T_TIME) ||
				row->flags & WEIR_NOT_BUILT)
				continue;
			for (i = 0; i < COUNT(numbers); i++, tried++)
				number_try(&blocks[b], row, &numbers[i]);
		}
	assert_true(tried > 15 * COUNT(numbers));
}

static void
test_tables_are_complete(void **state)
{
	const struct weir_opt *row;
	size_t b;

	(void)state;
	for (b = 0; b < COUNT(blocks); b++)
		for (row = blocks[b].rows; row->key != NULL; row++) {
			assert_non_null(row->help);
			if (row->help[strlen(row->help) - 1] != '.')
				fail_msg("%s: no full stop", row->key);
			assert_true(row->type != WEIR_T_END);
			assert_true(row->type != WEIR_T_CHOICE ||
				    row->choices != NULL);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_misspelt_keys),
		cmocka_unit_test(test_duplicated_keys),
		cmocka_unit_test(test_keys_in_the_wrong_block),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_tables_are_complete),
	};

	return cmocka_run_group_tests(tests, blocks_fill, NULL);
}
