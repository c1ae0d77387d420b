/* metrics.c - a page of OpenMetrics text, read as strictly as it can be. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/metrics.h"

#define LINE_MOST 1024
#define ALPHA	  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	  "0123456789"

/* What has been read so far. */
struct reader {
	const char *page;
	char family[LINE_MOST], type[32], unit[32];
	bool helped, sampled;
	char labels[LINE_MOST]; /* of the last bucket, without its le */
	double bucket, bound, count;
	bool whole; /* the last bucket had no bound */
};

/* Does the page have this before the line at? */
static bool
came_before(const struct reader *r, const char *at, const char *what)
{
	const char *p = r->page;
	size_t n = strlen(what);

	for (; p < at; p = strchr(p, '\n') + 1)
		if (strncmp(p, what, n) == 0 && (p[n] == ' ' || p[n] == '{'))
			return true;
	return false;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static const char *
meta_wrong(struct reader *r, char *line, const char *at)
{
	char *word = line + 2, *name = strchr(word, ' '), *rest,
	     what[LINE_MOST];

	if (name == NULL || (rest = strchr(++name, ' ')) == NULL)
		return "a word is missing";
	name[-1] = *rest++ = '\0';
	if (strcmp(word, "TYPE") == 0) {
		snprintf(what, sizeof(what), "# TYPE %s", name);
		if (came_before(r, at, what))
			return "a family comes twice";
		*r = (struct reader){ .page = r->page };
		snprintf(r->family, sizeof(r->family), "%s", name);
		snprintf(r->type, sizeof(r->type), "%s", rest);
		if (name[strspn(name, ALPHA DIGITS "_:")] != '\0' ||
			isdigit((unsigned char)*name))
			return "it is no name";
		return ends_with(name, "_total") || ends_with(name, "_bucket")
			       ? "it ends like a sample"
			       : NULL;
	}
	if (strcmp(name, r->family) != 0 || r->sampled)
		return "it belongs to no family";
	if (strcmp(word, "HELP") == 0 && !r->helped) {
		r->helped = true;
		return NULL;
	}
	if (strcmp(word, "UNIT") != 0 || r->unit[0] != '\0')
		return "what is it?";
	snprintf(r->unit, sizeof(r->unit), "%s", rest);
	return name[strlen(name) - strlen(rest) - 1] != '_' ||
			       !ends_with(name, rest)
		       ? "the name does not end with the unit"
		       : NULL;
}

/* Passes "name="value"" and what separates it from the next; NULL: it is none.
 * le becomes the value when that is its name. */
static const char *
label_pass(const char *p, char le[64])
{
	size_t n = strspn(p, ALPHA DIGITS "_"), m = 0;
	bool bound = n == 2 && strncmp(p, "le", 2) == 0;

	if (n == 0 || isdigit((unsigned char)*p) || p[n] != '=' ||
		p[n + 1] != '"')
		return NULL;
	for (p += n + 2; *p != '"'; p++) {
		if (*p == '\0' || (*p == '\\' && strchr("\\\"n", p[1]) == NULL))
			return NULL;
		if (bound && m < 63)
			le[m++] = *p;
		p += *p == '\\';
	}
	if (bound)
		le[m] = '\0';
	return p[1] == ',' && p[2] != '}' ? p + 2 : p + 1;
}

/* Buckets grow, and end with one that has no bound and all that were counted.
 */
static const char *
bucket_wrong(struct reader *r, const char *labels, size_t len, const char *le,
	double value)
{
	bool same = strncmp(labels, r->labels, len) == 0 &&
		    r->labels[len] == '\0' && !r->whole;
	double bound = strcmp(le, "+Inf") == 0 ? 1e300 : strtod(le, NULL);

	if (le[0] == '\0' || strpbrk(le, ".I") == NULL)
		return "its bound is none";
	if (!same && r->labels[0] != '\0' && !r->whole)
		return "the last one of the buckets before is missing";
	if (same && (value < r->bucket || bound <= r->bound))
		return "it is no more than the bucket before";
	snprintf(r->labels, sizeof(r->labels), "%.*s", (int)len, labels);
	r->bucket = value;
	r->bound = bound;
	r->whole = bound == 1e300;
	return NULL;
}

static const char *
sample_wrong(struct reader *r, const char *line, const char *at)
{
	size_t n = strspn(line, ALPHA DIGITS "_:"), len = strlen(r->family);
	const char *p = line + n, *suffix = line + len, *end;
	char le[64] = "", *rest, before[LINE_MOST];
	double value;

	if (strncmp(line, r->family, len) != 0 || n < len)
		return "it belongs to no family";
	if (*p == '{')
		for (p++; *p != '}';)
			if ((p = label_pass(p, le)) == NULL)
				return "its labels are no labels";
	end = p;
	p += *p == '}';
	value = strtod(p, &rest);
	if (*p != ' ' || rest == p || *rest != '\0' ||
		isspace((unsigned char)p[1]))
		return "its value is none";
	snprintf(before, sizeof(before), "%.*s", (int)(p - line), line);
	if (came_before(r, at, before))
		return "it comes twice";
	r->sampled = true;
	n -= len;
	if (strcmp(r->type, "counter") == 0)
		return n == 6 && strncmp(suffix, "_total", n) == 0 && value >= 0
			       ? NULL
			       : "it is no counter";
	if (strcmp(r->type, "gauge") == 0)
		return n == 0 ? NULL : "it is no gauge";
	if (strcmp(r->type, "histogram") != 0)
		return "nobody knows its type";
	if (n == 7 && strncmp(suffix, "_bucket", n) == 0) {
		p = strstr(suffix, ",le=");
		return p == NULL ? "it has no bound"
				 : bucket_wrong(r, suffix + n,
					   (size_t)(p - suffix) - n, le, value);
	}
	if (n == 6 && strncmp(suffix, "_count", n) == 0)
		return r->whole && value == r->bucket
			       ? NULL
			       : "it is not what the buckets have";
	return n == 4 && strncmp(suffix, "_sum", n) == 0 && *end == '}'
		       ? NULL
		       : "it is no histogram";
}

const char *
metrics_wrong(const char *page)
{
	static char said[2 * LINE_MOST];
	struct reader r = { .page = page };
	const char *p = page, *next, *wrong = NULL;
	char line[LINE_MOST];

	for (; wrong == NULL; p = next + 1) {
		next = strchr(p, '\n');
		if (next == NULL || next - p >= LINE_MOST)
			return "a line does not end";
		snprintf(line, sizeof(line), "%.*s", (int)(next - p), p);
		if (strcmp(line, "# EOF") == 0)
			return next[1] == '\0' ? NULL : "it goes on";
		wrong = strncmp(line, "# ", 2) == 0 ? meta_wrong(&r, line, p)
						    : sample_wrong(&r, line, p);
	}
	snprintf(said, sizeof(said), "%s: %s", wrong, line);
	return said;
}

double
metrics_value(const char *page, const char *sample)
{
	const char *wrong = metrics_wrong(page), *p;
	size_t n = strlen(sample);

	if (wrong != NULL)
		fail_msg("%s", wrong);
	for (p = page; *p != '\0'; p = strchr(p, '\n') + 1)
		if (strncmp(p, sample, n) == 0 && p[n] == ' ')
			return strtod(p + n, NULL);
	fail_msg("there is no %s in:\n%s", sample, page);
	return 0;
}
