/* test_acl.c - who is let in, and what is connected to. */
#include <sys/socket.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "lib/alloc.h"
#include "lib/entry.h"
#include "lib/pair.h"
#include "lib/said.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct entry entry;

static struct weir_addr
address(const char *text)
{
	struct weir_addr a;
	const char *why = NULL;

	if (addr_parse(&a, text, &why) == -1)
		fail_msg("%s: %s", text, why);
	return a;
}

static void
acl_start(const char *options)
{
	pair_start(NULL);
	entry_load(&entry, "acl", options, NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
}

static void
acl_stop(void)
{
	pair_stop(NULL);
	entry_free(&entry);
}

/* Opens a channel that seems to come from there. */
static void
client_from(const struct weir_addr *peer)
{
	int two[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, two),
		0);
	client = two[1];
	rig.opened++;
	engine_accept(&rig.engine, two[0], peer, 0);
}

/* Is a client of that address let in? */
static bool
lets_in(const char *peer)
{
	struct weir_addr a = address(peer);
	unsigned before = rig_ends.n;
	bool in;

	client_from(&a);
	rig_quiet(&rig);
	in = rig_channel(&rig) != NULL &&
	     rig_channel(&rig)->state == CHANNEL_JOINED;
	rig_close(&client);
	rig_until(&rig, rig_ends.n == before + 1);
	assert_int_equal(rig_ends.reason, in ? WEIR_R_DONE : WEIR_R_DENIED);
	return in;
}

static const struct {
	const char *options;
	const char *in[8], *out[8];
} clients[] = {
	{ "allow = [ \"127.0.0.0/8\" ];",
		{ "127.0.0.1:1", "127.255.0.1:9", "[::ffff:127.0.0.1]:1" },
		{ "128.0.0.1:1", "[::1]:1", "[::127.0.0.1]:1", "unix:/a" } },
	{ "allow = \"::ffff:1.2.3.0/120\";",
		{ "1.2.3.4:1", "[::ffff:1.2.3.4]:1" },
		{ "1.2.4.4:1", "[1:2:3:4::]:1" } },
	{ "deny = [ \"10.0.0.0/8\", \"fd00::/8\" ];",
		{ "11.0.0.1:1", "[fe00::1]:1", "unix:/a" },
		{ "10.1.1.1:1", "[fd00::1]:1", "[::ffff:10.0.0.1]:1" } },
	{ "allow = \"10.0.0.0/8\"; deny = \"10.1.0.0/16\";",
		{ "10.0.0.1:1", "10.2.0.1:1" },
		{ "10.1.0.1:1", "11.0.0.1:1", "[::1]:1", "unix:/a" } },
	{ "allow = \"0.0.0.0/0\";", { "1.2.3.4:1", "[::ffff:1.2.3.4]:1" },
		{ "[::1]:1", "unix:/a" } },
	{ "allow = \"::/0\";", { "[::1]:1", "[fe80::1]:1" },
		{ "1.2.3.4:1", "[::ffff:1.2.3.4]:1", "unix:/a" } },
	{ "deny = \"::/64\";", { "1.2.3.4:1", "[1::]:1", "unix:/a" },
		{ "[::1]:1" } },
	{ "allow = \"all\"; deny = \"::1\";", { "1.2.3.4:1", "unix:/a" },
		{ "[::1]:1" } },
	{ "deny = \"all\";", { NULL },
		{ "1.2.3.4:1", "[::1]:1", "unix:/a", "unix:@b" } },
	{ "rules = ( { allow = \"10.1.0.0/16\"; }, "
	  "{ deny = [ \"10.0.0.0/8\", \"::1\" ]; } );",
		{ "10.1.2.3:1", "11.0.0.1:1", "[::2]:1", "unix:/a" },
		{ "10.2.0.1:1", "[::1]:1" } },
	{ "rules = ( { deny = \"10.0.0.0/8\"; }, { allow = \"10.1.0.0/16\"; }, "
	  "{ allow = \"::/8\"; }, { deny = \"all\"; } );",
		{ "[::1]:1" },
		{ "11.0.0.1:1", "10.1.2.3:1", "[fe80::1]:1", "unix:/a" } },
	{ "target_deny = \"all\";", { "1.2.3.4:1", "unix:/a" }, { NULL } },
};

