/* test_conf.c - whole configurations: defaults, chains, overrides, bad files. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "conf_try.h"
#include "registry_fake.h"

#include "base/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char whole[] =
	"# a comment\n"
	"process = { workers = 2; user = \"root\"; };\n"
	"log = { level = \"debug\"; target = \"/var/log/weir\"; };\n"
	"servers = (\n"
	"  { name = \"pg\";\n"
	"    listen = ( \"127.0.0.1:0\", { address = \"[::]:9400\";\n"
	"      backlog = 512; reuseport = false; }, \"unix:/run/pg\" );\n"
	"    idle_timeout = \"2m\"; session_timeout = 0;\n"
	"    middlewares = ( { type = \"log\"; order = 90; },\n"
	"      { type = \"forward\"; to = [ \"10.0.0.1:1\", \"10.0.0.2:2\" ];\n"
	"        source = \"${SRC:-127.0.0.1:0}\"; } ); },\n"
	"  { listen = \"127.0.0.1:81\"; middlewares = \"echo\"; } );\n";

static void
test_defaults(void **state)
{
	struct try t = try_text("servers = ( { } );");
	const struct conf_server *s;

	(void)state;
	assert_string_equal(t.said, "");
	assert_true(t.conf->process.workers == 0);
	assert_string_equal(t.conf->process.user, "nobody");
	assert_false(t.conf->process.daemon);
	assert_null(t.conf->process.pidfile);
	assert_int_equal(t.conf->process.start_timeout_ms, 10000);
	assert_int_equal(t.conf->process.drain_timeout_ms, 3600000);
	assert_int_equal(t.conf->log.level, LOG_LEVEL_INFO);
	assert_string_equal(t.conf->log.target, "stderr");
	assert_string_equal(t.conf->file, TRY_FILE);
	assert_int_equal(t.conf->servers.n, 1);
	s = conf_server_at(t.conf, 0);
	assert_string_equal(s->name, "server0");
	assert_int_equal(s->listen.n, 1);
	assert_string_equal(conf_listen_at(s, 0)->text, "127.0.0.1:9399");
	assert_true(conf_listen_at(s, 0)->backlog == 4096);
	assert_false(conf_listen_at(s, 0)->reuseport);
	assert_int_equal(s->read_max, 320 << 10);
	assert_int_equal(s->hold_max, 1 << 20);
	assert_int_equal(s->dumb_connect_timeout_ms, 3000);
	assert_int_equal(s->preread_timeout_ms, 30000);
	assert_int_equal(s->connect_timeout_ms, 10000);
	assert_int_equal(s->idle_timeout_ms, 600000);
	assert_int_equal(s->half_close_timeout_ms, 60000);
	assert_int_equal(s->session_timeout_ms, 0);
	assert_int_equal(s->close_wait_ms, 60000);
	assert_int_equal(s->close_channel_mode, 0);
	assert_int_equal(s->stages.n, 0);
	try_end(&t);
}

static void
test_a_whole_file(void **state)
{
	struct try t = try_text(whole);
	const struct fake_forward *f;
	const struct conf_server *s;

	(void)state;
	assert_string_equal(t.said, "");
	assert_true(t.conf->process.workers == 2);
	assert_int_equal(t.conf->servers.n, 2);
	s = conf_server_at(t.conf, 0);
	assert_int_equal(s->listen.n, 3);
	assert_true(conf_listen_at(s, 1)->backlog == 512);
	assert_string_equal(conf_listen_at(s, 2)->text, "unix:/run/pg");
	assert_int_equal(s->stages.n, 2);
	assert_string_equal(conf_stage_at(s, 0)->name, "forward");
	assert_ptr_equal(conf_stage_at(s, 0)->mw, &fake_forward);
	f = conf_stage_at(s, 0)->conf;
	assert_int_equal(f->to.n, 2);
	assert_int_equal(f->source.len, sizeof(f->source.in));
	assert_string_equal(conf_stage_at(s, 1)->name, "log");
	assert_string_equal(conf_server_at(t.conf, 1)->name, "server1");
	try_end(&t);
}

static void
test_pidfile(void **state)
{
	static const struct {
		const char *process;
		const char *pidfile;
	} rows[] = {
		{ "", NULL },
		{ "daemon = true;", "/run/weir.pid" },
		{ "daemon = true; pidfile = \"off\";", NULL },
		{ "daemon = true; pidfile = \"/x\";", "/x" },
		{ "pidfile = \"/x\";", "/x" },
	};
	char text[256];
	struct try t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text),
			"servers = ( { } ); process = { %s };",
			rows[i].process);
		t = try_text(text);
		assert_string_equal(t.said, "");
		if (rows[i].pidfile == NULL)
			assert_null(t.conf->process.pidfile);
		else
			assert_string_equal(
				t.conf->process.pidfile, rows[i].pidfile);
		assert_string_equal(
			setting_of(t.conf, "process.pidfile")->value,
			rows[i].pidfile != NULL ? rows[i].pidfile : "off");
		try_end(&t);
	}
}

static void
test_an_unknown_user_is_refused_for_root(void **state)
{
	struct try t = try_text("servers = ( { } );\n"
				"process = { user = \"no such user\"; };");

	(void)state;
	if (geteuid() == 0)
		assert_string_equal(t.said,
			"weir.conf:2: process: option \"user\" = \"no such "
			"user\": there is no such user\n");
	else
		assert_string_equal(t.said, "");
	assert_int_equal(t.conf == NULL, geteuid() == 0);
	try_end(&t);
}

/* ---- chains -------------------------------------------------------------- */

