/* test_cidr.c - networks as text, both ways, and what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/cidr.h"

#define P106                                                                   \
	"/3456789012345678901234567890123456789012345678901234567890"          \
	"12345678901234567890123456789012345678901234567"

struct row {
	const char *text;
	const char *back; /* or */
	const char *why;
};

static const struct row cidrs[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", NULL },
	{ "127.0.0.1", "127.0.0.1", NULL },
	{ "127.0.0.1/32", "127.0.0.1", NULL },
	{ "0.0.0.0/0", "0.0.0.0/0", NULL },
	{ "192.168.128.0/17", "192.168.128.0/17", NULL },
	{ "::1", "::1", NULL },
	{ "fd00::/8", "fd00::/8", NULL },
	{ "::/0", "::/0", NULL },
	{ "all", "all", NULL },
	{ "All", NULL, "or \"all\"" },
	{ "all/8", NULL, "not a network" },
	{ "::ffff:0:0/96", "0.0.0.0/0", NULL },
	{ "10.0.0.1/8", NULL, "bits set behind its prefix" },
	{ "fd00::1/8", NULL, "bits set behind its prefix" },
	{ "10.0.0.0/33", NULL, "0 to 32" },
	{ "10.0.0.0/-1", NULL, "0 to 32" },
	{ "10.0.0.0/", NULL, "0 to 32" },
	{ "10.0.0.0/8x", NULL, "0 to 32" },
	{ "::/129", NULL, "0 to 128" },
	{ "::/4294967296", NULL, "0 to 128" },
	{ "", NULL, "not a network" },
	{ "/8", NULL, "not a network" },
	{ "10/8", NULL, "not a network" },
	{ "10.0.0.0.0/8", NULL, "not a network" },
	{ "localhost", NULL, "not a network" },
	{ "127.0.0.1:80", NULL, "not a network" },
	{ P106 P106 "/8", NULL, "not a network" },
};

static void
check(const struct row *r, int err, const char *why, const char *back)
{
	if (err == -1) {
		if (r->why == NULL || strstr(why, r->why) == NULL)
			fail_msg("\"%s\": %s", r->text, why);
	} else if (r->back == NULL || strcmp(back, r->back) != 0)
		fail_msg("\"%s\" gave \"%s\"", r->text, back);
}

static void
test_networks(void **state)
{
	char text[WEIR_ADDR_TEXT] = "";
	const struct row *r;
	struct weir_cidr c;
	const char *why;
	int err;

	(void)state;
	for (r = cidrs; r < cidrs + sizeof(cidrs) / sizeof(cidrs[0]); r++) {
		why = NULL;
		err = cidr_parse(&c, r->text, &why);
		check(r, err, why, err == 0 ? cidr_text(&c, text) : "");
	}
}

static void
test_networks_have_their_addresses(void **state)
{
	static const struct {
		const char *net, *in, *out;
	} t[] = {
		{ "10.0.0.0/8", "10.0.0.0:1", "9.255.255.255:1" },
		{ "10.0.0.0/8", "10.255.255.255:1", "11.0.0.0:1" },
		{ "10.0.0.0/8", "[::ffff:10.1.2.3]:1", "[::10.1.2.3]:1" },
		{ "::ffff:10.0.0.0/104", "10.1.2.3:1", "11.1.2.3:1" },
		{ "10.64.0.0/10", "10.127.0.1:1", "10.128.0.1:1" },
		{ "10.64.0.0/10", "10.64.0.0:1", "10.63.255.255:1" },
		{ "127.0.0.1", "127.0.0.1:80", "127.0.0.0:80" },
		{ "127.0.0.1", "[::ffff:127.0.0.1]:80", "[::1]:80" },
		{ "0.0.0.0/0", "255.255.255.255:1", "[::1]:1" },
		{ "0.0.0.0/0", "[::ffff:1.2.3.4]:1", "unix:/a" },
		{ "::1", "[::1]:80", "[::]:80" },
		{ "fd00::/9", "[fd7f::1]:80", "[fd80::1]:80" },
		{ "fe80::/64", "[fe80::1]:80", "[fe80:0:0:1::1]:80" },
		{ "0.0.0.0/0", "0.0.0.0:1", "[::fffe:1.2.3.4]:1" },
		{ "::ffff:0:0/96", "1.2.3.4:1", "[::1]:1" },
		{ "::/0", "[::]:1", "unix:/a" },
		{ "::/0", "[fe80::1]:80", "1.2.3.4:1" },
		{ "::/0", "[ffff::]:1", "[::ffff:1.2.3.4]:1" },
		{ "::/1", "[7fff::]:1", "1.2.3.4:1" },
		{ "::/64", "[::1]:1", "[::ffff:1.2.3.4]:1" },
		{ "::/64", "[::1.2.3.4]:1", "1.2.3.4:1" },
		{ "::fffe:0:0/95", "[::fffe:1.2.3.4]:1", "1.2.3.4:1" },
		{ "all", "[fe80::1]:80", NULL },
		{ "all", "1.2.3.4:80", NULL },
		{ "all", "unix:/a", NULL },
	};
	struct weir_addr a, none = { 0 };
	struct weir_cidr net;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(cidr_parse(&net, t[i].net, &why), 0);
		assert_int_equal(addr_parse(&a, t[i].in, &why), 0);
		if (!weir_cidr_has(&net, &a))
			fail_msg("%s lacks %s", t[i].net, t[i].in);
		assert_false(weir_cidr_has(&net, &none));
		if (t[i].out == NULL)
			continue;
		assert_int_equal(addr_parse(&a, t[i].out, &why), 0);
		if (weir_cidr_has(&net, &a))
			fail_msg("%s has %s", t[i].net, t[i].out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_networks_have_their_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
