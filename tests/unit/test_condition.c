/* test_condition.c - what conditions mean, and what is said of wrong ones. */
#include <bsd/string.h>

#include "conf_try.h"
#include "registry_fake.h"

#include "call_fake.h"
#include "conf/condition.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEN(s)	 s s s s s s s s s s

static struct arena arena;
static const struct conf_stage stages[] = {
	{ .mw = &fake_geo, .name = "geo" },
	{ .mw = &fake_geo, .name = "far.geo" },
	{ .mw = &fake_echo, .name = "echo" },
	{ .mw = &fake_geo, .name = "twin" },
	{ .mw = &fake_geo, .name = "twin" },
};
static const struct variable_scope scope = { &arena, stages, COUNT(stages),
	false };

static int
start(void **state)
{
	(void)state;
	fake_facts = (struct weir_facts){ .id = 7,
		.server = "pg",
		.listen = "127.0.0.1:5432",
		.client = fake_addr("[::ffff:10.1.2.3]:40000"),
		.age_ms = 1500 };
	fake_locals[WEIR_FRONTEND] = fake_addr("unix:/run/x.sock");
	fake_locals[WEIR_BACKEND] = (struct weir_addr){ .len = 0 };
	fake_contexts[0] = "de";
	fake_contexts[1] = NULL;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct {
	const char *text;
	bool holds;
} good[] = {
	{ "channel.id == 7", true },
	{ "channel.id==7", true },
	{ "\tchannel.id\n==\r7 ", true },
	{ "channel.id != 7", false },
	{ "channel.id < 7", false },
	{ "channel.id <= 7", true },
	{ "channel.id > 6", true },
	{ "channel.id >= 8", false },
	{ "channel.id in [1, 7, 9]", true },
	{ "channel.id in [1, 9]", false },
	{ "channel.id in 7", true },
	{ "channel.age_ms > 9223372036854775807", false },
	{ "server.name == 'pg'", true },
	{ "server.name == 'pgx'", false },
	{ "server.name != 'PG'", true },
	{ "server.name starts 'p'", true },
	{ "server.name starts ''", true },
	{ "server.name starts 'pgpgpg'", false },
	{ "server.name ends 'g'", true },
	{ "server.name ends 'p'", false },
	{ "server.name ends 'xpg'", false },
	{ "server.name in ['a', 'pg']", true },
	{ "server.name in ['a', 'b''c']", false },
	/* Precedence: not, and, or. */
	{ "channel.id == 7 or channel.id == 1 and channel.id == 2", true },
	{ "(channel.id == 7 or channel.id == 1) and channel.id == 2", false },
	{ "channel.id == 2 and channel.id == 1 or channel.id == 7", true },
	{ "not channel.id == 7 and channel.id == 1", false },
	{ "not channel.id == 1 and channel.id == 7", true },
	{ "not (channel.id == 7 and channel.id == 1)", true },
	{ "not channel.id == 7 or channel.id == 7", true },
	{ "not not channel.id == 7", true },
	{ "channel.id == 1 or channel.id == 2 or channel.id == 7", true },
	{ "channel.id < 9 and channel.id < 8 and channel.id < 7", false },
	{ "((((channel.id == 7))))", true },
	/* v4-mapped addresses are the IPv4 ones. */
	{ "client.ip == 10.1.2.3", true },
	{ "client.ip == ::ffff:10.1.2.3", true },
	{ "client.ip == '10.1.2.3'", true },
	{ "client.ip != 10.1.2.3", false },
	{ "client.ip == 10.1.2.4", false },
	{ "client.ip in 10.0.0.0/8", true },
	{ "client.ip in ::ffff:10.0.0.0/104", true },
	{ "client.ip in [11.0.0.0/8, ::1]", false },
	{ "client.ip in [11.0.0.0/8, 10.1.2.0/23]", true },
	{ "client.ip in 10.1.2.2/31", true },
	{ "client.ip in 10.1.2.4/31", false },
	{ "client.ip in 0.0.0.0/0", true },
	{ "client.ip in ::/0", false },
	{ "client.ip in all", true },
	{ "local.addr in ::/0", false },
	{ "local.addr in all", true },
	{ "client.ip in fd00::/8", false },
	{ "client.ip starts '10.1.'", true },
	{ "client.addr == 10.1.2.3:40000", true },
	{ "client.addr == '[::ffff:10.1.2.3]:40000'", true },
	{ "client.addr == 10.1.2.3:40001", false },
	{ "client.addr != 'unix:/x'", true },
	{ "client.addr in 10.0.0.0/8", true },
	{ "client.addr ends ':40000'", true },
	{ "client.port == 40000", true },
	{ "local.addr == 'unix:/run/x.sock'", true },
	{ "local.addr == 'unix:/run/x.soc'", false },
	{ "local.addr starts 'unix:/run/'", true },
	{ "local.addr in 0.0.0.0/0", false },
	{ "local.addr in all", true },
	{ "client.ip in all", true },
	{ "client.ip in [fd00::/8, all]", true },
	{ "local.ip in all", false },
	/* What there is not equals nothing. */
	{ "local.ip == 127.0.0.1", false },
	{ "local.ip != 127.0.0.1", false },
	{ "not local.ip == 127.0.0.1", true },
	{ "local.port < 1", false },
	{ "local.port >= 0", false },
	{ "backend.addr != 10.0.0.1:1", false },
	{ "backend.local starts ''", false },
	{ "end.reason == 'none'", false },
	{ "end.reason in ['none', 'done']", false },
	{ "far.geo.country == 'de'", false },
	{ "far.geo.country != 'de'", false },
	/* Variables of middlewares. */
	{ "geo.country == 'de'", true },
	{ "geo.known", true },
	{ "not geo.known", false },
	{ "geo.known == true", true },
	{ "geo.known != false", true },
	{ "far.geo.known", false },
	{ "far.geo.known == false", true },
	{ "geo.known and not far.geo.known", true },
	/* One that breaks its promise has no value. */
	{ "geo.wrong >= 0", false },
};

static void
test_what_conditions_mean(void **state)
{
	struct variable_fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		struct weir_condition k = { .text = good[i].text };

		if (condition_compile(&k, &scope, &fault) == -1)
			fail_msg(
				"%s: %zu: %s", k.text, fault.column, fault.why);
		if (weir_condition_holds(&fake_call, &k) != good[i].holds)
			fail_msg("%s: not %d", k.text, good[i].holds);
	}
	assert_true(weir_condition_holds(&fake_call, NULL));
}

