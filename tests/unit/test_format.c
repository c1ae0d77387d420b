/* test_format.c - what formats say, and what is said of wrong ones. */
#include <bsd/string.h>
#include <errno.h>

#include "conf_try.h"
#include "registry_fake.h"

#include "call_fake.h"
#include "conf/format.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;
static const struct conf_stage stages[] = {
	{ .mw = &fake_geo, .name = "geo" },
	{ .mw = &fake_geo, .name = "twin" },
	{ .mw = &fake_geo, .name = "twin" },
};
static const struct conf_server server = {
	.stages = { COUNT(stages), (void *)stages },
};
static const struct variable_scope scope = { &arena, stages, COUNT(stages),
	false };
static char text[8192];

static int
start(void **state)
{
	(void)state;
	fake_facts = (struct weir_facts){ .id = 7,
		.server = "pg",
		.listen = "127.0.0.1:5432",
		.client = fake_addr("[::ffff:10.1.2.3]:40000"),
		.target = fake_addr("10.0.0.9:5432"),
		.up_bytes = 11,
		.down_bytes = UINT64_MAX,
		.age_ms = 1500 };
	fake_locals[WEIR_FRONTEND] = fake_addr("10.1.2.1:5432");
	fake_locals[WEIR_BACKEND] = fake_addr("[fd00::1]:1025");
	fake_contexts[0] = "de";
	fake_server = &server;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct weir_format
compiled(const char *format)
{
	struct weir_format f = { .text = format };
	struct variable_fault fault;

	if (format_compile(&f, &scope, &fault) == -1)
		fail_msg("%s: %zu: %s", format, fault.column, fault.why);
	return f;
}

static void
assert_says(const char *format, enum weir_escape escape, const char *wanted)
{
	struct weir_format f = compiled(format);
	size_t n = weir_format_text(&fake_call, &f, escape, text, sizeof(text));

	assert_string_equal(text, wanted);
	assert_int_equal(n, strlen(wanted));
}

static void
assert_plain(const char *format, const char *wanted)
{
	assert_says(format, WEIR_ESCAPE_PLAIN, wanted);
}

static void
test_literals_and_values(void **state)
{
	(void)state;
	assert_plain("", "");
	assert_plain("plain \"text\" \\ \x01", "plain \"text\" \\ \x01");
	assert_plain("%{channel.id}", "7");
	assert_plain(
		"#%{channel.id} %{server.name}%{geo.country}.", "#7 pgde.");
	assert_plain("100%% of %%{x} %%%{channel.id}%%", "100% of %{x} %7%");
	assert_plain("%{client.ip} %{client.ip}", "10.1.2.3 10.1.2.3");
	assert_plain("%{end.reason}", "-");
	assert_says("%{end.reason} %{geo.known}", WEIR_ESCAPE_JSON, "- true");
	assert_int_equal(weir_format_text(&fake_call, NULL, WEIR_ESCAPE_PLAIN,
				 text, sizeof(text)),
		0);
	assert_string_equal(text, "");
}

/* Each variable of the core, in an open channel and in one that has ended. */
static const struct {
	const char *name, *open, *ended;
} everything[] = {
	{ "channel.id", "7", "7" },
	{ "channel.age_ms", "1500", "1500" },
	{ "server.name", "pg", "pg" },
	{ "listen.address", "127.0.0.1:5432", "127.0.0.1:5432" },
	{ "client.addr", "[::ffff:10.1.2.3]:40000", "unix:/c\\x0ax" },
	{ "client.ip", "10.1.2.3", "-" },
	{ "client.port", "40000", "-" },
	{ "local.addr", "10.1.2.1:5432", "unix:/run/x" },
	{ "local.ip", "10.1.2.1", "-" },
	{ "local.port", "5432", "-" },
	{ "backend.addr", "10.0.0.9:5432", "-" },
	{ "backend.ip", "10.0.0.9", "-" },
	{ "backend.port", "5432", "-" },
	{ "backend.local", "[fd00::1]:1025", "-" },
	{ "bytes.up", "11", "11" },
	{ "bytes.down", "18446744073709551615", "18446744073709551615" },
	{ "end.reason", "-", "timeout" },
	{ "end.by", "-", "backend" },
	{ "end.error", "-", "Broken\\x20pipe" },
	{ "end.errno", "-", "32" },
	{ "end.detail", "-", "idle_timeout" },
	{ "end.module", "-", "acl" },
	{ "end.why", "-", "idle_timeout" },
	{ "end.at_ms", "-", "1400" },
};

static void
test_all_variables(void **state)
{
	char format[64];
	size_t i;

	(void)state;
	/* But for the two of time. */
	assert_int_equal(COUNT(everything), VARIABLE_COUNT - 2);
	for (i = 0; i < COUNT(everything); i++) {
		assert_string_equal(everything[i].name, variable_rows[i].name);
		snprintf(format, sizeof(format), "%%{%s}", everything[i].name);
		assert_plain(format, everything[i].open);
	}
	fake_facts.client = fake_addr("unix:/c\nx");
	fake_facts.target.len = 0;
	fake_facts.reason = WEIR_R_TIMEOUT;
	fake_facts.ended_by = WEIR_BACKEND;
	fake_facts.err = EPIPE;
	fake_facts.detail = "idle_timeout";
	fake_facts.module = "acl";
	fake_facts.ended_ms = 1400;
	fake_locals[WEIR_FRONTEND] = fake_addr("unix:/run/x");
	fake_locals[WEIR_BACKEND].len = 0;
	for (i = 0; i < COUNT(everything); i++) {
		snprintf(format, sizeof(format), "%%{%s}", everything[i].name);
		assert_plain(format, everything[i].ended);
	}
	fake_facts.detail = NULL;
	assert_plain("%{end.why}", "acl");
	fake_facts.module = NULL;
	assert_plain("\"%{end.why}\"", "\"Broken pipe\"");
	fake_facts.err = 0;
	assert_plain("%{end.why} %{end.errno}", "- -");
	start(NULL);
}

/* A client may bind its socket to any path. */
static void
test_no_field_is_forged(void **state)
{
	(void)state;
	fake_facts.client = fake_addr("unix:/c up=9 by=\"x");
	assert_plain("client=%{client.addr} up=%{bytes.up}",
		"client=unix:/c\\x20up=9\\x20by=\\x22x up=11");
	assert_plain("%{client.addr}", "unix:/c\\x20up=9\\x20by=\\x22x");
	assert_plain("\"%{client.addr}\"", "\"unix:/c up=9 by=\\x22x\"");
	assert_plain("\"a\" %{client.addr} \"%{server.name}%{client.addr}\"",
		"\"a\" unix:/c\\x20up=9\\x20by=\\x22x "
		"\"pgunix:/c up=9 by=\\x22x\"");
	assert_says(
		"%{client.addr}", WEIR_ESCAPE_JSON, "unix:/c up=9 by=\\\"x");
	start(NULL);
}

static void
test_rows_are_complete(void **state)
{
	const struct weir_variable *v, *other;

	(void)state;
	for (v = variable_rows; v->name != NULL; v++) {
		assert_true(v->type > WEIR_VALUE_NONE);
		assert_int_equal(v->help[strlen(v->help) - 1], '.');
		assert_non_null(strchr(v->name, '.'));
		assert_int_equal(
			strspn(v->name, "abcdefghijklmnopqrstuvwxyz_."),
			strlen(v->name));
		for (other = variable_rows; other < v; other++)
			assert_string_not_equal(other->name, v->name);
	}
	assert_int_equal(v - variable_rows, VARIABLE_COUNT);
}

static void
test_time(void **state)
{
	struct weir_format f = compiled("%{time.iso} %{time.unix_ms}");
	static const char shape[] = "0000-00-00T00:00:00.000Z 0";
	size_t i;

	(void)state;
	weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN, text, sizeof(text));
	assert_int_equal(strlen(text), 24 + 1 + 13);
	for (i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], shape[i]);
	assert_true(strncmp(text, "20", 2) == 0);
}

