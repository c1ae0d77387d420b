/* test_scan.c - what never reaches libconfig, and how fast it is refused. */
#include <sys/stat.h>

#include <time.h>
#include <unistd.h>

#include "conf_try.h"
#include "registry_fake.h"

#include "conf/node.h"
#include "conf/scan.h"

#define CPU_SECONDS 20 /* with sanitizers, on a slow machine */

static char dir[] = "/tmp/weir-scan-XXXXXX";

struct row {
	const char *text;
	const char *said; /* NULL: fine */
};

static const struct row rows[] = {
	/* strings and comments are skipped */
	{ "a = \"# // /* 99999999999 @include\";", NULL },
	{ "a = \"\\\"99999999999\";", NULL },
	{ "# 99999999999 \" @include \"x\"\na = 1;", NULL },
	{ "// 99999999999 /*\na = 1;", NULL },
	{ "/* 99999999999 \" \n // */ a = 1;", NULL },
	{ "a = \"x\" /* joined */ \"y\"\n\"z\"; # end", NULL },
	{ "a = 1; /**/ b /*/ c = 3; /*/ = 2;", NULL },
	{ "a = \"\\\\\"; b = \"\\x41\\t\\n\\r\\xff\";", NULL },
	{ "a = 1\nb = 2", NULL },
	{ "A-1_*: TRUE;", NULL },
	{ "a = ( 1, \"x\", { b = [ 1L, 0x2LL ]; }, true );", NULL },
	{ "a = 1.5e3; b = -.5; c = +7; d = 1.; e = -0;", NULL },
	{ "a = 2147483647; b = -2147483648; c = 0x7fffffff;", NULL },
	{ "a = 9223372036854775807L; b = -9223372036854775808L;", NULL },
	{ "# \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\na = \"\xc3\xa9\";", NULL },
	{ "a = 1;\r\nb = 2;\r\n", NULL },
	{ "", NULL },
	{ "a = 1, b = ( ), c = [ ] d = { }; e = ( \"x\" \"y\", [ 1, 0x1 ] )",
		NULL },
	{ "a = [ true, FALSE ]; b = [ 1.5, 2e3 ]; c = [ 1L, 2LL ]", NULL },
	/* brackets */
	{ "a = {", "weir.conf:1: \"{\" is never closed" },
	{ "a = {\n b = (\n 1 }", "weir.conf:3: \"}\" comes before the \"(\" of "
				 "weir.conf:2 is closed" },
	{ "\na = 1; }", "weir.conf:2: \"}\" closes nothing" },
	{ "a = ( 1 ];", "\"]\" comes before" },
	/* strings and comments that do not end */
	{ "\n/* a\n\n", "weir.conf:2: \"/*\" is never closed" },
	{ "a = 1; /*/", "\"/*\" is never closed" },
	{ "a = \"x\n\";", "weir.conf:1: the string is not closed on its line" },
	{ "a = \"x", "weir.conf:1: the string is not closed" },
	{ "a = \"x\\\"", "weir.conf:1: the string is not closed" },
	{ "a = \"x\\", "weir.conf:1: unknown escape" },
	/* escapes */
	{ "a = \"x\\x00y\";", "stands for a control character" },
	{ "a = \"\\x1b\";", "stands for a control character" },
	{ "a = \"\\X7F\";", "stands for a control character" },
	{ "a = \"\\a\";", "unknown escape" },
	{ "a = \"\\f\";", "unknown escape" },
	{ "a = \"\\d\";", "unknown escape" },
	{ "a = \"\\x4\";", "two hexadecimal digits" },
	{ "a = \"\\x", "two hexadecimal digits" },
	/* numbers */
	{ "\n\na = 4294967376;", "weir.conf:3: number 4294967376 does not fit "
				 "32 bits; if it is meant, write 4294967376L" },
	{ "a = 2147483648;", "does not fit 32 bits" },
	{ "a = -2147483649;", "does not fit 32 bits" },
	{ "a = 4294967296;", "does not fit 32 bits" },
	{ "a = 0x80000000;", "does not fit 32 bits" },
	{ "a = 0xFFFFFFFF;", "does not fit 32 bits" },
	{ "a = 99999999999999999999;", "does not fit 64 bits" },
	{ "a = 99999999999999999999L;", "does not fit 64 bits" },
	{ "a = 9223372036854775808L;", "does not fit 64 bits" },
	{ "a = -9223372036854775809L;", "does not fit 64 bits" },
	{ "a = 0xffffffffffffffffL;", "does not fit 64 bits" },
	{ "a = 0x10000000000000000L;", "does not fit 64 bits" },
	{ "a = [ 1, 4294967376 ];", "does not fit 32 bits" },
	{ "a = 010;", "leading zero" },
	{ "a = -010;", "leading zero" },
	{ "a = 00L;", "leading zero" },
	{ "a = 1e400;", "does not fit a float" },
	{ "a = -1e400;", "does not fit a float" },
	{ "a = .;", "\".\" is no number" },
	{ "a = -;", "\"-\" is no number" },
	{ "a = 1e;", "\"1e\" is no number" },
	{ "a = 0x;", "\"0x\" is no number" },
	{ "a = -0x10;", "\"-0x10\" is no number" },
	{ "a = 10m;", "\"10m\" is no number; write text and units in quotes" },
	{ "a = 127.0.0.1;", "\"127.0.0.1\" is no number" },
	{ "a = 5l;", "\"5l\" is no number" },
	{ "a = --5;", "\"--5\" is no number" },
	/* words */
	{ "a = info;", "\"info\" must be written in quotes" },
	{ "a = ( x );", "\"x\" must be written in quotes" },
	{ "a.b = 1;", "\"a.b\" cannot be a name" },
	{ "a = 'x';", "unexpected character \"'\"" },
	{ "a = $x;", "unexpected character \"$\"" },
	{ "\xc3\xa9 = 1;", "unexpected character \"\xc3\xa9\"" },
	{ "a / b", "unexpected character \"/\"" },
	{ "true = 1;", "\"true\" cannot be a name" },
	/* grammar */
	{ "a 1", "weir.conf:1: \"=\" is missing before 1" },
	{ "a\n\"xyz\"", "weir.conf:2: \"=\" is missing before \"xyz\"" },
	{ "a", "\"=\" is missing before the end" },
	{ "a =\n", "a value is missing before the end" },
	{ "a = ;", "a value is missing before ;" },
	{ "a = }", "closes nothing" },
	{ "a = { b = };", "a value is missing before }" },
	{ "a = { b };", "\"=\" is missing before }" },
	{ "a = 1;;", "a name is missing before ;" },
	{ "= 1;", "a name is missing before =" },
	{ "1;", "a name is missing before 1" },
	{ "a = 1 2;", "a name is missing before 2" },
	{ "a = \"x\" 2;", "a name is missing before 2" },
	{ "a = 1 \"x\";", "a name is missing before \"x\"" },
	{ "a = ( 1, );", "a value is missing before )" },
	{ "a = ( , 1 );", "a value is missing before ," },
	{ "a = ( 1 2 );", "\",\" is missing before 2" },
	{ "a = ( 1; 2 );", "\",\" is missing before ;" },
	{ "a = ( b = 1 );", "\"b\" must be written in quotes" },
	{ "a = [ ( 1 ) ];", "\"[ ]\" holds single values only" },
	{ "a = [ 1, \"x\" ];", "\"[ ]\" holds values of one kind only" },
	{ "a = [ 1, 2L ];", "\"[ ]\" holds values of one kind only" },
	{ "a = [ 1, 2.0 ];", "\"[ ]\" holds values of one kind only" },
	/* no text */
	{ "a = 1;\n\x01", "weir.conf:2: not text: control character 0x01" },
	{ "# \x7f", "not text: control character 0x7f" },
	{ "a = \"\x1b[0m\";", "not text: control character 0x1b" },
	{ "\f", "not text: control character 0x0c" },
	{ "\xef\xbb\xbf"
	  "a = 1;",
		"weir.conf:1: a byte order mark" },
	{ "a = 1;\nb = { a = 1; };\na = 2;",
		"weir.conf:3: \"a\" is given twice (the first: weir.conf:1)" },
	{ "# \xff", "not text: byte 0xff is not UTF-8" },
	{ "# \x80", "not text: byte 0x80" },
	{ "# \xc0\x80", "not text: byte 0xc0" },
	{ "# \xc3", "not text: byte 0xc3" },
	{ "# \xed\xa0\x80", "not text: byte 0xed" },
	{ "# \xf4\x90\x80\x80", "not text: byte 0xf4" },
	/* includes */
	{ "@include", "write @include \"file\"" },
	{ "@include x", "write @include \"file\"" },
	{ "@include \"x", "write @include \"file\"" },
	{ "@include \"\"", "write @include \"file\"" },
	{ "@x \"y\"", "write @include \"file\"" },
	{ "\n@include \"/nowhere/x.conf\"",
		"weir.conf:2: \"/nowhere/x.conf\" cannot be opened: No such "
		"file or directory" },
};

