/* test_override.c - what environment and command line change, and ${NAME}. */
#include "conf_try.h"
#include "registry_fake.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char whole[] = TRY_WHOLE;

static struct trial
over(const char *const *options, char *const *env)
{
	struct conf_overrides o = { options, env };

	return try_bytes(whole, strlen(whole), &o);
}

static void
assert_setting(const struct trial *t, const char *path, const char *value,
	const char *origin)
{
	const struct conf_setting *s;

	if (t->conf == NULL)
		fail_msg("said: %s", t->said);
	s = setting_of(t->conf, path);
	assert_string_equal(s->value, value);
	assert_string_equal(s->origin, origin);
}

static void
test_precedence(void **state)
{
	char *env[] = { "HOME=/", "WEIR_IDLE_TIMEOUT=30s", "WEIR_CLOSE_WAIT=0",
		"WEIR_TEST_CLOCK=/x", "WEIR_TEST_SPLICE=1",
		"WEIR_API=/run/weir.api", "WEIR_TOKEN=x", NULL };
	const char *const options[] = { "servers.pg.idle_timeout=40s",
		"process.workers=7", "log.level=warn",
		"servers.pg.listen[0].backlog=9",
		"servers.pg.listen[1].backlog=8",
		"servers.pg.middlewares.forward.to=1.1.1.1:1, 2.2.2.2:2",
		"servers.pg.middlewares[0].order=3",
		"servers.server1.middlewares[0].order=4",
		"servers.server1.listen=127.0.0.1:0,unix:x",
		"process.workers=8", "servers[1].read_max=1k", NULL };
	struct trial t = over(options, env);

	(void)state;
	assert_string_equal(t.said, "");
	assert_setting(&t, "servers.pg.idle_timeout", "40s", "-o");
	assert_setting(
		&t, "servers.server1.idle_timeout", "30s", "environment");
	assert_setting(&t, "servers.pg.close_wait", "off", "environment");
	assert_setting(&t, "servers.pg.connect_timeout", "10s", "default");
	assert_setting(&t, "servers.pg.session_timeout", "off", "weir.conf:8");
	assert_setting(&t, "process.workers", "8", "-o");
	assert_setting(&t, "log.level", "warn", "-o");
	assert_setting(&t, "servers.pg.listen[0].backlog", "9", "-o");
	assert_setting(&t, "servers.pg.listen[0].address", "127.0.0.1:0",
		"weir.conf:6");
	assert_setting(&t, "servers.pg.listen[1].backlog", "8", "-o");
	assert_setting(&t, "servers.pg.middlewares.forward.to",
		"1.1.1.1:1,2.2.2.2:2", "-o");
	assert_setting(&t, "servers.pg.middlewares.log.order", "3", "-o");
	assert_setting(&t, "servers.server1.middlewares.echo.order", "4", "-o");
	assert_setting(&t, "servers.server1.listen[1].address", "unix:x", "-o");
	assert_setting(&t, "servers.server1.read_max", "1k", "-o");
	assert_string_equal(
		conf_stage_at(conf_server_at(t.conf, 0), 0)->name, "log");
	try_end(&t);
}

static void
test_an_override_reaches_what_is_not_written(void **state)
{
	const char *const options[] = { "servers.server0.listen[0].backlog=5",
		"process.daemon=true", "log.target=syslog", NULL };
	struct conf_overrides o = { options, NULL };
	struct trial t = try_bytes("servers = ( { } );", 18, &o);

	(void)state;
	assert_string_equal(t.said, "");
	assert_setting(&t, "servers.server0.listen[0].backlog", "5", "-o");
	assert_setting(&t, "servers.server0.listen[0].address",
		"127.0.0.1:9399", "default");
	assert_string_equal(t.conf->process.pidfile, "/run/weir.pid");
	try_end(&t);
}

static void
test_names_with_dots(void **state)
{
	static const char text[] =
		"servers = ( { name = \"a\"; listen = \"127.0.0.1:0\"; },"
		"{ name = \"a.b\"; listen = \"127.0.0.1:0\"; } );";
	const char *const options[] = { "servers.a.b.read_max=7",
		"servers.a.hold_max=2M", NULL };
	struct conf_overrides o = { options, NULL };
	struct trial t = try_bytes(text, strlen(text), &o);

	(void)state;
	assert_setting(&t, "servers.a.b.read_max", "7", "-o");
	assert_setting(&t, "servers.a.hold_max", "2M", "-o");
	assert_setting(&t, "servers.a.read_max", "320k", "default");
	try_end(&t);
}

