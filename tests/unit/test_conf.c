/* test_conf.c - whole configurations: defaults, chains, overrides, bad files.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "conf_try.h"
#include "registry_fake.h"

#include "base/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char whole[] = TRY_WHOLE;

static void
test_defaults(void **state)
{
	struct trial t = try_text("servers = ( { } );");
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
	assert_string_equal(t.conf->log.target->text, "stderr");
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
	struct trial t = try_text(whole);
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
	struct trial t;
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
	struct trial t = try_text("servers = ( { } );\n"
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

/* All that is wrong with a file is said at once. */
static void
test_all_errors_at_once(void **state)
{
	static const char *const said[] = {
		"weir.conf:1: number 99999999999 does not fit 32 bits",
		"weir.conf:1: process: unknown option \"pidfil\"",
		"weir.conf:2: \"debug\" must be written in quotes",
		"weir.conf:3: servers: option \"name\" = \"a b\": a name is",
		"weir.conf:4: servers.a b: hold_max is 1k",
		"weir.conf:6: servers.c: unknown option \"idle_tmeout\"",
		("weir.conf:6: servers \"a b\" and \"c\" both listen on "
		 "127.0.0.1:81 (the first: weir.conf:3)"),
		"weir.conf:7: two servers have the name \"c\"",
		"weir.conf:7: servers.c.listen[0]: option \"address\" = \"80\"",
	};
	struct trial t = try_text(
		"process = { workers = 99999999999; pidfil = \"x\"; };\n"
		"log = { level = debug; };\n"
		"servers = ( { name = \"a b\"; listen = \"127.0.0.1:81\";\n"
		"  hold_max = \"1k\"; middlewares = ( { type = \"forward\";\n"
		"    to = 99999999999; } ); },\n"
		"{ name = \"c\"; listen = \"127.0.0.1:81\"; idle_tmeout = 1; "
		"},\n"
		"{ name = \"c\"; listen = 80; } );\n");
	size_t i;

	(void)state;
	assert_null(t.conf);
	for (i = 0; i < COUNT(said); i++)
		if (strstr(t.said, said[i]) == NULL)
			fail_msg("wanted: %s\nsaid: %s", said[i], t.said);
	/* What was wrong as text is not wrong as a value as well. */
	assert_null(strstr(t.said, "\"workers\""));
	assert_null(strstr(t.said, "\"level\""));
	assert_null(strstr(t.said, "\"to\""));
	try_end(&t);
}

/* ---- chains -------------------------------------------------------------- */

/* Names of the chain that these entries make: "acl log". */
static void
assert_chain(const char *entries, const char *wanted)
{
	char text[1024], names[256] = "";
	const struct conf_server *s;
	struct trial t;
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
	assert_chain(
		"\"log\", \"echo\", { type = \"discard\"; name = \"log\"; }",
		"log echo");
	assert_chain("{ type = \"log\"; name = \"a\"; }, \"echo\","
		     "{ type = \"echo\"; name = \"a\"; order = 60; }",
		"echo a");
	/* Or removes it. */
	assert_chain("\"log\", \"echo\", { name = \"log\"; enabled = false; }",
		"echo");
	assert_chain("\"log\", \"echo\", { type = \"log\"; enabled = false; }",
		"echo");
	assert_chain("\"log\", \"log\", { type = \"log\"; enabled = false; }",
		"log");
	/* By its name, which is that of its type only when it has no other. */
	assert_chain("{ type = \"log\"; name = \"a\"; }, "
		     "{ type = \"log\"; enabled = false; }",
		"a");
	assert_chain("\"log\", { type = \"log\"; name = \"a\"; "
		     "enabled = false; }",
		"log");
	/* One that is switched off where it stands needs no other. */
	assert_chain("{ type = \"log\"; enabled = false; }, \"echo\"", "echo");
	assert_chain("\"log\", { name = \"log\"; enabled = false; }, \"log\"",
		"log");
}

static void
test_a_replaced_entry_leaves_nothing(void **state)
{
	struct trial t = try_text(
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
	struct trial t;
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

/* ---- bad files ----------------------------------------------------------- */

static void
test_every_truncation_is_valid_or_has_a_place(void **state)
{
	size_t n, valid = 0;
	struct trial t;

	(void)state;
	for (n = 0; n <= strlen(whole); n++) {
		t = try_bytes(whole, n, NULL);
		assert_null(strstr(t.said, "syntax error"));
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
	struct trial t;

	(void)state;
	for (n = 0; n < strlen(whole); n++)
		for (i = 0; i < sizeof(bytes) - 1; i++) {
			memcpy(text, whole, sizeof(whole));
			text[n] = bytes[i];
			t = try_bytes(text, strlen(whole), NULL);
			assert_null(strstr(t.said, "syntax error"));
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
	struct trial t;

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
	struct trial t = try_file(path, NULL);

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

static void
test_a_message_stays_on_its_line(void **state)
{
	struct trial t = try_text("servers = ( { name = \"a\\nweir.conf: b\";"
				  " x = \"c\\nd\"; } );");

	(void)state;
	assert_null(t.conf);
	assert_places(t.said);
	assert_non_null(strstr(t.said, "servers.a?weir.conf: b: unknown"));
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_a_whole_file),
		cmocka_unit_test(test_pidfile),
		cmocka_unit_test(test_an_unknown_user_is_refused_for_root),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_a_replaced_entry_leaves_nothing),
		cmocka_unit_test(test_too_long_a_chain),
		cmocka_unit_test(test_every_truncation_is_valid_or_has_a_place),
		cmocka_unit_test(
			test_every_changed_byte_is_valid_or_has_a_place),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_no_file_stays_open),
		cmocka_unit_test(test_a_message_stays_on_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
