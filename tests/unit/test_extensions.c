/* test_extensions.c - extensions: in a configuration, and as services of a
 * process. */
#include "conf_try.h"

#include <bsd/string.h>
#include <errno.h>

#include <event2/event.h>

#include "api/extension.h"

struct fake_conf {
	const char *word;
	int64_t number;
};

struct fake_state {
	char letter;
};

static const struct weir_opt fake_opts[] = {
	WEIR_STRING("word", struct fake_conf, word, .def = "good",
		.help = "Whether it is able to start."),
	WEIR_INT("number", struct fake_conf, number, .def = "7", .max = 9,
		.help = "A number."),
	WEIR_OPT_END
};

static const struct weir_middleware fake_guard = { .name = "guard",
	.help = "Stands first." };

static char told[64];

static void
tell(const char *what, const struct weir_service *s)
{
	strlcat(told, what, sizeof(told));
	strlcat(told, s->name, sizeof(told));
	strlcat(told, " ", sizeof(told));
}

static int
fake_start(struct weir_service *s)
{
	const struct fake_conf *conf = s->conf;
	struct fake_state *state = s->state;

	assert_int_equal(state->letter, '\0');
	assert_int_equal(s->process, WEIR_IN_WORKER);
	state->letter = s->name[0];
	tell("+", s);
	if (strcmp(conf->word, "bad") != 0)
		return 0;
	errno = ENOTCONN;
	return -1;
}

static void
fake_stop(struct weir_service *s)
{
	assert_int_equal(((struct fake_state *)s->state)->letter, s->name[0]);
	tell("-", s);
}

static const struct weir_column fake_columns[] = {
	{ .name = "n", .type = WEIR_COLUMN_COUNT },
	{ .name = "h", .type = WEIR_COLUMN_HELD },
};

/* As many tables as its number says. */
static bool
fake_table(const void *p, unsigned i, struct weir_table_spec *spec)
{
	static const char *const names[] = { NULL, "b", "c" };
	const struct fake_conf *conf = p;

	if (i >= 3 || i >= (unsigned)conf->number)
		return false;
	*spec = (struct weir_table_spec){ .name = names[i],
		.columns = fake_columns,
		.ncolumns = 2,
		.key_most = 16,
		.size = 65536 };
	return true;
}

static int
fake_check(const void *p, struct weir_diag *d)
{
	const struct fake_conf *conf = p;

	if (conf->number != 5)
		return 0;
	weir_error(d, "five is not wanted");
	return -1;
}

static const struct weir_extension fake_plain = { .name = "plain",
	.help = "Does nothing.",
	.opts = fake_opts,
	.conf_size = sizeof(struct fake_conf),
	.state_size = sizeof(struct fake_state),
	.check = fake_check,
	.start = fake_start,
	.stop = fake_stop };
static const struct weir_extension fake_shares = { .name = "shares",
	.help = "Has tables.",
	.opts = fake_opts,
	.conf_size = sizeof(struct fake_conf),
	.state_size = sizeof(struct fake_state),
	.table = fake_table,
	.start = fake_start,
	.stop = fake_stop };
static const struct weir_extension fake_guards = { .name = "guards",
	.help = "Has a stage.",
	.opts = fake_opts,
	.conf_size = sizeof(struct fake_conf),
	.stage = &fake_guard };

/* Wants an extension of type shares. */
struct wants_conf {
	const char *table;
	const char *any;
};

static const char *const wants_types[] = { "shares", NULL };
static const struct weir_opt wants_opts[] = {
	WEIR_STRING("table", struct wants_conf, table, .def = "shares",
		.flags = WEIR_NAMES_EXTENSION, .choices = wants_types,
		.help = "What it counts in."),
	WEIR_STRING("any", struct wants_conf, any,
		.flags = WEIR_NAMES_EXTENSION | WEIR_OPTIONAL,
		.help = "Any extension."),
	WEIR_OPT_END
};
static const struct weir_middleware fake_wants = { .name = "wants",
	.help = "Wants an extension.",
	.opts = wants_opts,
	.conf_size = sizeof(struct wants_conf) };

#define FAKE_MIDDLEWARES &fake_wants, NULL
#define FAKE_EXTENSIONS	 &fake_guards, &fake_plain, &fake_shares, NULL
#include "registry_fake.h"