/* Names of the chain that these entries make: "acl log". */
static void
assert_chain(const char *entries, const char *wanted)
{
	char text[1024], names[256] = "";
	const struct conf_server *s;
	struct try t;
	size_t i, n = 0;

	snprintf(text, sizeof(text), "servers = ( { middlewares = ( %s ); } );",
		entries);
	t = try_text(text);
	if (t.conf == NULL)
		fail_msg("%s\nsaid: %s", text, t.said);
	s = conf_server_at(t.conf, 0);
	for (i = 0; i < s->stages.n; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
			n > 0 ? " " : "", conf_stage_at(s, i)->name);
	assert_string_equal(names, wanted);
	try_end(&t);
}

static void
test_chains(void **state)
{
	(void)state;
	assert_chain("", "");
	assert_chain("\"echo\"", "echo");
	assert_chain("\"log\", \"echo\", \"discard\"", "log echo discard");
	assert_chain("{ type = \"log\"; order = 51; }, \"echo\", "
		     "{ type = \"discard\"; order = 0; }",
		"discard echo log");
	assert_chain("{ type = \"log\"; name = \"a\"; order = 7; },"
		     "{ type = \"log\"; name = \"b\"; order = 7; },"
		     "{ type = \"log\"; name = \"c\"; order = 6; },"
		     "{ type = \"log\"; name = \"d\"; order = 7; }",
		"c a b d");
	/* Two of one type without names are two. */
	assert_chain("\"log\", \"log\"", "log log");
	/* A later one takes the place of the earlier one of its name. */
	assert_chain("\"log\", \"echo\", { type = \"discard\"; name = \"log\"; }",
		"log echo");
	assert_chain("{ type = \"log\"; name = \"a\"; }, \"echo\","
		     "{ type = \"echo\"; name = \"a\"; order = 60; }",
		"echo a");
	/* Or removes it. */
	assert_chain("\"log\", \"echo\", { name = \"log\"; enabled = false; }",
		"echo");
	assert_chain("{ type = \"log\"; enabled = false; }, \"echo\"", "echo");
	assert_chain("\"log\", { name = \"log\"; enabled = false; }, \"log\"",
		"log");
}

static void
test_a_replaced_entry_leaves_nothing(void **state)
{
	struct try t = try_text(
		"servers = ( { middlewares = ("
		"{ type = \"forward\"; to = \"10.0.0.1:1\"; },"
		"{ type = \"every\"; name = \"forward\"; number = 3; }, "
		"\"log\", \"log\" ); } );");
	const struct conf_setting *s;
	size_t i;

	(void)state;
	assert_string_equal(t.said, "");
	assert_ptr_equal(
		conf_stage_at(conf_server_at(t.conf, 0), 0)->mw, &fake_every);
	assert_string_equal(
		setting_of(t.conf, "servers.server0.middlewares.forward.number")
			->value,
		"3");
	setting_of(t.conf, "servers.server0.middlewares.log.type");
	setting_of(t.conf, "servers.server0.middlewares[3].type");
	for (i = 0, s = t.conf->settings.v; i < t.conf->settings.n; i++)
		assert_null(strstr(s[i].path, "forward.to"));
	try_end(&t);
}

