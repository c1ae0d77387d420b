/* test_option.c - values of every type, and what is said of wrong ones. */
#include "conf_try.h"
#include "registry_fake.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An entry of type "every" with these options. */
static struct trial
every(const char *options)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"servers = ( { name = \"s\"; middlewares = ( { type = "
		"\"every\"; %s } ); } );",
		options);
	return try_text(text);
}

static void
test_every_type_takes_its_values(void **state)
{
	struct trial t = every(
		"flag = \"true\"; number = \"-7\"; size = \"1k\"; time = 2;"
		"colour = \"blue\"; word = \"\"; words = ( \"x\", \"y\" );"
		"address = \"[::1]:5\"; addresses = \"10.0.0.1:1\";"
		"networks = [ \"10.0.0.0/8\", \"::1\" ]; file = \"/x\";"
		"parts = ( \"a\", { name = \"b\"; weight = 3; } );");
	const struct fake_every *c;
	const struct fake_part *parts;

	(void)state;
	assert_string_equal(t.said, "");
	c = conf_stage_at(conf_server_at(t.conf, 0), 0)->conf;
	assert_true(c->flag);
	assert_true(c->number == -7);
	assert_int_equal(c->size, 1024);
	assert_int_equal(c->time_ms, 2000);
	assert_int_equal(c->colour, 2);
	assert_string_equal(c->word, "");
	assert_int_equal(c->words.n, 2);
	assert_string_equal(((const char **)c->words.v)[1], "y");
	assert_int_equal(c->address.in6.sin6_port, htons(5));
	assert_int_equal(c->addresses.n, 1);
	assert_int_equal(c->networks.n, 2);
	assert_int_equal(((struct weir_cidr *)c->networks.v)[0].bits, 104);
	assert_string_equal(c->file->text, "/x");
	assert_int_equal(c->parts.n, 2);
	parts = c->parts.v;
	assert_string_equal(parts[0].name, "a");
	assert_true(parts[0].weight == 1);
	assert_true(parts[1].weight == 3);
	try_end(&t);
}

static void
test_defaults_are_read_as_if_written(void **state)
{
	struct trial t = every("");
	const struct fake_every *c;

	(void)state;
	assert_string_equal(t.said, "");
	c = conf_stage_at(conf_server_at(t.conf, 0), 0)->conf;
	assert_true(c->number == 7);
	assert_int_equal(c->size, 65536);
	assert_int_equal(c->time_ms, 30000);
	assert_int_equal(c->colour, 1);
	assert_int_equal(c->words.n, 2);
	assert_int_equal(c->addresses.n, 0);
	assert_int_equal(c->networks.n, 2);
	assert_string_equal(c->file->text, "stderr");
	assert_int_equal(c->parts.n, 0);
	try_end(&t);
}

static void
test_off_and_zero_mean_none(void **state)
{
	static const char *const texts[] = { "time = \"off\";", "time = 0;",
		"time = \"0\";", "time = \"0s\";" };
	struct trial t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		t = every(texts[i]);
		assert_string_equal(t.said, "");
		assert_string_equal(
			setting_of(t.conf, "servers.s.middlewares.every.time")
				->value,
			"off");
		try_end(&t);
	}
}