static const struct {
	const char *option;
	const char *said;
} bad_options[] = {
	{ "", "-o : wants PATH=VALUE" },
	{ "x", "-o x: wants PATH=VALUE" },
	{ "=x", "-o =x: wants PATH=VALUE" },
	{ "proces.workers=1", "-o proces.workers=1: unknown option "
			      "\"proces\" (did you mean \"process\"?)" },
	{ "process.worker=1", "(did you mean \"workers\"?)" },
	{ "process.workers=many", "-o process.workers=many: process: "
				  "option \"workers\" = \"many\": not "
				  "a whole number" },
	{ "process.workers=", "not a whole number" },
	{ "process.workers=4294967376", "out of range 0..1024" },
	{ "process.workers.x=1", "is set as a whole" },
	{ "process=1", "\"process\" is a group" },
	{ "servers=1", "\"servers\" is a group" },
	{ "servers.pg=1", "is a group; name one of its options" },
	{ "servers.pgg.read_max=1", "no entry of \"servers\" has the "
				    "name \"pgg\" (did you mean "
				    "\"pg\"?)" },
	{ "servers.pg.idle_tmeout=1", "(did you mean "
				      "\"idle_timeout\"?)" },
	{ "servers.pg.idle_timeout=\x1b", "has control characters" },
	{ "servers[2].read_max=1", "has no entry of that number" },
	{ "servers[x].read_max=1", "write \"servers[0]\"" },
	{ "servers[-1].read_max=1", "write \"servers[0]\"" },
	{ "servers[99999999999999999999].read_max=1",
		"has no entry of that number" },
	{ "servers[0=1", "write \"servers[0]\"" },
	{ "servers[0]=1", "is a group; name one" },
	{ "servers[0]read_max=1", "is a group; name one" },
	{ "servers.=1", "has the name \"\"" },
	{ "servers.pg.=1", "unknown option \"\"" },
	{ ".=1", "unknown option \"\"" },
	{ "servers.pg.middlewares.frward.to=x", "(did you mean "
						"\"forward\"?)" },
	{ "servers.pg.middlewares.forward.too=x", "(did you mean \"to\"?)" },
	{ "servers.pg.middlewares.forward.to[0]=x",
		"set as a whole, with commas" },
	{ "servers.pg.middlewares.forward.to=", "is empty" },
	{ "servers.pg.middlewares[0].type=nothing",
		"unknown middleware \"nothing\"" },
	{ "servers.pg.listen=127.0.0.1:81", "both listen on 127.0.0.1:81" },
	{ "servers.pg.name=server1", "two servers have the name" },
	{ "upstreams=x", "option \"upstreams\" is not built in yet" },
	{ "upstreams[0].x=1", "\"upstreams\" is not built in yet" },
};

static void
test_bad_options(void **state)
{
	const char *options[2] = { NULL, NULL };
	struct trial t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_options); i++) {
		options[0] = bad_options[i].option;
		t = over(options, NULL);
		if (t.conf != NULL ||
			strstr(t.said, bad_options[i].said) == NULL ||
			strstr(t.said, "-o ") == NULL)
			fail_msg("%s\nwanted: %s\nsaid: %s",
				bad_options[i].option, bad_options[i].said,
				t.said);
		try_end(&t);
	}
}

static void
test_variables_of_weir(void **state)
{
	char *bad[] = { "WEIR_IDLE_TIMEOUT=soon", NULL };
	char *odd[] = { "WEIR_IDLE_TIMOUT=3s", "WEIR_PORT=tcp://1.2.3.4:5",
		"WEIR_NAME=all", "WEIR_", "WEIRD=1", NULL };
	struct trial t = over(NULL, bad);

	(void)state;
	assert_null(t.conf);
	assert_non_null(strstr(t.said,
		"WEIR_IDLE_TIMEOUT: servers.pg: option \"idle_timeout\" = "
		"\"soon\": not a time"));
	try_end(&t);
	t = over(NULL, odd);
	assert_non_null(t.conf);
	assert_non_null(strstr(t.said,
		"warning: WEIR_IDLE_TIMOUT is no option of weir (did you mean "
		"WEIR_IDLE_TIMEOUT?)\n"));
	assert_non_null(
		strstr(t.said, "warning: WEIR_PORT is no option of weir\n"));
	assert_null(strstr(t.said, "WEIRD"));
	/* Servers keep their names. */
	assert_non_null(strstr(t.said, "warning: WEIR_NAME is no option"));
	assert_string_equal(conf_server_at(t.conf, 0)->name, "pg");
	try_end(&t);
}

