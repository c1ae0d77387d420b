/* test_socket.c - what a configuration says of sockets, as the kernel wants it;
 * and CPUs. */
#include "conf_try.h"
#include "registry_fake.h"

#include <sched.h>

#include "conf/core.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
value_of(const struct sockopts *o, enum sockopt_id id)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (o->v[i].id == id)
			return o->v[i].value;
	return 0;
}

static void
assert_shared(const struct sockopts *o)
{
	assert_int_equal(value_of(o, SOCKOPT_NODELAY), 0);
	assert_int_equal(value_of(o, SOCKOPT_SNDBUF), 262144);
	assert_int_equal(value_of(o, SOCKOPT_RCVBUF), 131072);
	assert_int_equal(value_of(o, SOCKOPT_KEEPALIVE), 1);
	assert_int_equal(value_of(o, SOCKOPT_KEEPIDLE), 60);
	assert_int_equal(value_of(o, SOCKOPT_KEEPINTVL), 10);
	assert_int_equal(value_of(o, SOCKOPT_KEEPCNT), 6);
	assert_int_equal(value_of(o, SOCKOPT_USER_TIMEOUT), 30500);
}

#define SHARED                                                                 \
	"nodelay = false; sndbuf = \"256k\"; rcvbuf = \"128k\";"               \
	"keepalive = true; keepalive_idle = \"1m\";"                           \
	"keepalive_interval = 10; keepalive_count = 6;"                        \
	"user_timeout = \"30500ms\";"

static void
test_all_options(void **state)
{
	struct trial t = try_text(
		"servers = ( { listen = ( \"127.0.0.1:1\", { address = "
		"\"127.0.0.1:2\"; defer_accept = \"3s\"; fastopen = 64;"
		"transparent = true; " SHARED " } );"
		"backend = { fastopen = true; mark = 4294967295L;"
		"transparent = \"source\"; source = [ \"127.0.0.2:0\", "
		"\"[::1]:0\" ]; " SHARED "}; middlewares = \"sni\"; } );");
	const struct conf_server *s;
	const struct sockopts *o;

	(void)state;
	assert_string_equal(t.said, "");
	s = conf_server_at(t.conf, 0);
	o = &conf_listen_at(s, 0)->options;
	assert_int_equal(o->n, 1);
	assert_int_equal(value_of(o, SOCKOPT_NODELAY), 1);
	o = &conf_listen_at(s, 1)->options;
	assert_shared(o);
	assert_int_equal(value_of(o, SOCKOPT_DEFER_ACCEPT), 3);
	assert_int_equal(value_of(o, SOCKOPT_FASTOPEN), 64);
	assert_int_equal(value_of(o, SOCKOPT_TRANSPARENT), 1);
	assert_int_equal(value_of(o, SOCKOPT_TRANSPARENT6), 1);
	o = &s->backend.options;
	assert_shared(o);
	assert_int_equal(value_of(o, SOCKOPT_MARK), -1);
	assert_int_equal(value_of(o, SOCKOPT_TRANSPARENT), 1);
	assert_int_equal(value_of(o, SOCKOPT_FASTOPEN_CONNECT), 0);
	assert_true(s->backend.fastopen);
	assert_int_equal(s->backend.source.n, 2);
	try_end(&t);
}

/* A connection costs one call for options, the one that it has always had. */
static void
test_defaults(void **state)
{
	struct trial t = try_text("servers = ( { } );");
	const struct conf_server *s;

	(void)state;
	assert_string_equal(t.said, "");
	s = conf_server_at(t.conf, 0);
	assert_int_equal(s->backend.options.n, 1);
	assert_int_equal(value_of(&s->backend.options, SOCKOPT_NODELAY), 1);
	assert_false(s->backend.fastopen);
	assert_int_equal(s->backend.source.n, 0);
	assert_int_equal(t.conf->process.cpus.n, 0);
	try_end(&t);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *server, *said;
	} rows[] = {
		{ "listen = ( { address = \"unix:a\";\nnodelay = true; } )",
			"weir.conf:2: servers.server0.listen[0]: option "
			"\"nodelay\" is for IP addresses, not for unix:a" },
		{ "listen = ( \"127.0.0.1:1\", { address = \"unix:a\";\n"
		  "sndbuf = \"64k\"; } )",
			"weir.conf:2: servers.server0.listen[1]: option "
			"\"sndbuf\" is for IP addresses, not for unix:a" },
		{ "listen = ( { address = \"127.0.0.1:1\";\n"
		  "defer_accept = 1; } ); middlewares = \"echo\"",
			"weir.conf:2: servers.server0.listen[0]: option "
			"\"defer_accept\": no middleware of this server wants "
			"client bytes" },
		{ "listen = ( { address = \"127.0.0.1:1\";\n"
		  "defer_accept = 1; } ); middlewares = ( \"sni\", "
		  "{ type = \"every\"; name = \"e\"; flag = true; } )",
			"weir.conf:2: servers.server0.listen[0]: option "
			"\"defer_accept\": middleware \"e\" lets the backend "
			"speak first when a client is silent" },
		{ "backend = {\nkeepalive_idle = 60; }",
			"weir.conf:2: servers.server0.backend: option "
			"\"keepalive_idle\" does nothing without keepalive = "
			"true" },
		{ "backend = { keepalive = true;\nkeepalive_idle = "
		  "\"1500ms\"; }",
			"weir.conf:2: servers.server0.backend: option "
			"\"keepalive_idle\" is a number of whole seconds" },
		{ "backend = {\nsource = \"unix:a\"; }",
			"weir.conf:2: servers.server0.backend: option "
			"\"source\" wants IP addresses" },
		{ "backend = { transparent = \"client\";\n"
		  "source = \"127.0.0.1:0\"; }",
			"weir.conf:2: servers.server0.backend: option "
			"\"source\" and transparent = \"client\" exclude" },
		{ "backend = { transparent = \"client\"; };\n"
		  "listen = \"unix:a\"",
			"weir.conf:2: servers.server0.listen[0]: clients of "
			"unix:a have no IP address" },
		{ "backend = { sndbuf = \"2G\"; }", "out of range 1k..1G" },
		{ "backend = { mark = 4294967296L; }", "out of range" },
		{ "backend = { transparent = \"cleint\"; }",
			"did you mean \"client\"?" },
		{ "nodelay = false", "it belongs in servers.listen" },
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "servers = ( { %s; } );",
			rows[i].server);
		assert_refused(text, rows[i].said);
	}
}