static const struct {
	const char *options;
	const char *said;
} messages[] = {
	{ "too = 1;", "weir.conf:1: servers.s.middlewares[0] (every): "
		      "unknown option \"too\"" },
	{ "number = 65536;", "option \"number\" = \"65536\": out of "
			     "range -10..65535" },
	{ "size = \"8\";", "option \"size\" = \"8\": out of range "
			   "16..1M" },
	{ "time = \"2h\";", "out of range 10ms..1h" },
	{ "time = \"-3s\";", "option \"time\" = \"-3s\": negative" },
	{ "time = true;", "option \"time\" wants a time such as "
			  "\"300ms\" or \"30s\", or \"off\", not a "
			  "boolean" },
	{ "size = \"off\";", "not a size" },
	{ "flag = \"yes\";", "option \"flag\" = \"yes\": not true or "
			     "false" },
	{ "colour = \"gren\";", "(did you mean \"green\"?)" },
	{ "colour = \"mauve!\";", "not \"red\", \"green\" or "
				  "\"blue\"" },
	{ "colour = 1;", "wants \"red\", \"green\" or \"blue\", not an "
			 "integer" },
	{ "words = ( \"x\", 1 );", "wants a string, not an integer" },
	{ "words = ( );", "option \"words\" is empty: Strings." },
	{ "words = { };", "wants a string, not a group" },
	{ "address = \"localhost:80\";",
		"option \"address\" = \"localhost:80\": names that "
		"need DNS are not built in yet; write an IP address" },
	{ "addresses = \"db\";", "upstreams are not built in yet" },
	{ "networks = \"10.0.0.1/8\";", "the network is \"10.0.0.0/8\"" },
	{ "networks = \"fd00::1:1/112\";", "network is \"fd00::1:0/112\"" },
	{ "networks = \"10.1.2.3/0\";", "the network is \"0.0.0.0/0\"" },
	{ "networks = \"10.0.0.0/8, 11.0.0.0/8\";", "holds one network" },
	{ "networks = \"10.0.0.0/255.0.0.0\";", "a number of bits" },
	{ "networks = \"[::1]\";", "stands without brackets" },
	{ "networks = \"10.0.0.0/33\";", "0 to 32" },
	{ "networks = \"here\";", "not a network" },
	{ "file = \"\";", "option \"file\" = \"\": empty" },
	{ "part = { };", "option \"part\" is not built in yet" },
	{ "parts = ( \"a\", \"b\", \"c\", \"d\" );",
		"option \"parts\" has 4 entries, out of range 0..3" },
	{ "parts = ( { } );",
		"parts[0]: option \"name\" is missing: What it is "
		"called." },
	{ "parts = ( 1 );", "parts[0]: wants a group { ... } or a "
			    "string, not an integer" },
	{ "parts = \"ninechars\";", "must be 1 to 8 bytes long" },
	{ "parts = { name = \"x\"; wieght = 1; };", "(did you mean "
						    "\"weight\"?)" },
	{ "workers = 1;", "unknown option \"workers\" (it belongs in "
			  "process)" },
	{ "backlog = 1;", "(it belongs in servers.listen)" },
	{ "completely = 1;", "(there are: type, name, enabled, order, when, "
			     "flag, number," },
	{ "word = \"bad\";",
		"weir.conf:1: servers.s.middlewares[0] (every): word "
		"\"bad\" does not go with number 7" },
	{ "word = \"silent\";", "(every): its options do not fit together" },
	{ "word = \"a\\nb\"; number = \"a\\nb\";",
		"\"a?b\": not a whole number" },
};

static void
test_messages(void **state)
{
	struct trial t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(messages); i++) {
		t = every(messages[i].options);
		if (t.conf != NULL || strstr(t.said, messages[i].said) == NULL)
			fail_msg("%s\nwanted: %s\nsaid: %s",
				messages[i].options, messages[i].said, t.said);
		assert_places(t.said);
		try_end(&t);
	}
}

static void
test_all_errors_are_told_in_their_order(void **state)
{
	struct trial t =
		try_text("servers = ( {\n idle_timeout = \"x\";\n"
			 " middlewares = ( { type = \"ech\"; },\n"
			 " { type = \"forward\";\n too = 1; } ); } );\n"
			 "process = {\n workers = -1; };");

	(void)state;
	assert_null(t.conf);
	assert_string_equal(t.said,
		"weir.conf:2: servers.server0: option \"idle_timeout\" = "
		"\"x\": not a time; write \"300ms\", \"30s\", \"10m\", \"1h\" "
		"or \"1d\"\n"
		"weir.conf:3: servers.server0.middlewares[0] (ech): unknown "
		"middleware \"ech\" (did you mean \"echo\"?)\n"
		"weir.conf:4: servers.server0.middlewares[1] (forward): option "
		"\"to\" is missing: Backends, tried in this order.\n"
		"weir.conf:5: servers.server0.middlewares[1] (forward): "
		"unknown option \"too\" (did you mean \"to\"?)\n"
		"weir.conf:7: process: option \"workers\" = \"-1\": out of "
		"range 0..1024\n");
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_takes_its_values),
		cmocka_unit_test(test_defaults_are_read_as_if_written),
		cmocka_unit_test(test_off_and_zero_mean_none),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_all_errors_are_told_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