static void
test_text(void **state)
{
	struct arena arena = { NULL };
	const struct row *r;
	const char *out;
	char *said;
	size_t size;
	FILE *err;

	(void)state;
	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		struct weir_diag d = { .arena = &arena };

		out = scan_text(TRY_FILE, r->text, strlen(r->text), &d);
		err = open_memstream(&said, &size);
		diag_print(&d, err);
		fclose(err);
		if (r->said == NULL ? out == NULL || *said != '\0'
				    : strstr(said, r->said) == NULL)
			fail_msg("%s\nsaid: %s", r->text, said);
		if (r->said != NULL)
			assert_places(said);
		/* What was wrong is out of it, if the rest is there at all. */
		if (out != NULL && node_parse(out, &d) == NULL)
			fail_msg("%s\nlibconfig refuses it", r->text);
		free(said);
	}
	arena_free(&arena);
}

static void
test_nul_is_no_text(void **state)
{
	struct trial t = try_bytes("a = \"x\0y\";", 10, NULL);

	(void)state;
	assert_null(t.conf);
	assert_string_equal(
		t.said, TRY_FILE ":1: not text: control character 0x00\n");
	try_end(&t);
}

/* ---- includes ------------------------------------------------------------ */

static const char *
path_of(const char *name)
{
	static char path[4][256];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static const char *
file_write(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
assert_file_refused(const char *path, const char *said)
{
	struct trial t = try_file(path, NULL);

	if (t.conf != NULL || strstr(t.said, said) == NULL)
		fail_msg("%s\nwanted: %s\nsaid: %s", path, said, t.said);
	try_end(&t);
}

static void
test_includes_keep_their_lines(void **state)
{
	const char *top;
	struct trial t;

	(void)state;
	file_write("sub/two.conf", "# two\n\nidle_timeout = \"x\";");
	file_write("sub/one.conf",
		"name = \"one\";\n@include \"two.conf\" read_max = 0;\n");
	top = file_write("top.conf",
		"# top\nservers = ( { @include \"sub/one.conf\" bad = 1;\n"
		"worse = 2; } );\n");
	t = try_file(top, NULL);
	assert_null(t.conf);
	assert_non_null(strstr(t.said, path_of("sub/two.conf:3: servers.one: "
					       "option \"idle_timeout\"")));
	assert_non_null(strstr(t.said, path_of("sub/one.conf:2: servers.one: "
					       "option \"read_max\"")));
	assert_non_null(strstr(t.said, path_of("top.conf:2: servers.one: "
					       "unknown option \"bad\"")));
	assert_non_null(strstr(t.said, path_of("top.conf:3: servers.one: "
					       "unknown option \"worse\"")));
	try_end(&t);
}

static void
test_a_good_include_is_as_if_written(void **state)
{
	const char *top;
	struct trial t;

	(void)state;
	file_write("chain.conf", "{ type = \"echo\"; },");
	file_write("empty.conf", "");
	top = file_write("good.conf",
		"@include \"empty.conf\"\nservers = ( { middlewares = (\n"
		"@include \"chain.conf\" { type = \"log\"; } ); } );");
	t = try_file(top, NULL);
	assert_string_equal(t.said, "");
	assert_int_equal(conf_server_at(t.conf, 0)->stages.n, 2);
	assert_string_equal(
		setting_of(t.conf, "servers.server0.middlewares.echo.type")
			->origin,
		path_of("chain.conf:1"));
	try_end(&t);
}

static void
test_bad_includes(void **state)
{
	char name[32], text[64];
	int i;

	(void)state;
	assert_file_refused(file_write("self.conf", "\n@include \"self.conf\""),
		path_of("self.conf:2: \""));
	assert_file_refused(path_of("self.conf"), "includes itself");
	file_write("b.conf", "@include \"./a.conf\"");
	assert_file_refused(
		file_write("a.conf", "@include \"b.conf\""), "b.conf:1: \"");
	assert_file_refused(path_of("a.conf"), "includes itself");
	assert_file_refused(file_write("dir.conf", "@include \"sub\""),
		"cannot be read: Is a directory");
	assert_file_refused(file_write("gone.conf", "\n\n@include \"no.conf\""),
		path_of("gone.conf:3: \""));
	assert_file_refused(path_of("gone.conf"), "No such file or directory");
	for (i = 0; i <= SCAN_NESTING_MAX + 1; i++) {
		snprintf(name, sizeof(name), "deep%d.conf", i);
		snprintf(text, sizeof(text), "@include \"deep%d.conf\"", i + 1);
		file_write(name, text);
	}
	assert_file_refused(path_of("deep0.conf"), "deeper than 10 files");
	file_write("bin.conf", "a = 1;\n\x01");
	assert_file_refused(file_write("inc.conf", "\n@include \"bin.conf\""),
		path_of("bin.conf:2: not text: control character 0x01"));
	file_write("open.conf", "/*\n");
	assert_file_refused(file_write("inc.conf", "@include \"open.conf\" */"),
		path_of("open.conf:1: \"/*\" is never closed"));
}

static void
test_a_file_that_cannot_be_read(void **state)
{
	char want[512];

	(void)state;
	snprintf(want, sizeof(want),
		"%s: cannot be opened: No such file or directory\n",
		path_of("none.conf"));
	assert_file_refused(path_of("none.conf"), want);
	assert_file_refused(dir, "Is a directory");
}

/* ---- size and shape ------------------------------------------------------ */

/* head, then n times body, then tail: refused (or not) in good time. */
static void
shape(const char *head, const char *body, size_t n, const char *tail,
	const char *said)
{
	size_t one = strlen(body), len = strlen(head), i;
	clock_t start;
	struct trial t;
	char *text = malloc(len + n * one + strlen(tail) + 1);

	assert_non_null(text);
	memcpy(text, head, len);
	for (i = 0; i < n; i++, len += one)
		memcpy(text + len, body, one);
	memcpy(text + len, tail, strlen(tail) + 1);
	start = clock();
	t = try_bytes(text, len + strlen(tail), NULL);
	free(text);
	if (said == NULL ? t.conf == NULL
			 : t.conf != NULL || strstr(t.said, said) == NULL)
		fail_msg("%s%s...\nsaid: %.300s", head, body, t.said);
	try_end(&t);
	assert_true(clock() - start < CPU_SECONDS * CLOCKS_PER_SEC);
}

static void
test_shapes(void **state)
{
	const size_t mega = SCAN_BYTES_MAX;
	char include[512];

	(void)state;
	shape("a = \"", "x", 10 * mega, "\";", "longer than 1 MB");
	shape("a = \"", "x", mega - 16, "\";", "string longer than 65536");
	shape("a = \"", "x", SCAN_STRING_MAX, "\";", "unknown option \"a\"");
	shape("a = ", "\"xxxxxxx\" ", mega / 11, ";", "string longer than");
	shape("a = ", "\"\"\n", mega / 4, ";", "unknown option \"a\"");
	shape("a = \"", "$", 60000, "\";", "unknown option \"a\"");
	shape("servers = ( { } ); process = {", " a = 1; ", 1001, "};",
		"more than 1000 options in one group");
	shape("", "a = 1;\n", mega / 8, "", "more than 1000 options");
	shape("", "a", mega - 16, " = 1;", "longer than 255 bytes");
	shape("a = ", "1", mega - 16, ";", "longer than 255 bytes");
	shape("a = [ 0", ", 1", mega / 4, " ];", "more than 50000 entries");
	shape("servers = ( { listen = ( \"x\"", ", \"y\"", 49999, " ); } );",
		"has 50000 entries, out of range 0..256");
	shape("servers = ( { }", ", { }", 49999, " );",
		"has 50000 entries, out of range 0..1000");
	shape("servers = ( { middlewares = ( \"a\"", ", \"b\"", 49999,
		" ); } );", "has 50000 entries, out of range 0..64");
	shape("servers = ( { middlewares = ( { type = \"forward\"; to = ( "
	      "\"x\"",
		", \"y\"", 49999, " ); } ); } );", "and 49800 errors more");
	shape("servers = ( { middlewares = ( { type = \"forward\"; to = ( "
	      "\"1.1.1.1:1\"",
		", \"1.1.1.1:1\"", 49999, " ); } ); } );", NULL);
	shape("servers = ( { }", ", { listen = \"127.0.0.1:0\"; }", 999, " );",
		NULL);
	shape("a = ", "(", 51, "", "nested deeper than 50");
	shape("a = ", "( ", 5000, "", "nested deeper than 50");
	shape("a = ", "{ a = ", 170000, "", "nested deeper than 50");
	shape("", "}", mega, "", "closes nothing");
	shape("", "#\n", mega / 2, "", "option \"servers\" is missing");
	shape("/*", "*", mega - 2, "", "never closed");
	shape("", "\n", mega, "", "option \"servers\" is missing");
	snprintf(include, sizeof(include), "@include \"%s\"\n",
		file_write("empty.conf", ""));
	shape("", include, 1001, "", "more than 1000 includes");
	shape("", "%", mega, "", "errors more");
	shape("servers = ( { }", ",", 40000, ");",
		"a value is missing before ,");
}

static void
test_the_cap_counts_all_files(void **state)
{
	char *half = malloc(SCAN_BYTES_MAX / 2 + 1);
	const char *top;

	(void)state;
	assert_non_null(half);
	memset(half, '\n', SCAN_BYTES_MAX / 2);
	half[SCAN_BYTES_MAX / 2] = '\0';
	file_write("half.conf", half);
	free(half);
	top = file_write("whole.conf",
		"@include \"half.conf\"\n@include \"half.conf\"\n");
	assert_file_refused(top, "whole.conf:2: \"");
	assert_file_refused(top, "more than 1 MB, includes counted");
}

static void
test_a_huge_file_is_not_read_whole(void **state)
{
	const char *path = file_write("huge.conf", "");
	clock_t start = clock();

	(void)state;
	assert_int_equal(truncate(path, 1LL << 40), 0);
	assert_file_refused(path, "more than 1 MB");
	assert_true(clock() - start < CPU_SECONDS * CLOCKS_PER_SEC);
}

static int
dir_make(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL || mkdir(path_of("sub"), 0700) == -1;
}

static int
dir_remove(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nul_is_no_text),
		cmocka_unit_test(test_includes_keep_their_lines),
		cmocka_unit_test(test_a_good_include_is_as_if_written),
		cmocka_unit_test(test_bad_includes),
		cmocka_unit_test(test_a_file_that_cannot_be_read),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_the_cap_counts_all_files),
		cmocka_unit_test(test_a_huge_file_is_not_read_whole),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