static void
test_clients(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(clients); i++) {
		acl_start(clients[i].options);
		rig_start(&rig);
		for (j = 0; clients[i].in[j] != NULL; j++)
			if (!lets_in(clients[i].in[j]))
				fail_msg("%s keeps %s out", clients[i].options,
					clients[i].in[j]);
		for (j = 0; clients[i].out[j] != NULL; j++)
			if (lets_in(clients[i].out[j]))
				fail_msg("%s lets %s in", clients[i].options,
					clients[i].out[j]);
		acl_stop();
	}
}

/* Spellings of one place, the port to come. */
static const char *const spellings[] = { "127.0.0.1:", "127.0.0.2:",
	"127.255.255.254:", "0.0.0.0:", "[::ffff:127.0.0.1]:",
	"[::FFFF:7f00:1]:", "[0:0:0:0:0:ffff:127.0.0.1]:",
	"[::ffff:127.8.8.8]:", "[::ffff:0.0.0.0]:", "[::]:", "[::1]:",
	"[0::0:1]:" };

/* However it is spelt, nobody gets to where he may not: somebody listens there
 * on all addresses. */
static void
test_no_spelling_of_a_target_gets_by(void **state)
{
	struct weir_addr all = address("[::]:0");
	struct pollfd p = { .events = POLLIN };
	char text[64];
	size_t i;

	(void)state;
	p.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(p.fd, -1);
	assert_int_equal(bind(p.fd, &all.sa, all.len), 0);
	assert_int_equal(listen(p.fd, 64), 0);
	assert_int_equal(getsockname(p.fd, &all.sa, &all.len), 0);
	for (i = 0; i < 2 * COUNT(spellings); i++) {
		acl_start(i % 2 == 0 ? "target_deny = [ \"127.0.0.0/8\", "
				       "\"::1\" ];"
				     : "target_allow = \"192.0.2.0/24\";");
		snprintf(text, sizeof(text), "%s%u", spellings[i / 2],
			ntohs(all.in6.sin6_port));
		dial.to[0] = address(text);
		rig_add(&rig, &rig_dial, &dial);
		rig_start(&rig);
		client = rig_client(&rig);
		rig_close(&client);
		rig_until(&rig, rig_ends.n == 1);
		assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
		assert_string_equal(rig_ends.facts.detail,
			"this target may not be connected to");
		if (poll(&p, 1, 0) != 0)
			fail_msg("%s was connected to", text);
		acl_stop();
	}
	rig_close(&p.fd);
}

static void
test_other_targets_are_connected_to(void **state)
{
	static const char *const options[] = { "target_deny = \"::1\";",
		"target_allow = \"127.0.0.1\";",
		("target_rules = ( { allow = \"127.0.0.1\"; }, "
		 "{ deny = \"127.0.0.0/8\"; } );"),
		"allow = \"127.0.0.0/8\";" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(options); i++) {
		acl_start(options[i]);
		pair_join();
		rig_say(client, "hello");
		rig_hear(&rig, server, "hello");
		acl_stop();
	}
}

/* Each address is asked for, and the first that is refused ends it. */
static void
test_every_address_of_a_list_is_asked_for(void **state)
{
	(void)state;
	acl_start("target_rules = { deny = \"127.0.0.3\"; };");
	rig_refusing(&dial.to[0]);
	dial.to[1] = address("127.0.0.3:1");
	dial.n = 2;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	acl_stop();
}

static void
test_the_manner_is_the_one_asked_for(void **state)
{
	static const char *const options[] = { "deny = \"all\";",
		"deny = \"all\"; refuse = \"reset\";",
		"deny = \"all\"; refuse = \"silent\";" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(options); i++) {
		acl_start(options[i]);
		rig_start(&rig);
		client = rig_client(&rig);
		if (i == 0)
			rig_hear_end(&rig, client);
		else /* the silent one is only lost on longer ways */
			rig_hear_reset(&rig, client);
		rig_close(&client);
		rig_until(&rig, rig_ends.n == 1);
		assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
		assert_string_equal(rig_ends.facts.module, "acl");
		assert_string_equal(
			rig_ends.facts.detail, "this client is not let in");
		acl_stop();
	}
}