#include "engine/services.h"
#include "heritage.h"
#include "master/tables.h"
#include "shm/owner.h"

#define SERVER "servers = ( { name = \"s\"; middlewares = ( \"echo\" ); } );"

static void
assert_names(const struct trial *t, const char *names)
{
	char all[128] = "";
	size_t i;

	if (t->conf == NULL)
		fail_msg("%s", t->said);
	for (i = 0; i < t->conf->extensions.n; i++) {
		strlcat(all, conf_extension_at(t->conf, i)->name, sizeof(all));
		strlcat(all, " ", sizeof(all));
	}
	assert_string_equal(all, names);
}

static void
test_order_replacement_and_removal(void **state)
{
	struct trial t = try_text(
		"extensions = ( { type = \"plain\"; order = 60; },\n"
		"  { type = \"plain\"; name = \"b\"; },\n"
		"  { type = \"plain\"; name = \"a\"; },\n"
		"  { type = \"shares\"; name = \"b\"; number = 3; },\n"
		"  \"guards\", { name = \"a\"; enabled = false; } );\n" SERVER);
	const struct fake_conf *conf;

	(void)state;
	assert_names(&t, "b guards plain ");
	assert_ptr_equal(conf_extension_at(t.conf, 0)->type, &fake_shares);
	conf = conf_extension_at(t.conf, 0)->conf;
	assert_int_equal(conf->number, 3);
	try_end(&t);
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	assert_refused("extensions = ( \"plain\", \"plain\" );\n" SERVER,
		"weir.conf:1: extensions: two extensions have the name "
		"\"plain\" (the other: weir.conf:1)");
	assert_refused("extensions = ( { type = \"plan\"; } );\n" SERVER,
		"weir.conf:1: extensions[0] (plan): unknown extension \"plan\" "
		"(did you mean \"plain\"?)");
	assert_refused("extensions = ( \"zzz\" );\n" SERVER,
		"(there are: guards, plain, shares)");
	assert_refused(
		"extensions = ( { type = \"plain\"; number = 5; } );\n" SERVER,
		"extensions[0] (plain): five is not wanted");
	assert_refused(
		"extensions = ( { type = \"plain\"; number = 10; } );\n" SERVER,
		"extensions[0] (plain): option \"number\" = \"10\"");
	assert_refused("extensions = ( { type = \"plain\"; when = \"x\"; } "
		       ");\n" SERVER,
		"unknown option \"when\"");
	assert_refused(
		"extensions = ( { name = \"a\"; enabled = false; } );\n" SERVER,
		"there is no earlier extension of the name \"a\"");
}

static void
test_settings_have_their_names(void **state)
{
	static const char *const options[] = { "extensions.a.number=4", NULL };
	const struct conf_overrides over = { options, NULL };
	struct trial t;
	static const char text[] = "extensions = ( { type = \"plain\"; name = "
				   "\"a\"; } );\n" SERVER;
	const struct fake_conf *conf;

	(void)state;
	t = try_bytes(text, strlen(text), &over);
	assert_names(&t, "a ");
	conf = conf_extension_at(t.conf, 0)->conf;
	assert_int_equal(conf->number, 4);
	try_end(&t);
}

/* Also where a server has no list of its own. */
static void
test_a_stage_stands_first(void **state)
{
	struct trial t = try_text("extensions = ( \"guards\" );\n"
				  "servers = ( { middlewares = ( \"echo\" ); "
				  "}, { listen = \"127.0.0.1:1\"; } );");
	const struct conf_server *server;

	(void)state;
	assert_names(&t, "guards ");
	server = conf_server_at(t.conf, 0);
	assert_int_equal(server->stages.n, 2);
	assert_ptr_equal(conf_stage_at(server, 0)->mw, &fake_guard);
	assert_ptr_equal(conf_stage_at(server, 0)->conf,
		conf_extension_at(t.conf, 0)->conf);
	assert_string_equal(conf_stage_at(server, 0)->name, "guards");
	assert_string_equal(conf_stage_at(server, 1)->name, "echo");
	server = conf_server_at(t.conf, 1);
	assert_int_equal(server->stages.n, 1);
	assert_ptr_equal(conf_stage_at(server, 0)->mw, &fake_guard);
	try_end(&t);
}