static const struct {
	const char *text;
	size_t column;
	const char *why;
} bad[] = {
	{ "", 1, "wants a variable, \"not\" or \"(\", not the end" },
	{ "   ", 4, "wants a variable, \"not\" or \"(\", not the end" },
	{ "and", 1, "wants a variable, \"not\" or \"(\", not \"and\"" },
	{ "'x' == server.name", 1,
		"the variable comes first, as in \"client.port > 1024\"" },
	{ "1024 > client.port", 1,
		"the variable comes first, as in \"client.port > 1024\"" },
	{ "::1 == client.ip", 1,
		"the variable comes first, as in \"client.port > 1024\"" },
	{ "true", 1,
		"\"true\" alone is no condition; a variable is compared with "
		"it" },
	{ "geo.known AND geo.known", 11, "write \"and\", in small letters" },
	{ "geo.known Or geo.known", 11, "write \"or\", in small letters" },
	{ "(geo.known OR geo.known)", 12, "write \"or\", in small letters" },
	{ "client.ip AND geo.known", 11, "write \"and\", in small letters" },
	{ "NOT geo.known", 1, "write \"not\", in small letters" },
	{ "client.ip IN ::1", 11, "write \"in\", in small letters" },
	{ "geo.known == TRUE", 14, "write \"true\", in small letters" },
	{ "client.ip not in ::1", 11,
		"\"not\" goes ahead: write \"not client.ip in ...\"" },
	{ "%{client.ip} in ::1", 1,
		"names in a condition stand without \"%{ }\"" },
	{ "client.addr == [::1]:80", 16,
		"an address with brackets stands in single quotes, as "
		"'[::1]:80'" },
	{ "client.port != [80,443]", 16,
		"a list is compared by \"in\": write \"not client.port in "
		"[...]\"" },
	{ "client.ip in (::1, ::2)", 14,
		"a list stands in square brackets, \"[ ]\"" },
	{ "client.ip in '10.0.0.0/8, ::1'", 14,
		"\"'10.0.0.0/8, ::1'\": a string holds one network; several "
		"are a list, [ ]" },
	{ "clent.port == 1", 1,
		"unknown variable \"clent.port\" (did you mean "
		"\"client.port\"?)" },
	{ "client.prt == 1", 1,
		"unknown variable \"client.prt\" (did you mean "
		"\"client.port\"?)" },
	{ "port == 1", 1,
		"unknown variable \"port\" (there are: channel.id, "
		"channel.age_ms, server.name, listen.address, client.addr, "
		"client.ip, client.port, local.addr, local.ip, local.port, "
		"backend.addr, backend.ip, backend.port, backend.local, "
		"bytes.up, bytes.down, end.reason, end.by, end.error, "
		"end.errno, end.detail, end.module, end.why, end.at_ms, "
		"time.iso, time.unix_ms, geo.country, geo.known, geo.wrong, "
		"far.geo.country, far.geo.known, far.geo.wrong, "
		"twin.country, twin.known, twin.wrong, twin.country, "
		"twin.known, twin.wrong)" },
	{ "client.colour == 1", 1,
		"unknown variable \"client.colour\" (there are: client.addr, "
		"client.ip, client.port)" },
	{ "geo.colour == 'x'", 1,
		"unknown variable \"geo.colour\" (there are: geo.country, "
		"geo.known, geo.wrong)" },
	{ "twin.known", 1,
		"\"twin.known\" could be 2 variables: give each middleware a "
		"\"name\" of its own" },
	{ "client.port", 12,
		"\"client.port\" is a number and takes \"==\", \"!=\", \"<\", "
		"\"<=\", \">\", \">=\", \"in\", not the end" },
	{ "client.port starts 'x'", 13,
		"\"client.port\" is a number and takes \"==\", \"!=\", \"<\", "
		"\"<=\", \">\", \">=\", \"in\", not \"starts\"" },
	{ "server.name start 'x'", 13,
		"\"server.name\" is a text and takes \"==\", \"!=\", "
		"\"starts\", \"ends\", \"in\", not \"start\" (did you mean "
		"\"starts\"?)" },
	{ "server.name < 'x'", 13,
		"\"server.name\" is a text and takes \"==\", \"!=\", "
		"\"starts\", \"ends\", \"in\", not \"<\"" },
	{ "geo.known in [true]", 11,
		"\"geo.known\" is a boolean and takes \"==\", \"!=\", not "
		"\"in\"" },
	{ "geo.known == 1", 14, "wants true or false, not \"1\"" },
	{ "geo.known 7", 11, "wants \"and\", \"or\" or the end, not \"7\"" },
	{ "client.port = 1", 13, "write \"==\" to compare" },
	{ "client.port == 'x'", 16, "wants a number such as 80, not \"'x'\"" },
	{ "client.port == x", 16, "wants a number such as 80, not \"x\"" },
	{ "client.port == -1", 16, "wants a number such as 80, not \"-1\"" },
	{ "client.port ==", 15, "wants a number such as 80, not the end" },
	{ "client.port == 1k", 16, "\"1k\": not a whole number" },
	{ "client.port == 99999999999999999999", 16,
		"\"99999999999999999999\": too large" },
	{ "client.port == 010", 16,
		"\"010\": written with a leading zero, which could mean "
		"octal" },
	{ "server.name == pg", 16,
		"wants a string in single quotes, not \"pg\"" },
	{ "server.name == \"pg\"", 16, "a string stands in single quotes" },
	{ "server.name == 'pg", 16,
		"the string has no single quote at its end" },
	{ "server.name == 'pg''", 16,
		"the string has no single quote at its end" },
	{ "client.ip == 10.0.0.0/8", 14,
		"\"10.0.0.0/8\": write \"in\" for a network" },
	{ "client.ip == 10.0.0", 14,
		"wants an IP address such as 127.0.0.1, not \"10.0.0\"" },
	{ "client.ip == all", 14,
		"wants an IP address such as 127.0.0.1, not \"all\"" },
	{ "client.ip in 10.0.0", 14,
		"\"10.0.0\": not a network; write \"10.0.0.0/8\", "
		"\"fd00::/8\" or \"all\"" },
	{ "client.ip in 10.0.0.1/8", 14,
		"\"10.0.0.1/8\": the address has bits set behind its prefix; "
		"the network is \"10.0.0.0/8\"" },
	{ "client.ip in [10.0.0.0/8; ::1]", 25,
		"this character has no meaning here" },
	{ "client.ip in [10.0.0.0/8 ::1]", 26,
		"wants \",\" or \"]\", not \"::1\"" },
	{ "client.ip in []", 15,
		"wants a network such as 10.0.0.0/8, not \"]\"" },
	{ "client.ip in [::1,]", 19,
		"wants a network such as 10.0.0.0/8, not \"]\"" },
	{ "client.ip in [::1", 18, "wants \",\" or \"]\", not the end" },
	{ "client.port == [1]", 16,
		"a list is compared by \"in\": write \"client.port in "
		"[...]\"" },
	{ "client.port < [1]", 15,
		"a list is compared by \"in\": write \"client.port in "
		"[...]\"" },
	{ "geo.known == [true]", 14, "wants true or false, not \"[\"" },
	{ "client.addr == 10.0.0.1", 16,
		"\"10.0.0.1\": the port is missing; write \"127.0.0.1:80\" or "
		"\"[::1]:80\"" },
	{ "(geo.known", 11, "wants \"and\", \"or\" or \")\", not the end" },
	{ "geo.known)", 10, "wants \"and\", \"or\" or the end, not \")\"" },
	{ "()", 2, "wants a variable, \"not\" or \"(\", not \")\"" },
	{ "geo.known and", 14,
		"wants a variable, \"not\" or \"(\", not the end" },
	{ "geo.known or or geo.known", 14,
		"wants a variable, \"not\" or \"(\", not \"or\"" },
	{ "geo.known && geo.known", 11, "write \"and\"" },
	{ "geo.known || geo.known", 11, "write \"or\"" },
	{ "!geo.known", 1, "write \"not\"" },
	{ "geo.known \xff", 11, "this character has no meaning here" },
	{ TEN("not ") TEN("not ") TEN("not ") "not not not geo.known", 129,
		"\"(\" and \"not\" are more than 32 levels deep" },
	{ TEN("((((") "geo.known", 33,
		"\"(\" and \"not\" are more than 32 levels deep" },
};