static void
test_what_is_said_of_wrong_ones(void **state)
{
	static const struct {
		const char *text;
		size_t column;
		const char *why;
	} t[] = {
		{ "a %{client.adr}", 3,
			"unknown variable \"client.adr\" (did you mean "
			"\"client.addr\"?)" },
		{ "%{client.addr} %{client.addr", 16,
			"\"%{\" has no \"}\" behind it" },
		{ "%{", 1, "\"%{\" has no \"}\" behind it" },
		{ "%{}", 1, "the name of a variable is missing" },
		{ "100%", 4,
			"\"%\" begins a variable, \"%{NAME}\"; write \"%%\" "
			"for a percent sign" },
		{ "%s", 1,
			"\"%\" begins a variable, \"%{NAME}\"; write \"%%\" "
			"for a percent sign" },
		{ "%{twin.known}", 1,
			"\"twin.known\" could be 2 variables: give each "
			"middleware a \"name\" of its own" },
		{ "%{ client.addr}", 1,
			"unknown variable \" client.addr\" (did you mean "
			"\"client.addr\"?)" },
	};
	struct variable_fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		struct weir_format f = { .text = t[i].text };

		assert_int_equal(format_compile(&f, &scope, &fault), -1);
		if (fault.column != t[i].column ||
			strcmp(fault.why, t[i].why) != 0)
			fail_msg("%s: column %zu: %s", t[i].text, fault.column,
				fault.why);
	}
}

