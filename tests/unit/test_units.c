/* test_units.c - numbers with units, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

typedef int parse(const char *text, int64_t *value, const char **why);

struct row {
	parse *f;
	const char *text;
	int64_t value; /* or */
	const char *why;
};

static const struct row rows[] = {
	{ units_time, "0", 0, NULL },
	{ units_time, "30", 30000, NULL },
	{ units_time, "300ms", 300, NULL },
	{ units_time, "30s", 30000, NULL },
	{ units_time, "10m", 600000, NULL },
	{ units_time, "1h", 3600000, NULL },
	{ units_time, "1d", 86400000, NULL },
	{ units_time, "9223372036854775807ms", INT64_MAX, NULL },
	{ units_time, "9223372036854775807", 0, "too large" },
	{ units_time, "9223372036854775808ms", 0, "too large" },
	{ units_time, "106751991168d", 0, "too large" },
	{ units_time, "-1", 0, "negative" },
	{ units_time, "-3s", 0, "negative" },
	{ units_time, "", 0, "not a time" },
	{ units_time, "s", 0, "not a time" },
	{ units_time, "3 s", 0, "not a time" },
	{ units_time, " 3s", 0, "not a time" },
	{ units_time, "3s ", 0, "not a time" },
	{ units_time, "3S", 0, "not a time" },
	{ units_time, "1.5s", 0, "not a time" },
	{ units_time, "+3s", 0, "not a time" },
	{ units_time, "0x3s", 0, "not a time" },
	{ units_time, "1h30m", 0, "not a time" },
	{ units_time, "3k", 0, "not a time" },
	{ units_time, "off", 0, "not a time" },
	{ units_time, "03s", 0, "octal" },
	{ units_size, "0", 0, NULL },
	{ units_size, "64", 64, NULL },
	{ units_size, "64k", 65536, NULL },
	{ units_size, "64K", 65536, NULL },
	{ units_size, "16M", 16 << 20, NULL },
	{ units_size, "2G", INT64_C(2) << 30, NULL },
	{ units_size, "8589934591G", INT64_C(8589934591) << 30, NULL },
	{ units_size, "8589934592G", 0, "too large" },
	{ units_size, "-1k", 0, "negative" },
	{ units_size, "64kb", 0, "not a size" },
	{ units_size, "64 k", 0, "not a size" },
	{ units_size, "k", 0, "not a size" },
	{ units_size, "10s", 0, "not a size" },
	{ units_size, "007", 0, "octal" },
	{ units_int, "0", 0, NULL },
	{ units_int, "-0", 0, NULL },
	{ units_int, "65535", 65535, NULL },
	{ units_int, "-7", -7, NULL },
	{ units_int, "9223372036854775807", INT64_MAX, NULL },
	{ units_int, "-9223372036854775808", INT64_MIN, NULL },
	{ units_int, "9223372036854775808", 0, "too large" },
	{ units_int, "-9223372036854775809", 0, "too small" },
	{ units_int, "010", 0, "octal" },
	{ units_int, "", 0, "not a whole number" },
	{ units_int, "-", 0, "not a whole number" },
	{ units_int, "--1", 0, "not a whole number" },
	{ units_int, "1k", 0, "not a whole number" },
	{ units_int, "1.0", 0, "not a whole number" },
	{ units_int, "0x10", 0, "not a whole number" },
	{ units_int, "ten", 0, "not a whole number" },
};

static void
test_text_is_parsed_or_explained(void **state)
{
	const struct row *r;
	const char *why;
	int64_t value;

	(void)state;
	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		value = 42;
		why = NULL;
		if (r->f(r->text, &value, &why) == -1) {
			if (r->why == NULL || strstr(why, r->why) == NULL)
				fail_msg("\"%s\": %s", r->text, why);
			assert_int_equal(value, 42);
		} else if (r->why != NULL || value != r->value)
			fail_msg("\"%s\" gave %lld", r->text, (long long)value);
	}
}

static void
test_values_survive_as_text(void **state)
{
	static const int64_t values[] = { 0, 1, 999, 1000, 1001, 1024, 1536,
		59999, 60000, 65536, 90000, 3600000, 5400000, 86400000,
		INT64_C(1) << 30, INT64_MAX };
	char text[UNITS_TEXT];
	const char *why;
	int64_t back;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(units_time(units_time_text(values[i], text),
					 &back, &why),
			0);
		assert_true(back == values[i]);
		assert_int_equal(units_size(units_size_text(values[i], text),
					 &back, &why),
			0);
		assert_true(back == values[i]);
	}
}

static void
test_text_is_short(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_time_text(0, text), "0");
	assert_string_equal(units_time_text(90000, text), "90s");
	assert_string_equal(units_time_text(60000, text), "1m");
	assert_string_equal(units_time_text(172800000, text), "2d");
	assert_string_equal(units_time_text(1500, text), "1500ms");
	assert_string_equal(units_size_text(327680, text), "320k");
	assert_string_equal(units_size_text(1 << 20, text), "1M");
	assert_string_equal(units_size_text(1000, text), "1000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_parsed_or_explained),
		cmocka_unit_test(test_values_survive_as_text),
		cmocka_unit_test(test_text_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