static void
test_too_long_a_chain(void **state)
{
	char text[2048] = "servers = ( { middlewares = ( \"log\"";
	size_t n = strlen(text);
	struct try t;
	int i;

	(void)state;
	for (i = 1; i < CONF_STAGES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ", \"log\"");
	snprintf(text + n, sizeof(text) - n, "); } );");
	t = try_text(text);
	assert_string_equal(t.said, "");
	try_end(&t);
	snprintf(text + n, sizeof(text) - n, ", \"log\" ); } );");
	assert_refused(text, "has 65 entries, out of range 0..64");
}

/* ---- overrides ----------------------------------------------------------- */

static struct try
over(const char *const *options, char *const *env)
{
	struct conf_overrides o = { options, env };

	return try_bytes(whole, strlen(whole), &o);
}

static void
assert_setting(const struct try *t, const char *path, const char *value,
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
		"WEIR_TEST_CLOCK=/x", NULL };
	const char *const options[] = { "servers.pg.idle_timeout=40s",
		"process.workers=7", "log.level=warn",
		"servers.pg.listen[0].backlog=9",
		"servers.pg.listen[1].backlog=8",
		"servers.pg.middlewares.forward.to=1.1.1.1:1, 2.2.2.2:2",
		"servers.pg.middlewares[0].order=3",
		"servers.server1.middlewares[0].order=4",
		"servers.server1.listen=127.0.0.1:0,unix:x", "process.workers=8",
		"servers[1].read_max=1k", NULL };
	struct try t = over(options, env);

	(void)state;
	assert_string_equal(t.said, "");
	assert_setting(&t, "servers.pg.idle_timeout", "40s", "-o");
	assert_setting(&t, "servers.server1.idle_timeout", "30s", "environment");
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
	assert_setting(
		&t, "servers.server1.listen[1].address", "unix:x", "-o");
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
	struct try t = try_bytes("servers = ( { } );", 18, &o);

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
	struct try t = try_bytes(text, strlen(text), &o);

	(void)state;
	assert_setting(&t, "servers.a.b.read_max", "7", "-o");
	assert_setting(&t, "servers.a.hold_max", "2M", "-o");
	assert_setting(&t, "servers.a.read_max", "320k", "default");
	try_end(&t);
}

static void
test_bad_options(void **state)
{
	static const struct {
		const char *option;
		const char *said;
	} rows[] = {
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
		{ "servers.pg.middlewares.forward.too=x",
			"(did you mean \"to\"?)" },
		{ "servers.pg.middlewares.forward.to[0]=x",
			"set as a whole, with commas" },
		{ "servers.pg.middlewares.forward.to=", "is empty" },
		{ "servers.pg.middlewares[0].type=nothing",
			"unknown middleware \"nothing\"" },
		{ "servers.pg.listen=127.0.0.1:81",
			"both listen on 127.0.0.1:81" },
		{ "servers.pg.name=server1", "two servers have the name" },
		{ "upstreams=x", "option \"upstreams\" is not built in yet" },
		{ "upstreams[0].x=1", "\"upstreams\" is not built in yet" },
		{ "process.drain_timeout=1", "not built in yet" },
		{ "servers.pg.listen[0].reuseport=true", "not built in yet" },
	};
	const char *options[2] = { NULL, NULL };
	struct try t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		options[0] = rows[i].option;
		t = over(options, NULL);
		if (t.conf != NULL || strstr(t.said, rows[i].said) == NULL ||
			strncmp(t.said, "-o ", 3) != 0)
			fail_msg("%s\nwanted: %s\nsaid: %s", rows[i].option,
				rows[i].said, t.said);
		try_end(&t);
	}
}

static void
test_variables_of_weir(void **state)
{
	char *bad[] = { "WEIR_IDLE_TIMEOUT=soon", NULL };
	char *odd[] = { "WEIR_IDLE_TIMOUT=3s", "WEIR_PORT=tcp://1.2.3.4:5",
		"WEIR_", "WEIRD=1", NULL };
	struct try t = over(NULL, bad);

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
	struct try t;
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
	struct try t;

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
	struct try t = try_bytes(text, strlen(text), &o);

	(void)state;
	assert_setting(&t, "servers.pg.read_max", "7", "-o");
	assert_setting(
		&t, "servers.pg.middlewares.echo.type", "echo", "weir.conf:1");
	try_end(&t);
}