/* ---- CPUs ---------------------------------------------------------------- */

static struct trial
try_cpus(const char *value)
{
	char text[256];

	snprintf(text, sizeof(text),
		"servers = ( { } ); process = { cpu_affinity = %s; };", value);
	return try_text(text);
}

/* The first CPU that we may use, and how many there are. */
static int
first_cpu(int *count)
{
	cpu_set_t set;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	*count = CPU_COUNT(&set);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static void
test_cpus(void **state)
{
	int count, first = first_cpu(&count);
	const char *const forms[] = { "%d", "\"%d\"", "( \"%d-%d\" )",
		"[ %d ]" };
	const char *const offs[] = { "false", "\"off\"" };
	char value[64];
	struct trial t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(offs); i++) {
		t = try_cpus(offs[i]);
		assert_string_equal(t.said, "");
		assert_int_equal(t.conf->process.cpus.n, 0);
		try_end(&t);
	}
	t = try_cpus("\"auto\"");
	assert_string_equal(t.said, "");
	assert_int_equal(t.conf->process.cpus.n, count);
	assert_int_equal(((const int *)t.conf->process.cpus.v)[0], first);
	try_end(&t);
	for (i = 0; i < COUNT(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(value, sizeof(value), forms[i], first, first);
#pragma GCC diagnostic pop
		t = try_cpus(value);
		assert_string_equal(t.said, "");
		assert_int_equal(t.conf->process.cpus.n, 1);
		assert_int_equal(
			((const int *)t.conf->process.cpus.v)[0], first);
		try_end(&t);
	}
}

static size_t
count_cpus(const char *value)
{
	struct trial t = try_cpus(value);
	size_t n;

	assert_string_equal(t.said, "");
	n = t.conf->process.cpus.n;
	try_end(&t);
	return n;
}

static void
test_ranges_of_cpus(void **state)
{
	int count, first = first_cpu(&count);
	char value[64];

	(void)state;
	snprintf(value, sizeof(value), "\"%d,%d\"", first, first);
	assert_int_equal(count_cpus(value), 2);
	snprintf(value, sizeof(value), "\"%d-%d,%d\"", first, first, first);
	assert_int_equal(count_cpus(value), 2);
	snprintf(value, sizeof(value), "( \"%d,%d-%d\", %d )", first, first,
		first, first);
	assert_int_equal(count_cpus(value), 3);
}

/* What the manual offers is what is understood: at worst such a CPU is not
 * there.  Lists as [ 0, 2 ], ranges in quotes. */
static void
test_examples_of_the_help(void **state)
{
	const struct weir_opt *row =
		option_find(option_find(core_rows, "process", 7)->rows->opts,
			"cpu_affinity", 12);
	const char *at = row->help, *end;
	char value[64];
	struct trial t;
	unsigned n = 0;

	(void)state;
	while ((at = strpbrk(at, "[\"")) != NULL) {
		end = strchr(at + 1, *at == '[' ? ']' : '"');
		assert_non_null(end);
		snprintf(value, sizeof(value), "%.*s", (int)(end + 1 - at), at);
		t = try_cpus(value);
		if (strstr(t.said, "write \"auto\"") != NULL)
			fail_msg("%s: %s", value, t.said);
		try_end(&t);
		at = end + 1;
		n++;
	}
	assert_int_equal(n, 2);
}

static void
test_no_such_cpu(void **state)
{
	static const char *const wrong[] = { "\"\"", "\"1-\"", "\"-1\"",
		"\"0-x\"", "true", "( \"auto\", 0 )", "\"3-1\"", "\"9999999\"",
		"\"0 1\"", "\"0,\"", "\",0\"", "\"0,,0\"", "\"0-0-0\"" };
	struct trial t = try_cpus("1023");
	size_t i;

	(void)state;
	assert_null(t.conf);
	assert_non_null(strstr(t.said,
		"weir.conf:1: process: option \"cpu_affinity\" = \"1023\": "
		"there is no CPU 1023 that weir may use (it may use "));
	try_end(&t);
	for (i = 0; i < COUNT(wrong); i++) {
		t = try_cpus(wrong[i]);
		if (t.conf != NULL ||
			strstr(t.said, "write \"auto\", false, or") == NULL)
			fail_msg("%s: %s", wrong[i], t.said);
		try_end(&t);
	}
	t = try_cpus("999999");
	assert_non_null(strstr(t.said, "there is no CPU 999999"));
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_ranges_of_cpus),
		cmocka_unit_test(test_examples_of_the_help),
		cmocka_unit_test(test_no_such_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
