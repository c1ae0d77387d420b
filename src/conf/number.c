/* number.c - numbers of a file that libconfig would read as something else. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/number.h"

static const char *integer_why(struct arena *a, const char *word,
	const char *digits, const char *tail);
static const char *hex_why(struct arena *a, const char *word);
static const char *float_why(struct arena *a, const char *word);
static bool is_long(const char *tail);

const char *
number_why(struct arena *a, const char *word)
{
	const char *digits = word + strspn(word, "+-");
	const char *tail = digits + strspn(digits, "0123456789");

	if (strncasecmp(word, "0x", 2) == 0)
		return hex_why(a, word);
	if (digits - word <= 1 && tail > digits &&
		(*tail == '\0' || is_long(tail)))
		return integer_why(a, word, digits, tail);
	return float_why(a, word);
}

static const char *
integer_why(
	struct arena *a, const char *word, const char *digits, const char *tail)
{
	long long v;

	if (*digits == '0' && tail - digits > 1)
		return arena_printf(a,
			"number %s has a leading zero, which could mean octal",
			word);
	errno = 0;
	v = strtoll(word, NULL, 10);
	if (errno != 0)
		return arena_printf(a, "number %s does not fit 64 bits", word);
	if (*tail == '\0' && (v < INT32_MIN || v > INT32_MAX))
		return arena_printf(a,
			"number %s does not fit 32 bits; if it is meant, write "
			"%sL",
			word, word);
	return NULL;
}

static const char *
hex_why(struct arena *a, const char *word)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *tail = word + 2 + strspn(word + 2, digits);
	unsigned long long v;

	if (tail == word + 2 || (*tail != '\0' && !is_long(tail)))
		return float_why(a, word);
	errno = 0;
	v = strtoull(word, NULL, 16);
	if (errno != 0 || v > INT64_MAX)
		return arena_printf(a, "number %s does not fit 64 bits", word);
	if (*tail == '\0' && v > INT32_MAX)
		return arena_printf(a,
			"number %s does not fit 32 bits; if it is meant, write "
			"%sL",
			word, word);
	return NULL;
}

static const char *
float_why(struct arena *a, const char *word)
{
	char *end;
	double v;

	if (word[strspn(word, "+-0123456789.eE")] == '\0') {
		v = strtod(word, &end);
		if (*end == '\0' && isfinite(v))
			return NULL;
		if (*end == '\0')
			return arena_printf(
				a, "number %s does not fit a float", word);
	}
	return arena_printf(
		a, "\"%s\" is no number; write text and units in quotes", word);
}

static bool
is_long(const char *tail)
{
	return strcmp(tail, "L") == 0 || strcmp(tail, "LL") == 0;
}
