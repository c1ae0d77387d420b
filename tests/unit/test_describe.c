/* test_describe.c - what -T, --modules and --man print from the tables. */
#include "conf_try.h"
#include "registry_fake.h"

#include "conf/core.h"
#include "conf/describe.h"
#include "conf/settings.h"
#include "conf/stage.h"
#include "conf/variable.h"

/* On one line each, so that places do not change with the order. */
static const char *const blocks[] = {
	"process = { workers = 3; };",
	"log = { level = \"warn\"; target = \"syslog\"; };",
};
static const char *const servers[] = {
	"{ name = \"b\"; listen = \"127.0.0.1:1\"; middlewares = \"log\"; }",
	"{ middlewares = ( { order = 3; type = \"every\"; word = \"x\\ty\"; } "
	"); idle_timeout = 30; name = \"a.b\"; listen = \"127.0.0.1:2\"; }",
};

static char *
printed(const char *text)
{
	struct trial t = try_text(text);
	size_t size;
	char *out;
	FILE *f;

	if (t.conf == NULL)
		fail_msg("%s\nsaid: %s", text, t.said);
	f = open_memstream(&out, &size);
	settings_show(f, t.conf);
	fclose(f);
	try_end(&t);
	return out;
}

static void
test_the_order_of_blocks_does_not_show(void **state)
{
	char text[2048], list[512], *first = NULL, *next;
	size_t a, b, c, turned;

	(void)state;
	for (a = 0; a < 3; a++)
		for (b = 0; b < 3; b++)
			for (turned = 0; turned < 2; turned++) {
				c = 3 - a - b;
				if (a == b)
					continue;
				snprintf(list, sizeof(list),
					"servers = ( %s, %s );",
					servers[turned], servers[!turned]);
				snprintf(text, sizeof(text), "%s %s %s",
					a == 2 ? list : blocks[a],
					b == 2 ? list : blocks[b],
					c == 2 ? list : blocks[c]);
				next = printed(text);
				if (first == NULL)
					first = next;
				assert_string_equal(first, next);
				if (next != first)
					free(next);
			}
	assert_non_null(strstr(first, "process.workers"));
	assert_true(strstr(first, "servers.a.b.name") <
		    strstr(first, "servers.b.name"));
	free(first);
}

static void
test_a_setting_is_one_aligned_line(void **state)
{
	char *out = printed(
		     "servers = ( { name = \"s\";\nidle_timeout = 90; "
		     "middlewares = { type = \"every\"; word = \"a\\nb\"; "
		     "}; } );"),
	     *line, *end;
	size_t value, lines = 0;

	(void)state;
	value = (size_t)(strstr(out, "nobody") - strstr(out, "process.user"));
	for (line = out; *line != '\0'; line = end + 1, lines++) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_int_equal(line[value - 1], ' ');
		assert_int_not_equal(line[value], ' ');
	}
	assert_true(lines > 30);
	line = strstr(out, "servers.s.idle_timeout ");
	assert_non_null(line);
	*strchr(line, '\n') = '\0';
	assert_non_null(strstr(line, " 90s "));
	assert_non_null(strstr(line, " 10m "));
	assert_string_equal(strrchr(line, ' ') + 1, "weir.conf:2");
	line += strlen(line) + 1;
	assert_non_null(strstr(line, "a\\nb"));
	free(out);
}

/* What -T prints is what -o takes. */
static void
test_every_setting_can_be_overridden(void **state)
{
	static const char text[] =
		"servers = ( { listen = \"127.0.0.1:1\"; middlewares = ( "
		"{ type = \"every\"; words = ( \"x\", \"y\" ); "
		"parts = ( \"p\" ); }, \"log\", \"log\" ); } );";
	struct trial t = try_text(text), again;
	const char *options[2] = { NULL, NULL };
	struct conf_overrides o = { options, NULL };
	const struct conf_setting *s;
	char option[256];
	size_t i, tried = 0;

	(void)state;
	assert_string_equal(t.said, "");
	for (i = 0; i < t.conf->settings.n; i++) {
		s = (const struct conf_setting *)t.conf->settings.v + i;
		if (*s->value == '\0')
			continue;
		snprintf(option, sizeof(option), "%s=%s", s->path, s->value);
		options[0] = option;
		again = try_bytes(text, strlen(text), &o);
		if (again.conf == NULL)
			fail_msg("%s: %s", option, again.said);
		assert_string_equal(
			setting_of(again.conf, s->path)->value, s->value);
		assert_string_equal(
			setting_of(again.conf, s->path)->origin, "-o");
		try_end(&again);
		tried++;
	}
	assert_true(tried > 30);
	try_end(&t);
}