static void
test_what_is_said_of_wrong_ones(void **state)
{
	struct variable_fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		struct weir_condition k = { .text = bad[i].text };

		fault = (struct variable_fault){ 0, NULL };
		if (condition_compile(&k, &scope, &fault) == 0)
			fail_msg("%s: taken", k.text);
		if (fault.column != bad[i].column ||
			strcmp(fault.why, bad[i].why) != 0)
			fail_msg("%s: column %zu: %s", k.text, fault.column,
				fault.why);
	}
}

/* Every beginning is taken, or refused within the text. */
static void
test_every_truncation(void **state)
{
	struct variable_fault fault;
	size_t i, n, taken = 0;
	char *text;

	(void)state;
	for (i = 0; i < COUNT(good) + COUNT(bad); i++) {
		text = strdup(i < COUNT(good) ? good[i].text
					      : bad[i - COUNT(good)].text);
		for (n = strlen(text) + 1; n-- > 0;) {
			struct weir_condition k = { .text = text };

			text[n] = '\0';
			fault = (struct variable_fault){ 0, NULL };
			if (condition_compile(&k, &scope, &fault) == 0) {
				weir_condition_holds(&fake_call, &k);
				taken++;
				continue;
			}
			assert_non_null(fault.why);
			assert_in_range(fault.column, 1, n + 1);
		}
		free(text);
	}
	assert_true(taken > COUNT(good));
}

