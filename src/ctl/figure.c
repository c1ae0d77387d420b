/* figure.c - numbers as people read them. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/figure.h"

#define STEP 1024.0

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY (24 * (int64_t)HOUR)

const char *
figure_bytes(double n, char text[static FIGURE_TEXT])
{
	static const char units[] = "kMGTPE";
	size_t i = 0;

	if (!(n >= 0))
		n = 0;
	if (n < STEP - 0.5) {
		snprintf(text, FIGURE_TEXT, "%.0f", n);
		return text;
	}
	/* What would be written as 1024 is 1.0 of the next unit. */
	for (n /= STEP; n >= STEP - 0.5 && units[i + 1] != '\0'; i++)
		n /= STEP;
	snprintf(
		text, FIGURE_TEXT, n < 9.95 ? "%.1f%c" : "%.0f%c", n, units[i]);
	return text;
}

const char *
figure_time(int64_t ms, char text[static FIGURE_TEXT])
{
	if (ms < 0)
		ms = 0;
	if (ms < SECOND)
		snprintf(text, FIGURE_TEXT, "%" PRId64 "ms", ms);
	else if (ms < 10 * SECOND)
		snprintf(text, FIGURE_TEXT, "%" PRId64 ".%" PRId64 "s",
			ms / SECOND, ms % SECOND / 100);
	else if (ms < MINUTE)
		snprintf(text, FIGURE_TEXT, "%" PRId64 "s", ms / SECOND);
	else if (ms < HOUR)
		snprintf(text, FIGURE_TEXT, "%" PRId64 "m%02" PRId64 "s",
			ms / MINUTE, ms % MINUTE / SECOND);
	else if (ms < DAY)
		snprintf(text, FIGURE_TEXT, "%" PRId64 "h%02" PRId64 "m",
			ms / HOUR, ms % HOUR / MINUTE);
	else
		snprintf(text, FIGURE_TEXT, "%" PRId64 "d%02" PRId64 "h",
			ms / DAY, ms % DAY / HOUR);
	return text;
}
