/* test_host.c - names that nobody else can make lead here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "keeper/host.h"

static void
test_addresses(void **state)
{
	static const char *const plain[] = { "127.0.0.1", "127.0.0.1:80",
		"192.0.2.7:", "[::1]", "[::1]:9398", "[2001:db8::1]:1",
		"localhost", "LOCALHOST:65535" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (!host_is_plain(plain[i]))
			fail_msg("%s", plain[i]);
}

static void
test_names(void **state)
{
	static const char *const names[] = { "", ":80", "weir", "localhost.",
		"localhost.example", "127.0.0.1.example", "127.1", "1",
		"0x7f.0.0.1", "127.0.0.1:80x", "127.0.0.1:80:80", "::1", "[::1",
		"[::1]x", "[]", "[127.0.0.1]", "[localhost]", "[::1%lo]",
		"127.0.0.1 ", " 127.0.0.1", "user@127.0.0.1" };
	char text[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (host_is_plain(names[i]))
			fail_msg("%s", names[i]);
	/* Longer than any address. */
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(host_is_plain(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