/* ---- ${NAME} ------------------------------------------------------------- */

static void
test_variables_in_strings(void **state)
{
	static const struct {
		const char *text;
		const char *value; /* or */
		const char *said;
	} rows[] = {
		{ "${A}", "one", NULL },
		{ "x${A}y${B}z", "xoneytwoz", NULL },
		{ "${A:-other}", "one", NULL },
		{ "${NONE:-other}", "other", NULL },
		{ "${NONE:-}", "", NULL },
		{ "${EMPTY}", "", NULL },
		{ "${EMPTY:-other}", "other", NULL },
		{ "${NONE:-a:b}", "a:b", NULL },
		{ "$A $ $$ $${A}", "$A $ $ ${A}", NULL },
		{ "${DOLLAR}", "${A}", NULL },
		{ "${NONE}", NULL,
			"environment variable NONE is not set (write "
			"\"${NONE:-text}\" for a default)" },
		{ "${A", NULL, "\"${\" wants NAME}" },
		{ "${", NULL, "\"${\" wants NAME}" },
		{ "${}", NULL, "\"${\" wants NAME}" },
		{ "${:-x}", NULL, "\"${\" wants NAME}" },
		{ "${A:x}", NULL, "\"${\" wants NAME}" },
		{ "${A:", NULL, "\"${\" wants NAME}" },
		{ "${CONTROL}", NULL, "has control characters" },
	};
	char *env[] = { "A=one", "AB=no", "B=two", "EMPTY=", "DOLLAR=${A}",
		"CONTROL=\x1b", NULL };
	struct conf_overrides o = { NULL, env };
	char text[256];
	struct trial t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text),
			"servers = ( { middlewares = ( { type = \"every\";\n"
			"word = \"%s\"; } ); } );",
			rows[i].text);
		t = try_bytes(text, strlen(text), &o);
		if (rows[i].value != NULL)
			assert_setting(&t,
				"servers.server0.middlewares.every.word",
				rows[i].value, "weir.conf:2");
		else if (t.conf != NULL ||
			 strstr(t.said, rows[i].said) == NULL ||
			 strncmp(t.said, "weir.conf:2: ", 13) != 0)
			fail_msg("%s: %s", rows[i].text, t.said);
		try_end(&t);
	}
}

static void
test_variables_do_not_multiply(void **state)
{
	static char big[40000] = "BIG=";
	char *env[] = { big, NULL };
	struct conf_overrides o = { NULL, env };
	static const char text[] = "servers = ( { name = \"${BIG}${BIG}${BIG}"
				   "${BIG}\"; } );";
	struct trial t;

	(void)state;
	memset(big + 4, 'x', sizeof(big) - 5);
	t = try_bytes(text, strlen(text), &o);
	assert_null(t.conf);
	assert_non_null(strstr(t.said, "longer than 64k"));
	try_end(&t);
}

static void
test_names_come_from_variables_too(void **state)
{
	char *env[] = { "N=pg", "T=echo", NULL };
	const char *const options[] = { "servers.pg.read_max=7", NULL };
	struct conf_overrides o = { options, env };
	static const char text[] = "servers = ( { name = \"${N}\"; "
				   "middlewares = \"${T}\"; } );";
	struct trial t = try_bytes(text, strlen(text), &o);

	(void)state;
	assert_setting(&t, "servers.pg.read_max", "7", "-o");
	assert_setting(
		&t, "servers.pg.middlewares.echo.type", "echo", "weir.conf:1");
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_an_override_reaches_what_is_not_written),
		cmocka_unit_test(test_names_with_dots),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_variables_of_weir),
		cmocka_unit_test(test_variables_in_strings),
		cmocka_unit_test(test_variables_do_not_multiply),
		cmocka_unit_test(test_names_come_from_variables_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