static char *
described(void (*f)(FILE *out))
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	f(out);
	fclose(out);
	return text;
}

static void
assert_variables(const char *text, const char *head,
	const struct weir_variable *v, const char *before, const char *behind)
{
	char item[128];

	for (; v->name != NULL; v++) {
		snprintf(item, sizeof(item), "%s%s%s%s", before, head, v->name,
			behind);
		if (strstr(text, item) == NULL)
			fail_msg("no %s", item);
	}
}

/* Every row is there, with its help (which the manual may have wrapped). */
static void
assert_rows(const char *text, const struct weir_opt *rows, const char *before,
	const char *behind)
{
	const struct weir_opt *row;
	char item[128];

	for (row = rows; row != NULL && row->key != NULL; row++) {
		snprintf(
			item, sizeof(item), "%s%s%s", before, row->key, behind);
		if (strstr(text, item) == NULL)
			fail_msg("no %s", item);
		if (row->rows != NULL)
			assert_rows(text, row->rows->opts, before, behind);
	}
}

static void
test_the_manual_has_every_option(void **state)
{
	char *man = described(describe_man), *line, *end;
	const struct weir_opt *row;

	(void)state;
	for (row = core_rows; row->key != NULL; row++)
		if (row->rows != NULL)
			assert_rows(
				man, row->rows->opts, "\n.It Cm ", " No = Ar ");
	assert_rows(man, fake_every_opts, "\n.It Cm ", " No = Ar ");
	assert_rows(man, stage_rows.opts, "\n.It Cm ", " No = Ar ");
	assert_variables(man, "", variable_rows, "\n.It Cm ", " Pq Ar ");
	assert_variables(
		man, "geo.", fake_geo_variables, "\n.It Cm ", " Pq Ar ");
	assert_non_null(strstr(man,
		"\n.It Cm sni.name Pq Ar text\nWhich host is wanted.\n"
		"Known once client bytes were seen.\n"));
	assert_non_null(strstr(man, "\n.Ss servers, listen\n"));
	assert_non_null(strstr(man, "\n.Ss upstreams\n"));
	assert_non_null(strstr(man, "\n.Ss Middleware every\n"));
	assert_non_null(strstr(man, "Range: 10ms..1h, or 0 or \"off\" for"));
	assert_non_null(strstr(man, "may be empty.\nDefault: empty.\n"));
	assert_non_null(strstr(man, "\n{ type = \"every\";\n  "
				    "word = \"a\\e\\eb\";\n}\n.Ed\n"));
	assert_non_null(strstr(man, "One of \"red\", \"green\" or \"blue\"."));
	for (line = man; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line < 80);
		/* Nothing but macros of ours starts a line with a dot. */
		if (*line == '.')
			assert_true(strncmp(line, ".It ", 4) == 0 ||
				    strncmp(line, ".Bl ", 4) == 0 ||
				    strncmp(line, ".El", 3) == 0 ||
				    strncmp(line, ".Pp\n", 4) == 0 ||
				    strncmp(line, ".Bd ", 4) == 0 ||
				    strncmp(line, ".Ed\n", 4) == 0 ||
				    strncmp(line, ".Ss ", 4) == 0);
	}
	free(man);
}

static void
test_modules_are_listed_with_their_options(void **state)
{
	char *list = described(describe_modules);

	(void)state;
	assert_rows(list, fake_every_opts, "    ", " = ");
	assert_rows(list, fake_forward_opts, "    ", " = ");
	assert_non_null(strstr(list, "\necho - Sends every byte back.\n"));
	assert_non_null(strstr(list,
		"    %{geo.country} = text, known when the channel "
		"opens: Where the client is.\n"));
	assert_non_null(strstr(list,
		"    blank = string, empty: A string that may be empty.\n"));
	assert_non_null(strstr(
		list, "    time = time, 30s, 10ms..1h or off: A time.\n"));
	assert_non_null(
		strstr(list, "\n    callbacks: check races; wants client bytes "
			     "before a backend is chosen\n"
			     "    example: { type = \"every\"; "
			     "word = \"a\\\\b\"; }\n"));
	assert_non_null(strstr(list, "\n    callbacks:\n"
				     "    example: { type = \"log\"; }\n"));
	free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_order_of_blocks_does_not_show),
		cmocka_unit_test(test_a_setting_is_one_aligned_line),
		cmocka_unit_test(test_every_setting_can_be_overridden),
		cmocka_unit_test(test_the_manual_has_every_option),
		cmocka_unit_test(test_modules_are_listed_with_their_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