static void
test_every_truncation(void **state)
{
	char format[] = "a %{client.addr}%% %{geo.country}%{geo.known} %%%%";
	struct variable_fault fault;
	size_t n, taken = 0;

	(void)state;
	for (n = strlen(format); n-- > 0;) {
		struct weir_format f = { .text = format };

		format[n] = '\0';
		if (format_compile(&f, &scope, &fault) == 0) {
			weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN,
				text, sizeof(text));
			taken++;
		} else {
			assert_in_range(fault.column, 1, n);
		}
	}
	assert_int_equal(taken, 10);
}

static void
test_too_many_parts(void **state)
{
	struct weir_format f = { .text = text };
	struct variable_fault fault;
	size_t i;

	(void)state;
	text[0] = '\0';
	for (i = 0; i < 257; i++)
		strlcat(text, "%{end.by}", sizeof(text));
	assert_int_equal(format_compile(&f, &scope, &fault), -1);
	assert_int_equal(fault.column, 256 * 9 + 1);
	assert_string_equal(fault.why, "there are more than 256 parts");
}

/* A cut text is the beginning of the whole one, and never half an escape. */
static void
test_every_size(void **state)
{
	struct weir_format f = compiled("\xc3\xa4 \"%{geo.country}\" "
					"%{client.addr} \xc3\xb6 %{bytes.up}");
	char whole[256];
	size_t size, n;

	(void)state;
	fake_contexts[0] = "d\n\"e";
	n = weir_format_text(
		&fake_call, &f, WEIR_ESCAPE_PLAIN, whole, sizeof(whole));
	assert_int_equal(n, strlen(whole));
	for (size = 0; size <= n + 1; size++) {
		memset(text, '#', sizeof(whole));
		assert_true(weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN,
				    text, size) +
				    (size > 0) <=
			    size);
		assert_int_equal(text[size], '#');
		if (size > 0)
			assert_true(strncmp(text, whole, strlen(text)) == 0);
	}
	assert_string_equal(text, whole);
	weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN, text, 10);
	assert_string_equal(text, "\xc3\xa4 \"d\\x0a");
	weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN, text, 9);
	assert_string_equal(text, "\xc3\xa4 \"d");
	weir_format_text(&fake_call, &f, WEIR_ESCAPE_PLAIN, text, 2);
	assert_string_equal(text, "");
}

