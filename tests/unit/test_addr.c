/* test_addr.c - addresses as text, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

#define P106                                                                   \
	"/3456789012345678901234567890123456789012345678901234567890"          \
	"12345678901234567890123456789012345678901234567"

struct row {
	const char *text;
	const char *back; /* or */
	const char *why;
};

static const struct row addrs[] = {
	{ "127.0.0.1:80", "127.0.0.1:80", NULL },
	{ "0.0.0.0:0", "0.0.0.0:0", NULL },
	{ "255.255.255.255:65535", "255.255.255.255:65535", NULL },
	{ "[::1]:80", "[::1]:80", NULL },
	{ "[::]:9400", "[::]:9400", NULL },
	{ "[2001:DB8:0:0::1]:1", "[2001:db8::1]:1", NULL },
	{ "[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1", NULL },
	{ "[fe80::1%lo]:80", "[fe80::1%lo]:80", NULL },
	{ "[fe80::1%nothere]:80", NULL, "no interface" },
	{ "unix:/run/x.sock", "unix:/run/x.sock", NULL },
	{ "unix:x.sock", "unix:x.sock", NULL },
	{ "unix:/with:colon:80", "unix:/with:colon:80", NULL },
	{ "unix:@name", "unix:@name", NULL },
	{ "unix:" P106 "8", "unix:" P106 "8", NULL },
	{ "unix:" P106 "89", NULL, "at most 107 bytes" },
	{ "unix:", NULL, "path is missing" },
	{ "unix:@", NULL, "path is missing" },
	{ "db.example:5432", NULL,
		"names that need DNS are not built in yet; write an IP "
		"address" },
	{ "localhost:80", NULL, "names that need DNS" },
	{ "a.b.c.d:80", NULL, "names that need DNS" },
	{ "db", NULL,
		"upstreams are not built in yet; write \"host:port\" or "
		"\"unix:/path\"" },
	{ "UNIX", NULL, "upstreams" },
	{ "", NULL, "host is missing" },
	{ "80", NULL, "host is missing" },
	{ ":80", NULL, "host is missing" },
	{ "*:80", NULL, "host is missing" },
	{ "[]:80", NULL, "host is missing" },
	{ "127.0.0.1", NULL, "port is missing" },
	{ "[::1]", NULL, "port is missing" },
	{ "[::1]x:80", NULL, "port is missing" },
	{ "[::1", NULL, "port is missing" },
	{ "[", NULL, "port is missing" },
	{ "::1", NULL, "in brackets" },
	{ "::1:80", NULL, "in brackets" },
	{ "fe80::", NULL, "in brackets" },
	{ "[::g]:80", NULL, "not an IP address" },
	{ "[127.0.0.1]:80", NULL, "not an IP address" },
	{ "[::1%]:80", NULL, "no interface" },
	{ "127.1:80", NULL, "not an IP address" },
	{ "256.0.0.1:80", NULL, "not an IP address" },
	{ "010.0.0.1:80", NULL, "not an IP address" },
	{ "2130706433:80", NULL, "not an IP address" },
	{ "0x7f.0.0.1:80", NULL, "names that need DNS" },
	{ "127.0.0.1 :80", NULL, "names that need DNS" },
	{ " 127.0.0.1:80", NULL, "names that need DNS" },
	{ "127.0.0.1:", NULL, "0 to 65535" },
	{ "127.0.0.1:65536", NULL, "0 to 65535" },
	{ "127.0.0.1:4294967376", NULL, "0 to 65535" },
	{ "127.0.0.1:99999999999999999999", NULL, "0 to 65535" },
	{ "127.0.0.1:-1", NULL, "0 to 65535" },
	{ "127.0.0.1:+80", NULL, "0 to 65535" },
	{ "127.0.0.1: 80", NULL, "0 to 65535" },
	{ "127.0.0.1:80 ", NULL, "0 to 65535" },
	{ "127.0.0.1:80x", NULL, "0 to 65535" },
	{ "127.0.0.1:0x50", NULL, "0 to 65535" },
	{ "127.0.0.1:http", NULL, "0 to 65535" },
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
test_addresses(void **state)
{
	char text[WEIR_ADDR_TEXT] = "";
	const struct row *r;
	struct weir_addr a;
	const char *why;
	int err;

	(void)state;
	for (r = addrs; r < addrs + sizeof(addrs) / sizeof(addrs[0]); r++) {
		why = NULL;
		err = addr_parse(&a, r->text, &why);
		check(r, err, why, err == 0 ? weir_addr_text(&a, text) : "");
	}
}

static void
test_every_good_address_equals_itself_only(void **state)
{
	struct weir_addr a[sizeof(addrs) / sizeof(addrs[0])], again;
	const char *why;
	size_t n = 0, i, j;

	(void)state;
	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		if (addrs[i].back != NULL) {
			assert_int_equal(
				addr_parse(&a[n++], addrs[i].text, &why), 0);
			addr_parse(&again, addrs[i].back, &why);
			assert_true(addr_equal(&a[n - 1], &again));
		}
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			assert_int_equal(addr_equal(&a[i], &a[j]), i == j);
}

static void
test_addresses_of_the_kernel(void **state)
{
	struct weir_addr none = { 0 }, unnamed = { 0 }, other = { 0 };
	char text[WEIR_ADDR_TEXT];

	(void)state;
	unnamed.len = sizeof(unnamed.sa.sa_family);
	unnamed.sa.sa_family = AF_UNIX;
	assert_string_equal(weir_addr_text(&none, text), "-");
	assert_string_equal(weir_addr_text(&unnamed, text), "unix:");
	assert_true(addr_equal(&none, &other));
	assert_false(addr_equal(&none, &unnamed));
	/* accept(2) may leave no NUL behind the path. */
	memset(unnamed.un.sun_path, 'x', sizeof(unnamed.un.sun_path));
	unnamed.len = sizeof(unnamed.un);
	assert_int_equal(strlen(weir_addr_text(&unnamed, text)), 5 + 108);
}

static void
test_port_zero_is_no_port(void **state)
{
	static const struct {
		const char *text;
		bool lacks;
	} t[] = { { "127.0.0.1:0", true }, { "127.0.0.1:1", false },
		{ "[::1]:0", true }, { "[::1]:256", false },
		{ "unix:/a", false } };
	struct weir_addr a;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(addr_parse(&a, t[i].text, &why), 0);
		assert_int_equal(weir_addr_lacks_port(&a), t[i].lacks);
	}
}

