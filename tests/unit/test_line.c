/* test_line.c - no value can leave its line, or its quotes. */
#include "conf_try.h"

#include "call_fake.h"
#include "conf/line.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BIG	 65536

static char text[8 * LINE_VALUE_MAX];

static const struct hostile {
	const char *bytes;
	size_t n;
	const char *plain, *json;
} hostile[] = {
#define H(bytes, plain, json)                                                  \
	{                                                                      \
		bytes, sizeof(bytes) - 1, plain, json                          \
	}
	H("", "", ""),
	H("a b~", "a b~", "a b~"),
	H("\n\r\t", "\\x0a\\x0d\\x09", "\\u000a\\u000d\\u0009"),
	H("a\0b", "a\\x00b", "a\\u0000b"),
	H("\x1b[2J\x7f", "\\x1b[2J\\x7f", "\\u001b[2J\\u007f"),
	H("\"\\", "\\x22\\x5c", "\\\"\\\\"),
	H("%n%s%{client.ip}", "%n%s%{client.ip}", "%n%s%{client.ip}"),
	H("\xc3\xa4", "\\xc3\\xa4", "\xc3\xa4"),
	H("\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80", "\xf0\x9f\x98\x80"),
	/* Controls and ends of lines of Unicode. */
	H("\xc2\x85\xc2\x9b", "\\xc2\\x85\\xc2\\x9b", "\\u0085\\u009b"),
	H("\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9",
		"\\u2028\\u2029"),
	/* No UTF-8: alone, cut off, overlong, surrogate, too large. */
	H("\x80", "\\x80", "\\ufffd"),
	H("\xff\xfe", "\\xff\\xfe", "\\ufffd\\ufffd"),
	H("\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd"),
	H("\xc3(", "\\xc3(", "\\ufffd("),
	H("\xc0\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"),
	H("\xe0\x80\x8a", "\\xe0\\x80\\x8a", "\\ufffd\\ufffd\\ufffd"),
	H("\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"),
	H("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
		"\\ufffd\\ufffd\\ufffd\\ufffd"),
#undef H
};

static size_t
value_says(const char *bytes, size_t n, enum weir_escape escape, size_t size)
{
	struct weir_value v = {
		.type = WEIR_VALUE_TEXT, .text = bytes, .len = n
	};
	struct line l = { .text = text, .size = size };

	line_value(&l, &v, escape);
	return line_end(&l);
}

static void
test_hostile_values(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(hostile); i++) {
		const struct hostile *h = &hostile[i];
		/* A block of its own, so that sanitizers see its end. */
		char *bytes = malloc(h->n + 1);

		bytes = realloc(memcpy(bytes, h->bytes, h->n), h->n + !h->n);
		value_says(bytes, h->n, WEIR_ESCAPE_PLAIN, sizeof(text));
		assert_string_equal(text, h->plain);
		value_says(bytes, h->n, WEIR_ESCAPE_JSON, sizeof(text));
		assert_string_equal(text, h->json);
		free(bytes);
	}
}

/* Whatever a value is, it stays on its line and in its quotes. */
static void
assert_one_word(const char *s, enum weir_escape escape)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		assert_true(c >= ' ' && c != 0x7f && c != '"');
		if (escape == WEIR_ESCAPE_PLAIN)
			assert_true(c < 0x7f);
		if (c != '\\')
			continue;
		s++;
		if (escape == WEIR_ESCAPE_JSON && (*s == '"' || *s == '\\'))
			continue;
		assert_int_equal(*s, escape == WEIR_ESCAPE_PLAIN ? 'x' : 'u');
		s += escape == WEIR_ESCAPE_PLAIN ? 2 : 4;
	}
}

/* Of each byte, and of pairs and triples that may be UTF-8, cut everywhere. */
static void
test_every_byte(void **state)
{
	static const unsigned char seconds[] = { 0, '"', '\\', 0x7f, 0x80, 0x85,
		0xa8, 0xbf, 0xff };
	enum weir_escape e;
	unsigned first;
	size_t i, size, whole;
	char bytes[4];

	(void)state;
	for (e = WEIR_ESCAPE_PLAIN; e <= WEIR_ESCAPE_JSON; e++)
		for (first = 0; first < 256; first++)
			for (i = 0; i < COUNT(seconds); i++) {
				bytes[0] = (char)first;
				bytes[1] = bytes[2] = (char)seconds[i];
				bytes[3] = '"';
				whole = value_says(bytes, 4, e, sizeof(text));
				assert_int_equal(strlen(text), whole);
				assert_one_word(text, e);
				for (size = 0; size <= whole; size++) {
					memset(text, '#', 64);
					value_says(bytes, 4, e, size);
					assert_int_equal(text[size], '#');
					if (size > 0)
						assert_one_word(text, e);
				}
			}
}

static void
test_long_values(void **state)
{
	static char big[BIG];
	size_t n;

	(void)state;
	memset(big, 'x', sizeof(big));
	n = value_says(big, sizeof(big), WEIR_ESCAPE_PLAIN, sizeof(text));
	assert_int_equal(n, LINE_VALUE_MAX + 3);
	assert_string_equal(text + n - 4, "x...");
	n = value_says(big, LINE_VALUE_MAX, WEIR_ESCAPE_PLAIN, sizeof(text));
	assert_int_equal(n, LINE_VALUE_MAX);
	memset(big, '\n', sizeof(big));
	n = value_says(big, sizeof(big), WEIR_ESCAPE_PLAIN, sizeof(text));
	assert_int_equal(n, 4 * LINE_VALUE_MAX + 3);
	n = value_says(big, sizeof(big), WEIR_ESCAPE_JSON, sizeof(text));
	assert_int_equal(n, 6 * LINE_VALUE_MAX + 3);
	/* A character at the cut is whole. */
	memcpy(big + LINE_VALUE_MAX - 1, "\xe2\x82\xac", 3);
	n = value_says(big, sizeof(big), WEIR_ESCAPE_JSON, sizeof(text));
	assert_string_equal(text + n - 6, "\xe2\x82\xac...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_long_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