#define WANTS(options)                                                         \
	"servers = ( { name = \"s\"; middlewares = ( { type = "                \
	"\"wants\"; " options " } ); } );"

/* A middleware says which extension it works with. */
static void
test_who_is_wanted_is_there(void **state)
{
	struct trial t =
		try_text("extensions = ( \"shares\", \"plain\" );\n" WANTS(
			"any = \"plain\";"));

	(void)state;
	assert_names(&t, "shares plain ");
	try_end(&t);
	t = try_text("extensions = ( { type = \"shares\"; name = \"x\"; } "
		     ");\n" WANTS("table = \"x\";"));
	assert_names(&t, "x ");
	try_end(&t);
	assert_refused(WANTS(""),
		"weir.conf:1: servers.s.middlewares[0] (wants): option "
		"\"table\" = \"shares\": there is no extension of that name: "
		"extensions = ( { type = \"shares\"; ... } )");
	assert_refused("extensions = ( \"shares\" );\n" WANTS("table = \"y\";"),
		"weir.conf:2: servers.s.middlewares[0] (wants): option "
		"\"table\" = \"y\": there is no extension of that name");
	assert_refused("extensions = ( \"shares\", \"plain\" );\n" WANTS(
			       "table = \"plain\";"),
		"option \"table\" = \"plain\": that extension is of another "
		"type than shares");
	/* What is wrong with the extensions is said, and no more. */
	t = try_text("extensions = ( \"shared\" );\n" WANTS(""));
	assert_null(t.conf);
	assert_null(strstr(t.said, "there is no extension of that name"));
	try_end(&t);
}

/* ---- services ------------------------------------------------------------ */

/* Starts and stops all of them; what that was. */
static int
run(struct trial *t, struct services *s)
{
	struct heritage h = { .conf = t->conf };
	struct event_base *base = event_base_new();
	int rc, err;

	told[0] = '\0';
	rc = services_init(s, &h, WEIR_IN_WORKER, base);
	err = errno;
	if (rc == 0)
		services_done(s);
	event_base_free(base);
	errno = err;
	return rc;
}

static void
test_start_in_order_stop_in_reverse(void **state)
{
	struct trial t = try_text("extensions = ( { type = \"plain\"; name = "
				  "\"a\"; }, { type = \"plain\"; name = "
				  "\"b\"; } );" SERVER);
	struct services s;

	(void)state;
	assert_names(&t, "a b ");
	assert_int_equal(run(&t, &s), 0);
	assert_string_equal(told, "+a +b -b -a ");
	try_end(&t);
}