/* ---- bad files ----------------------------------------------------------- */

static void
test_every_truncation_is_valid_or_has_a_place(void **state)
{
	size_t n, valid = 0;
	struct try t;

	(void)state;
	for (n = 0; n <= strlen(whole); n++) {
		t = try_bytes(whole, n, NULL);
		if (t.conf == NULL)
			assert_places(t.said);
		else
			assert_string_equal(t.said, "");
		valid += t.conf != NULL;
		try_end(&t);
	}
	/* With and without the last ";" and newline. */
	assert_int_equal(valid, 3);
}

static void
test_every_changed_byte_is_valid_or_has_a_place(void **state)
{
	static const char bytes[] = "\"{}()[]=;,:#/@$9a \n\\\xff\x01";
	char text[sizeof(whole)];
	size_t n, i;
	struct try t;

	(void)state;
	for (n = 0; n < strlen(whole); n++)
		for (i = 0; i < sizeof(bytes) - 1; i++) {
			memcpy(text, whole, sizeof(whole));
			text[n] = bytes[i];
			t = try_bytes(text, strlen(whole), NULL);
			if (t.conf == NULL)
				assert_places(t.said);
			else
				assert_string_equal(t.said, "");
			try_end(&t);
		}
}

static const char *
corpus_path(const char *folder, const char *name)
{
	const char *srcdir = getenv("srcdir");
	static char path[1024];

	snprintf(path, sizeof(path), "%s/tests/conf/%s%s%s",
		srcdir != NULL ? srcdir : ".", folder, *name != '\0' ? "/" : "",
		name);
	return path;
}

/* The first line of a bad file is "# want: " and a part of what is said. */
static void
bad_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];
	struct try t;

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "# want: ", 8) != 0 || strlen(line) < 12)
		fail_msg("%s: no \"# want: \"", path);
	t = try_file(path, NULL);
	if (t.conf != NULL || strstr(t.said, line + 8) == NULL ||
		strncmp(t.said, path, strlen(path) - 5) != 0)
		fail_msg("%s\nwanted: %s\nsaid: %s", path, line + 8, t.said);
	try_end(&t);
}

static void
good_file(const char *path)
{
	struct try t = try_file(path, NULL);

	if (t.conf == NULL || *t.said != '\0')
		fail_msg("%s\nsaid: %s", path, t.said);
	try_end(&t);
}

static size_t
corpus_walk(const char *folder, void (*f)(const char *path))
{
	DIR *d = opendir(corpus_path(folder, ""));
	const struct dirent *e;
	size_t n = 0, len;

	if (d == NULL)
		fail_msg("no %s", corpus_path(folder, ""));
	while ((e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len < 5 || strcmp(e->d_name + len - 5, ".conf") != 0)
			continue;
		f(corpus_path(folder, e->d_name));
		n++;
	}
	closedir(d);
	return n;
}

static void
test_corpus(void **state)
{
	(void)state;
	assert_true(corpus_walk("bad", bad_file) >= 40);
	assert_true(corpus_walk("good", good_file) >= 4);
}

static size_t
fds_open(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
test_no_file_stays_open(void **state)
{
	size_t before = fds_open();

	(void)state;
	corpus_walk("bad", bad_file);
	corpus_walk("good", good_file);
	assert_int_equal(fds_open(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_a_whole_file),
		cmocka_unit_test(test_pidfile),
		cmocka_unit_test(test_an_unknown_user_is_refused_for_root),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_a_replaced_entry_leaves_nothing),
		cmocka_unit_test(test_too_long_a_chain),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_an_override_reaches_what_is_not_written),
		cmocka_unit_test(test_names_with_dots),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_variables_of_weir),
		cmocka_unit_test(test_variables_in_strings),
		cmocka_unit_test(test_variables_do_not_multiply),
		cmocka_unit_test(test_names_come_from_variables_too),
		cmocka_unit_test(test_every_truncation_is_valid_or_has_a_place),
		cmocka_unit_test(
			test_every_changed_byte_is_valid_or_has_a_place),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_no_file_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
