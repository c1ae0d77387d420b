/* test_logfile.c - the log files that a configuration names, each once. */
#include "conf_try.h"
#include "registry_fake.h"

static const struct fake_every *
every_at(const struct conf *conf, size_t i)
{
	return conf_stage_at(conf_server_at(conf, 0), i)->conf;
}

static void
test_each_file_has_a_number(void **state)
{
	struct trial t = try_text(
		"log = { target = \"/a\"; };\n"
		"servers = ( { middlewares = (\n"
		"  { type = \"every\"; name = \"x\"; file = \"/b\"; },\n"
		"  { type = \"every\"; name = \"y\"; file = \"/a\"; },\n"
		"  { type = \"every\"; name = \"z\"; file = \"syslog\"; },\n"
		"  { type = \"every\"; name = \"w\"; file = \"/b\"; } ); } );");

	(void)state;
	assert_string_equal(t.said, "");
	assert_int_equal(t.conf->logfiles.n, 3);
	assert_string_equal(conf_logfile_at(t.conf, 0)->text, "/a");
	assert_string_equal(conf_logfile_at(t.conf, 1)->text, "/b");
	assert_string_equal(conf_logfile_at(t.conf, 2)->text, "syslog");
	assert_int_equal(t.conf->log.target->index, 0);
	assert_int_equal(every_at(t.conf, 0)->file->index, 1);
	assert_int_equal(every_at(t.conf, 1)->file->index, 0);
	assert_int_equal(every_at(t.conf, 2)->file->index, 2);
	assert_int_equal(every_at(t.conf, 3)->file->index, 1);
	try_end(&t);
}

/* What nobody writes to is not opened. */
static void
test_entries_that_are_gone_have_none(void **state)
{
	struct trial t = try_text(
		"servers = ( { middlewares = (\n"
		"  { type = \"every\"; name = \"x\"; file = \"/old\"; },\n"
		"  { type = \"every\"; name = \"x\"; file = \"/new\"; },\n"
		"  { type = \"every\"; name = \"y\"; file = \"/off\"; },\n"
		"  { name = \"y\"; enabled = false; } ); } );");

	(void)state;
	assert_string_equal(t.said, "");
	assert_int_equal(t.conf->logfiles.n, 2);
	assert_string_equal(conf_logfile_at(t.conf, 0)->text, "stderr");
	assert_string_equal(conf_logfile_at(t.conf, 1)->text, "/new");
	try_end(&t);
}

static void
test_a_file_has_a_name(void **state)
{
	struct trial t = try_text("log = { target = \"\"; };\n"
				  "servers = ( { } );");

	(void)state;
	assert_null(t.conf);
	assert_non_null(strstr(t.said, "option \"target\" = \"\": empty"));
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_file_has_a_number),
		cmocka_unit_test(test_entries_that_are_gone_have_none),
		cmocka_unit_test(test_a_file_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