/* ---- JSON ---------------------------------------------------------------- */

static void
test_json(void **state)
{
	struct weir_format f = compiled(
		"x %{client.addr} %{bytes.down} %{geo.country} %{end.reason} "
		"%{geo.known} %{client.ip} %{client.addr} %{geo.wrong}");
	struct weir_format none = compiled("nothing");
	static const char wanted[] =
		"{\"client.addr\":\"[::ffff:10.1.2.3]:40000\","
		"\"bytes.down\":18446744073709551615,"
		"\"geo.country\":\"\\\"\\u000a\\ufffd\","
		"\"end.reason\":null,\"geo.known\":true,"
		"\"client.ip\":\"10.1.2.3\",\"geo.wrong\":null}";
	size_t n, size;

	(void)state;
	fake_contexts[0] = "\"\n\xff";
	n = weir_format_json(&fake_call, &f, text, sizeof(text));
	assert_string_equal(text, wanted);
	assert_int_equal(n, strlen(wanted));
	/* What does not fit is left out, and the rest is an object. */
	for (size = 0; size <= sizeof(wanted); size++) {
		memset(text, '#', sizeof(wanted) + 1);
		n = weir_format_json(&fake_call, &f, text, size);
		assert_int_equal(text[size], '#');
		assert_int_equal(n == 0, size < 3);
		if (size == 0)
			continue;
		assert_int_equal(n, strlen(text));
		if (n == 0)
			continue;
		assert_true(text[0] == '{' && text[n - 1] == '}');
		assert_null(strstr(text, ",}"));
		assert_null(strstr(text, "{,"));
		assert_null(strstr(text, ",,"));
	}
	assert_string_equal(text, wanted);
	weir_format_json(&fake_call, &f, text, 60);
	assert_string_equal(text,
		"{\"client.addr\":\"[::ffff:10.1.2.3]:40000\","
		"\"end.reason\":null}");
	weir_format_json(&fake_call, &none, text, sizeof(text));
	assert_string_equal(text, "{}");
	weir_format_json(&fake_call, NULL, text, sizeof(text));
	assert_string_equal(text, "{}");
}

/* ---- by name ------------------------------------------------------------- */

static void
test_by_name(void **state)
{
	struct weir_value v;

	(void)state;
	weir_variable_get(&fake_call, "client.port", &v);
	assert_int_equal(v.type, WEIR_VALUE_NUMBER);
	assert_true(v.number == 40000);
	fake_contexts[0] = "de";
	weir_variable_get(&fake_call, "geo.country", &v);
	assert_int_equal(v.type, WEIR_VALUE_TEXT);
	assert_string_equal(v.text, "de");
	weir_variable_get(&fake_call, "time.iso", &v);
	assert_int_equal(v.len, 24);
	weir_variable_get(&fake_call, "geo.colour", &v);
	assert_int_equal(v.type, WEIR_VALUE_NONE);
	weir_variable_get(&fake_call, "geo.", &v);
	assert_int_equal(v.type, WEIR_VALUE_NONE);
	weir_variable_get(&fake_call, "", &v);
	assert_int_equal(v.type, WEIR_VALUE_NONE);
	weir_variable_get(&fake_call, "twin.known", &v);
	assert_int_equal(v.type, WEIR_VALUE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_literals_and_values, start),
		cmocka_unit_test_setup(test_all_variables, start),
		cmocka_unit_test_setup(test_no_field_is_forged, start),
		cmocka_unit_test_setup(test_rows_are_complete, start),
		cmocka_unit_test_setup(test_time, start),
		cmocka_unit_test_setup(test_what_is_said_of_wrong_ones, start),
		cmocka_unit_test_setup(test_every_truncation, start),
		cmocka_unit_test_setup(test_too_many_parts, start),
		cmocka_unit_test_setup(test_every_size, start),
		cmocka_unit_test_setup(test_json, start),
		cmocka_unit_test_setup(test_by_name, start),
	};

	return cmocka_run_group_tests(tests, start, end);
}
