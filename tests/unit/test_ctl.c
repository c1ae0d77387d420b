/* test_ctl.c - how weirctl writes what it is told, and what it asks for. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>

#include "ctl/ctl.h"
#include "ctl/figure.h"
#include "ctl/id.h"
#include "ctl/table.h"

static unsigned complaints;

/* Those of main.c. */
void
ctl_out_of_memory(void)
{
	abort();
}

int
ctl_usage(const struct command *command, const char *fmt, ...)
{
	(void)command;
	assert_non_null(fmt);
	complaints++;
	return CTL_USAGE;
}

static void
test_bytes(void **state)
{
	static const struct {
		double n;
		const char *text;
	} rows[] = { { -1, "0" }, { 0, "0" }, { 1023, "1023" },
		{ 1023.6, "1.0k" }, { 1024, "1.0k" }, { 10188, "9.9k" },
		{ 10240, "10k" }, { 1048063, "1023k" }, { 1048064, "1.0M" },
		{ 5e9, "4.7G" } };
	char text[FIGURE_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(
			figure_bytes(rows[i].n, text), rows[i].text);
}

static void
test_times(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = { { -5, "0ms" }, { 999, "999ms" }, { 1000, "1.0s" },
		{ 9999, "9.9s" }, { 10000, "10s" }, { 59999, "59s" },
		{ 60000, "1m00s" }, { 3599999, "59m59s" }, { 3600000, "1h00m" },
		{ 86399999, "23h59m" }, { 86400000, "1d00h" },
		{ INT64_C(8640000000), "100d00h" } };
	char text[FIGURE_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(
			figure_time(rows[i].ms, text), rows[i].text);
}

static void
test_ids(void **state)
{
	static const char *const no[] = { "", "1", "1.2", "1.2.", "1..3",
		".2.3", "1.2.3.4", "1.2.3 ", "a.2.3", "1.2.-3", "10.0.0.0/8" };
	size_t i;

	(void)state;
	assert_true(id_fits("2.0.17"));
	assert_true(id_fits("12345678901.0.99999999999999999999"));
	for (i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(id_fits(no[i]));
}

static void
test_texts(void **state)
{
	struct text t = { 0 };
	char text[300];

	(void)state;
	assert_string_equal(text_of(&t), "");
	text_add(&t, "/v1/");
	text_add_part(&t, "a/b c%\xff~");
	assert_string_equal(text_of(&t), "/v1/a%2Fb%20c%25%FF~");
	text_clear(&t);
	text_add_encoded(&t, "a%2fb%zz/%2");
	assert_string_equal(text_of(&t), "a%2fb%25zz%2F%252");
	text_clear(&t);
	text_add_query(&t, "a", "1&2");
	text_add_query(&t, "b=", "");
	assert_string_equal(text_of(&t), "?a=1%262&b%3D=");
	text_clear(&t);
	text_add_plain(&t, "a\033[1m~\x7f\0z", 9);
	assert_string_equal(text_of(&t), "a\\x1b[1m~\\x7f\\x00z");
	/* More than there is room for at first. */
	text_clear(&t);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text_add_fmt(&t, "%s%d", text, 7);
	assert_int_equal(t.n, sizeof(text));
	assert_int_equal(t.p[t.n - 1], '7');
	text_free(&t);
	assert_string_equal(text_of(&t), "");
}

static void
expect_cell(const char *json, enum cell_kind kind, const char *want)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	struct text t = { 0 };

	assert_non_null(value);
	cell_add(&t, value, kind);
	assert_string_equal(text_of(&t), want);
	text_free(&t);
	json_decref(value);
}

static void
test_cells(void **state)
{
	(void)state;
	expect_cell("null", CELL_BYTES, "-");
	expect_cell("2048", CELL_BYTES, "2.0k");
	expect_cell("2048", CELL_RATE, "2.0k/s");
	expect_cell("2048", CELL_TIME, "2.0s");
	expect_cell("2048", CELL_PLAIN, "2048");
	expect_cell("\"2\\u001b\"", CELL_BYTES, "2\\x1b");
	expect_cell("true", CELL_PLAIN, "yes");
	expect_cell("false", CELL_PLAIN, "no");
	expect_cell("{\"middleware\":\"acl\",\"since_ms\":3200}", CELL_HOLDER,
		"acl 3.2s");
	expect_cell("{\"up\":{\"splice\":true},\"down\":{\"splice\":false}}",
		CELL_WAYS, "sc");
	expect_cell("{\"a\":1,\"b\":\"x\"}", CELL_COLUMNS, "a=1 b=x");
	expect_cell(
		"[{\"name\":\"a\",\"type\":\"count\"}]", CELL_TYPES, "a:count");
	expect_cell("[{\"word\":\"add\"},{\"word\":\"del\"}]", CELL_WORDS,
		"add, del");
	expect_cell("[\"pg\",\"my\"]", CELL_WORDS, "pg, my");
	expect_cell("[]", CELL_WORDS, "-");
}

static void
expect_line(const struct table *t, const json_t *row, const char *want)
{
	struct text line = { 0 };

	table_line(t, row, &line);
	assert_string_equal(text_of(&line), want);
	text_free(&line);
}

static void
test_tables_fit(void **state)
{
	static const struct column columns[] = {
		{ "ID", "id", CELL_PLAIN, 0, 0 },
		{ "CLIENT", "client", CELL_PLAIN, true, 0 },
		{ "N", "n", CELL_PLAIN, 0, 0 },
		{ "SPARE", "spare", CELL_PLAIN, 0, true },
	};
	json_t *rows = json_loads(
		"[{\"id\":\"a\",\"client\":\"192.0.2.100:54321\",\"n\":5,"
		"\"spare\":\"x\"},{\"id\":\"bc\",\"client\":null,\"n\":123}]",
		0, NULL);
	struct table t;

	(void)state;
	table_lay(&t, rows, columns, 4, 0);
	expect_line(&t, NULL, "ID  CLIENT               N  SPARE");
	expect_line(
		&t, json_array_get(rows, 0), "a   192.0.2.100:54321    5  x");
	expect_line(
		&t, json_array_get(rows, 1), "bc  -                  123  -");
	/* As wide as it just fits. */
	table_lay(&t, rows, columns, 4, 33);
	expect_line(
		&t, json_array_get(rows, 0), "a   192.0.2.100:54321    5  x");
	table_lay(&t, rows, columns, 4, 30);
	expect_line(&t, json_array_get(rows, 0), "a   192.0.~0:54321    5  x");
	/* The spare one goes, and its room is for the long one. */
	table_lay(&t, rows, columns, 4, 24);
	expect_line(&t, NULL, "ID  CLIENT             N");
	expect_line(&t, json_array_get(rows, 0), "a   192.0.2~0:54321    5");
	json_decref(rows);
}

static int
parse(struct options *o, const char *a, const char *b)
{
	/* The options have parts of them. */
	static char name[] = "weirctl", first[64], second[64];
	char *argv[] = { name, first, second, NULL };

	snprintf(first, sizeof(first), "%s", a);
	snprintf(second, sizeof(second), "%s", b);
	*o = (struct options){ 0 };
	/* It has been called before (getopt(3)). */
	optind = 0;
	return options_parse(o, 3, argv);
}

static void
test_options(void **state)
{
	static const char *const bad[] = { "--limit=0", "--limit=x",
		"--timeout=0", "--timeout=25d", "--client=10.0.0.0/99",
		"--sort=size", "--json=1", "--colour", "-x" };
	struct text path = { 0 };
	struct options o;
	unsigned before;
	size_t i;

	(void)state;
	assert_int_equal(parse(&o, "--limit=5", "--min-age=1m"), 3);
	assert_true(option_given(&o, OPTION_LIMIT));
	assert_false(option_given(&o, OPTION_JSON));
	options_query(&o, &path);
	assert_string_equal(text_of(&path), "?min_age_ms=60000&limit=5");
	text_clear(&path);
	assert_int_equal(parse(&o, "--timeout=1ms", "--server=a b"), 3);
	options_query(&o, &path);
	assert_string_equal(text_of(&path), "?server=a%20b");
	text_free(&path);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		before = complaints;
		assert_int_equal(parse(&o, bad[i], "status"), -1);
		assert_int_equal(complaints, before + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_tables_fit),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