/* So does every change of one byte. */
static void
test_every_changed_byte(void **state)
{
	static const char bytes[] = "'()[],=<>! \n\x01\xff%a0.:/-";
	struct variable_fault fault;
	size_t i, n, j;
	char *text;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		for (n = 0; n < strlen(good[i].text); n++)
			for (j = 0; j < sizeof(bytes) - 1; j++) {
				struct weir_condition k;

				text = strdup(good[i].text);
				text[n] = bytes[j];
				k = (struct weir_condition){ .text = text };
				if (condition_compile(&k, &scope, &fault) == 0)
					weir_condition_holds(&fake_call, &k);
				else
					assert_in_range(fault.column, 1,
						strlen(text) + 1);
				free(text);
			}
}

/* A long one of many parts is refused, a little less of it is not. */
static void
test_many_parts(void **state)
{
	char text[16384] = "channel.id == 1";
	struct weir_condition k = { .text = text };
	struct variable_fault fault;
	size_t i;

	(void)state;
	/* Of two parts each, and one for all. */
	for (i = 2; i <= (CONDITION_PARTS - 1) / 2; i++)
		strlcat(text, " or channel.id == 1", sizeof(text));
	assert_int_equal(condition_compile(&k, &scope, &fault), 0);
	assert_false(weir_condition_holds(&fake_call, &k));
	strlcat(text, " or channel.id == 7", sizeof(text));
	assert_int_equal(condition_compile(&k, &scope, &fault), -1);
	assert_string_equal(fault.why, "there are more than 256 parts");
	strlcpy(text, "channel.id in [1", sizeof(text));
	for (i = 0; i < CONDITION_PARTS; i++)
		strlcat(text, ", 2", sizeof(text));
	assert_int_equal(condition_compile(&k, &scope, &fault), -1);
	assert_string_equal(fault.why, "there are more than 256 parts");
}

static void
test_facts_are_asked_for_once(void **state)
{
	struct weir_condition k = { .text = "channel.id == 1 or client.port == "
					    "2 or server.name == 'x'" };
	struct variable_fault fault;

	(void)state;
	assert_int_equal(condition_compile(&k, &scope, &fault), 0);
	fake_asked = 0;
	assert_false(weir_condition_holds(&fake_call, &k));
	assert_int_equal(fake_asked, 1);
	k = (struct weir_condition){ .text = "geo.known" };
	assert_int_equal(condition_compile(&k, &scope, &fault), 0);
	assert_true(weir_condition_holds(&fake_call, &k));
	assert_int_equal(fake_asked, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_conditions_mean),
		cmocka_unit_test(test_what_is_said_of_wrong_ones),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_changed_byte),
		cmocka_unit_test(test_many_parts),
		cmocka_unit_test(test_facts_are_asked_for_once),
	};

	return cmocka_run_group_tests(tests, start, end);
}
