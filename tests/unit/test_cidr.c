/* test_cidr.c - networks as text, both ways, and what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <cmocka.h>

#include "base/addr.h"
#include "api/option.h"
#include "lib/alloc.h"

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
		err = weir_cidr_parse(&c, r->text, &why);
		check(r, err, why, err == 0 ? weir_cidr_text(&c, text) : "");
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
		assert_int_equal(weir_cidr_parse(&net, t[i].net, &why), 0);
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

/* ---- many of them ------------------------------------------------------- */

static struct weir_cidr nets[300];

static int
linear(const struct weir_list *list, const struct weir_addr *a)
{
	const struct weir_cidr *net = list->v;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (weir_cidr_has(&net[i], a))
			return true;
	return false;
}

/* An address that is near many others, as text. */
static void
random_ip(char text[static WEIR_ADDR_TEXT], unsigned kind)
{
	unsigned a = arc4random_uniform(4), b = arc4random_uniform(256),
		 c = arc4random_uniform(4) * 64;

	switch (kind) {
	case 0:
		snprintf(text, WEIR_ADDR_TEXT, "%u.%u.0.%u", a, b, c);
		break;
	case 1:
		snprintf(text, WEIR_ADDR_TEXT, "::ffff:%u.%u.0.%u", a, b, c);
		break;
	case 2:
		snprintf(text, WEIR_ADDR_TEXT, "::%x:%x", a << 14, b);
		break;
	default:
		snprintf(text, WEIR_ADDR_TEXT, "%x:%x::%x", a, b << 8, c);
	}
}

static void
random_net(struct weir_cidr *net)
{
	char ip[WEIR_ADDR_TEXT], text[WEIR_ADDR_TEXT + 8];
	const char *why;

	do {
		unsigned kind = arc4random_uniform(4);

		random_ip(ip, kind);
		snprintf(text, sizeof(text), "%s/%u", ip,
			arc4random_uniform(kind == 0 ? 33 : 129));
	} while (weir_cidr_parse(net, text, &why) == -1);
}

static void
random_addr(struct weir_addr *a)
{
	char ip[WEIR_ADDR_TEXT], text[WEIR_ADDR_TEXT + 8];
	unsigned kind = arc4random_uniform(5);
	const char *why;

	random_ip(ip, kind % 4);
	snprintf(text, sizeof(text), kind == 0 ? "%s:1" : "[%s]:1", ip);
	assert_int_equal(addr_parse(a, kind == 4 ? "unix:/a" : text, &why), 0);
}

/* Sorted or not, a list has the same addresses. */
static void
test_sorted_lists_have_the_same_addresses(void **state)
{
	struct weir_list list = { 0, nets }, sorted;
	struct weir_addr a;
	unsigned round, i;

	(void)state;
	for (round = 0; round < 200; round++) {
		list.n = arc4random_uniform(round % 2 ? 8 : 300);
		for (i = 0; i < list.n; i++)
			random_net(&nets[i]);
		if (list.n > 0 && round % 20 == 0)
			nets[list.n / 2] = (struct weir_cidr){ .all = true };
		assert_int_equal(weir_cidrs_sort(&sorted, &list), 0);
		assert_true(sorted.n <= list.n);
		for (i = 0; i < 200; i++) {
			char text[WEIR_ADDR_TEXT];

			random_addr(&a);
			if (weir_cidrs_have(&sorted, &a) != linear(&list, &a))
				fail_msg("%s of %zu networks",
					weir_addr_text(&a, text), list.n);
		}
		a.len = 0;
		assert_false(weir_cidrs_have(&sorted, &a));
		free(sorted.v);
	}
}

static void
test_networks_inside_others_are_left_out(void **state)
{
	static const char *const text[] = { "10.1.0.0/16", "::/0", "fd00::/8",
		"10.0.0.0/8", "10.1.0.0/16", "11.0.0.1" };
	struct weir_list list = { 6, nets }, sorted;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < list.n; i++)
		assert_int_equal(weir_cidr_parse(&nets[i], text[i], &why), 0);
	assert_int_equal(weir_cidrs_sort(&sorted, &list), 0);
	assert_int_equal(sorted.n, 3);
	free(sorted.v);
	list.n = 0;
	assert_int_equal(weir_cidrs_sort(&sorted, &list), 0);
	assert_null(sorted.v);
	list.n = 6;
	alloc_fail_at(1);
	assert_int_equal(weir_cidrs_sort(&sorted, &list), -1);
	assert_null(sorted.v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_networks_have_their_addresses),
		cmocka_unit_test(test_sorted_lists_have_the_same_addresses),
		cmocka_unit_test(test_networks_inside_others_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