static void
test_options_have_to_fit(void **state)
{
	static const char *const t[][2] = {
		{ "allow = [ \"127.0.0.0/8\" ];", "" },
		{ "allow = \"10.0.0.0/8\"; target_rules = { deny = \"all\"; };",
			"" },
		{ "", "else it refuses nobody" },
		{ "refuse = \"reset\";", "else it refuses nobody" },
		{ "allow = [ ];", "\"allow\" has 0 entries" },
		{ "target_rules = ( );", "\"target_rules\" has 0 entries" },
		{ "allow = \"127.0.0.1/8\";", "bits set behind its prefix" },
		{ "allow = \"localhost\";", "not a network" },
		{ "deny = \"all\"; rules = { deny = \"all\"; };",
			"\"rules\" stands instead of \"allow\" and \"deny\"" },
		{ "target_allow = \"all\"; target_rules = { deny = \"::1\"; };",
			"\"target_rules\" stands instead of" },
		{ "rules = ( { deny = \"::1\"; }, { } );",
			"\"rules[1]\" wants either \"allow\" or \"deny\"" },
		{ "rules = { deny = \"::1\"; allow = \"::2\"; };",
			"\"rules[0]\" wants either" },
		{ "rules = { allow = \"10.0.0.0/8\"; };",
			"refuses nobody; end \"rules\" with { deny = \"all\"; "
			"}" },
		{ "rules = ( { allow = \"::1\"; }, "
		  "{ allow = [ \"10.0.0.0/8\", \"all\" ]; }, "
		  "{ deny = \"all\"; } );",
			"refuses nobody; end \"rules\"" },
		{ "deny = \"::1\"; target_rules = { allow = \"127.0.0.1\"; };",
			"refuses nobody; end \"target_rules\" with" },
		{ "rules = ( { allow = \"10.0.0.0/8\"; }, "
		  "{ deny = \"all\"; } );",
			"" },
		{ "deny = \"all\"; refuse = \"politely\";", "\"silent\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++)
		said_of("acl", t[i][0], t[i][1]);
}

/* They are looked at one after the other. */
static void
test_rules_are_bounded(void **state)
{
	static const char end[] = ",\"::\"]; }, { deny = \"all\"; } );";
	char options[8000] = "rules = ( { allow = [ \"::\"";
	size_t n = strlen(options), i;

	(void)state;
	for (i = 1; i < 999; i++, n += 5) /* and "all" */
		memcpy(options + n, ",\"::\"", 6);
	snprintf(options + n, sizeof(options) - n, "%s", end + 5);
	said_of("acl", options, "");
	snprintf(options + n, sizeof(options) - n, "%s", end);
	said_of("acl", options, "\"rules\" have 1001 networks; at most 1000");
}

static void
test_a_start_without_memory_fails(void **state)
{
	struct weir_instance in = { .name = "acl", .server = "s" };
	unsigned nth;

	(void)state;
	entry_load(&entry, "acl",
		"allow = \"::\"; deny = \"::\"; target_allow = \"::\"; "
		"target_deny = \"::\";",
		NULL);
	in.conf = entry.stage->conf;
	in.state = calloc(1, entry.stage->mw->state_size);
	assert_non_null(in.state);
	for (nth = 1; nth <= 4; nth++) {
		alloc_fail_at(nth);
		assert_int_equal(entry.stage->mw->start(&in), -1);
		assert_true(alloc_failed());
		memset(in.state, 0, entry.stage->mw->state_size);
	}
	assert_int_equal(entry.stage->mw->start(&in), 0);
	entry.stage->mw->stop(&in);
	free(in.state);
	entry_free(&entry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_no_spelling_of_a_target_gets_by),
		cmocka_unit_test(test_other_targets_are_connected_to),
		cmocka_unit_test(test_every_address_of_a_list_is_asked_for),
		cmocka_unit_test(test_the_manner_is_the_one_asked_for),
		cmocka_unit_test(test_options_have_to_fit),
		cmocka_unit_test(test_rules_are_bounded),
		cmocka_unit_test(test_a_start_without_memory_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