/* What is low is the kernel's to say; its port 0 and paths are not. */
static void
test_low_ports(void **state)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int start = 0, port;
	struct weir_addr a;
	const char *why;
	char text[32];

	(void)state;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &start), 1);
	fclose(f);
	for (port = start - 1; port <= start; port++) {
		if (port < 1 || port > 65535)
			continue;
		snprintf(text, sizeof(text), "127.0.0.1:%d", port);
		assert_int_equal(addr_parse(&a, text, &why), 0);
		assert_int_equal(weir_addr_is_low(&a), port < start);
		snprintf(text, sizeof(text), "[::1]:%d", port);
		assert_int_equal(addr_parse(&a, text, &why), 0);
		assert_int_equal(weir_addr_is_low(&a), port < start);
	}
	assert_int_equal(addr_parse(&a, "127.0.0.1:0", &why), 0);
	assert_false(weir_addr_is_low(&a));
	assert_int_equal(addr_parse(&a, "unix:/a", &why), 0);
	assert_false(weir_addr_is_low(&a));
	a.len = 0;
	assert_false(weir_addr_is_low(&a));
}

static void
test_an_abstract_name_starts_with_a_nul(void **state)
{
	struct weir_addr a;
	const char *why;

	(void)state;
	assert_int_equal(addr_parse(&a, "unix:@ab", &why), 0);
	assert_memory_equal(a.un.sun_path, "\0ab", 3);
	assert_int_equal(a.len, offsetof(struct sockaddr_un, sun_path) + 3);
}

static void
test_reasons_have_words(void **state)
{
	int i;

	(void)state;
	assert_string_equal(weir_reason_word(WEIR_R_NO_BACKEND), "no_backend");
	assert_string_equal(weir_reason_word(WEIR_R_COUNT), "unknown");
	for (i = 0; i < WEIR_R_COUNT; i++)
		assert_true(strlen(weir_reason_word((enum weir_reason)i)) > 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_every_good_address_equals_itself_only),
		cmocka_unit_test(test_addresses_of_the_kernel),
		cmocka_unit_test(test_port_zero_is_no_port),
		cmocka_unit_test(test_low_ports),
		cmocka_unit_test(test_an_abstract_name_starts_with_a_nul),
		cmocka_unit_test(test_reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
