/* units.c - numbers with units, as people write them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/option.h"
#include "base/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct unit {
	const char *word;
	int64_t by;
};

/* Both from large to small: the first that divides gives the shortest text. */
static const struct unit times[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ "", 1000 },
};
static const struct unit sizes[] = {
	{ "G", 1 << 30 },
	{ "M", 1 << 20 },
	{ "k", 1 << 10 },
	{ "", 1 },
	{ "K", 1 << 10 },
	{ "m", 1 << 20 },
	{ "g", 1 << 30 },
};
static const char not_time[] =
	"not a time; write \"300ms\", \"30s\", \"10m\", \"1h\" or \"1d\"";
static const char not_size[] =
	"not a size; write \"64\", \"64k\", \"16M\" or \"2G\"";
static const char not_int[] = "not a whole number";
static const char too_large[] = "too large";

static int scale(const char *text, const struct unit *units, size_t n,
	int64_t *value, const char *wanted, const char **why);
static int
digits(const char **text, int64_t *value, const char *wanted, const char **why);
static const char *shortest(const struct unit *units, size_t n, int64_t value,
	char text[static UNITS_TEXT]);

int
weir_time_parse(uint32_t *ms, const char *text, const char **why)
{
	int64_t n;

	if (units_time(text, &n, why) == -1)
		return -1;
	*why = "must not be negative, nor longer than 49 days";
	if (n < 0 || n > UINT32_MAX)
		return -1;
	*ms = (uint32_t)n;
	return 0;
}

int
units_time(const char *text, int64_t *ms, const char **why)
{
	return scale(text, times, COUNT(times), ms, not_time, why);
}

int
units_size(const char *text, int64_t *bytes, const char **why)
{
	return scale(text, sizes, COUNT(sizes), bytes, not_size, why);
}

int
units_int(const char *text, int64_t *n, const char **why)
{
	int64_t v;

	if (digits(&text, &v, not_int, why) == -1)
		return -1;
	if (*text != '\0') {
		*why = not_int;
		return -1;
	}
	*n = v;
	return 0;
}

const char *
units_time_text(int64_t ms, char text[static UNITS_TEXT])
{
	return shortest(times, COUNT(times), ms, text);
}

const char *
units_size_text(int64_t bytes, char text[static UNITS_TEXT])
{
	return shortest(sizes, COUNT(sizes), bytes, text);
}

static int
scale(const char *text, const struct unit *units, size_t n, int64_t *value,
	const char *wanted, const char **why)
{
	int64_t v;
	size_t i;

	if (digits(&text, &v, wanted, why) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (strcmp(text, units[i].word) == 0)
			break;
	if (i == n)
		*why = wanted;
	else if (v < 0)
		*why = "negative";
	else if (__builtin_mul_overflow(v, units[i].by, &v))
		*why = too_large;
	else {
		*value = v;
		return 0;
	}
	return -1;
}

/* An optional minus and digits; *text moves behind them. */
static int
digits(const char **text, int64_t *value, const char *wanted, const char **why)
{
	const char *first = *text + (**text == '-');
	size_t n = strspn(first, "0123456789");

	*why = wanted;
	if (n == 0)
		return -1;
	if (n > 1 && *first == '0') {
		*why = "written with a leading zero, which could mean octal";
		return -1;
	}
	errno = 0;
	*value = strtoll(*text, NULL, 10);
	if (errno != 0) {
		*why = *text == first ? too_large : "too small";
		return -1;
	}
	*text = first + n;
	return 0;
}

static const char *
shortest(const struct unit *units, size_t n, int64_t value,
	char text[static UNITS_TEXT])
{
	size_t i;

	for (i = 0; value != 0 && i + 1 < n; i++)
		if (value % units[i].by == 0)
			break;
	snprintf(text, UNITS_TEXT, "%" PRId64 "%s",
		value == 0 ? 0 : value / units[i].by,
		value == 0 ? "" : units[i].word);
	return text;
}