static void
test_one_that_cannot_start(void **state)
{
	struct trial t =
		try_text("extensions = ( { type = \"plain\"; name = \"a\"; },"
			 " { type = \"plain\"; name = \"b\"; word = \"bad\"; },"
			 " { type = \"plain\"; name = \"c\"; } );" SERVER);
	struct services s;

	(void)state;
	assert_names(&t, "a b c ");
	assert_int_equal(run(&t, &s), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_string_equal(told, "+a +b -a ");
	try_end(&t);
}

static void
test_an_optional_one_is_absent(void **state)
{
	struct trial t = try_text(
		"extensions = ( { type = \"plain\"; name = \"a\"; optional = "
		"true; word = \"bad\"; }, { type = \"plain\"; name = \"b\"; } "
		");" SERVER);
	struct heritage h = { .conf = t.conf };
	struct event_base *base = event_base_new();
	struct services s;

	(void)state;
	assert_names(&t, "a b ");
	told[0] = '\0';
	assert_int_equal(services_init(&s, &h, WEIR_IN_WORKER, base), 0);
	assert_null(services_find(&s, "a"));
	assert_non_null(services_find(&s, "b"));
	assert_null(services_find(&s, "c"));
	services_done(&s);
	assert_string_equal(told, "+a +b -b ");
	event_base_free(base);
	try_end(&t);
}

/* Each has its own tables, in its own order, under names of its own. */
static void
test_tables_are_where_they_belong(void **state)
{
	struct trial t = try_text(
		"extensions = ( { type = \"shares\"; name = \"a\"; number = 3; "
		"}, \"plain\", { type = \"shares\"; name = \"b\"; number = 1; }"
		");" SERVER);
	struct heritage h = { .conf = t.conf };
	struct event_base *base = event_base_new();
	struct weir_service *a, *b;
	struct tables tables = { 0 };
	struct services s;
	struct shm shm;

	(void)state;
	assert_names(&t, "a plain b ");
	assert_int_equal(shm_init(&shm, 8 << 20), 0);
	assert_int_equal(tables_open(&tables, &shm, t.conf, 2), 0);
	assert_int_equal(tables.n, 4);
	assert_string_equal(tables.v[0].name, "a");
	assert_string_equal(tables.v[2].name, "a.c");
	assert_string_equal(tables.v[3].name, "b");
	assert_true(tables.v[3].fresh);
	h.tables = tables.v;
	h.ntables = tables.n;
	h.owner = owner_begin(shm_owners(&shm));
	assert_int_equal(services_init(&s, &h, WEIR_IN_WORKER, base), 0);
	a = services_find(&s, "a");
	b = services_find(&s, "b");
	assert_int_equal(a->ntables, 3);
	assert_ptr_equal(a->tables[2], tables.v[2].table);
	assert_int_equal(b->ntables, 1);
	assert_ptr_equal(b->tables[0], tables.v[3].table);
	assert_int_equal(services_find(&s, "plain")->ntables, 0);
	assert_int_equal(a->tables[0]->me, h.owner);
	services_done(&s);
	tables_done(&tables);
	shm_done(&shm);
	event_base_free(base);
	try_end(&t);
}

/* Those of the same name and columns are the same memory; others begin anew. */
static void
test_tables_over_a_reload(void **state)
{
	static const char same[] = "extensions = ( { type = \"shares\"; name = "
				   "\"a\"; number = 2; } );" SERVER;
	struct trial t = try_text(same), u = try_text(same);
	struct tables old = { 0 }, new = { 0 };
	struct shm shm;

	(void)state;
	assert_int_equal(shm_init(&shm, 8 << 20), 0);
	assert_int_equal(tables_open(&old, &shm, t.conf, 2), 0);
	assert_int_equal(tables_open(&new, &shm, u.conf, 3), 0);
	/* As long as none of their keepers has read its file. */
	assert_true(new.v[0].fresh);
	tables_done(&new);
	tables_filled(&old);
	assert_int_equal(tables_open(&new, &shm, u.conf, 3), 0);
	assert_false(new.v[0].fresh);
	assert_ptr_equal(new.v[0].table->zone, old.v[0].table->zone);
	assert_true(tables_have(&old, new.v[1].table->zone));
	tables_done(&new);
	/* Room for so many more holders makes other rows. */
	assert_int_equal(tables_open(&new, &shm, u.conf, 40), 0);
	assert_true(new.v[0].fresh);
	assert_false(tables_have(&old, new.v[0].table->zone));
	tables_done(&new);
	tables_done(&old);
	shm_done(&shm);
	try_end(&t);
	try_end(&u);
}

static void
test_no_room_for_a_table(void **state)
{
	struct trial t = try_text("extensions = ( { type = \"shares\"; name = "
				  "\"a\"; number = 3; } );" SERVER);
	struct tables tables = { 0 };
	struct shm shm;
	bool fresh;

	(void)state;
	assert_int_equal(shm_init(&shm, 4 << 20), 0);
	while (shm_zone_open(&shm, "hog", shm_taken(&shm), SHM_EXTENT,
		       &fresh) != NULL &&
		shm_taken(&shm) < 250)
		;
	while (shm_take(&shm, SHM_OWNER(1, 1)) != 0)
		;
	assert_int_equal(tables_open(&tables, &shm, t.conf, 2), -1);
	tables_done(&tables);
	shm_done(&shm);
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_replacement_and_removal),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_settings_have_their_names),
		cmocka_unit_test(test_a_stage_stands_first),
		cmocka_unit_test(test_who_is_wanted_is_there),
		cmocka_unit_test(test_start_in_order_stop_in_reverse),
		cmocka_unit_test(test_one_that_cannot_start),
		cmocka_unit_test(test_an_optional_one_is_absent),
		cmocka_unit_test(test_tables_are_where_they_belong),
		cmocka_unit_test(test_tables_over_a_reload),
		cmocka_unit_test(test_no_room_for_a_table),
	};

	return cmocka_run_group_tests_name("extensions", tests, NULL, NULL);
}
