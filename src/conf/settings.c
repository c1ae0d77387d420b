/* settings.c - effective settings, for people. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

/* Which of the two strnvis() there is: neither is used. */
#define LIBBSD_OPENBSD_VIS
#include <bsd/vis.h>

#include "conf/conf.h"
#include "conf/settings.h"

#define WIDE 40 /* longer values do not widen their column */

/* Columns of -T. */
struct widths {
	int path, value, def;
};

/* Settings that belong together: those of one server, or all before. */
struct block {
	const struct conf_setting *first;
	size_t n;
};

static size_t blocks_find(const struct conf *conf, struct block *blocks);
static int block_compare(const void *left, const void *right);
static struct widths widths_of(const struct conf *conf);
static void width_add(int *width, const char *text);
static void
setting_show(FILE *out, const struct conf_setting *s, const struct widths *w);
static char *shown(const char *text);

void
settings_show(FILE *out, const struct conf *conf)
{
	struct widths w = widths_of(conf);
	struct block *blocks = calloc(conf->servers.n + 1, sizeof(*blocks));
	size_t n, i, j;

	if (blocks == NULL)
		err(1, "showing the configuration");
	n = blocks_find(conf, blocks);
	/* By name, so that the order in the file does not show. */
	qsort(blocks + 1, n - 1, sizeof(*blocks), block_compare);
	for (i = 0; i < n; i++)
		for (j = 0; j < blocks[i].n; j++)
			setting_show(out, blocks[i].first + j, &w);
	free(blocks);
}

/* blocks[0]: what is before the servers; how many blocks there are. */
static size_t
blocks_find(const struct conf *conf, struct block *blocks)
{
	const struct conf_setting *s = conf->settings.v;
	size_t server = 0, i;
	char path[128];

	blocks[0].first = s;
	for (i = 0; i < conf->settings.n; i++, s++) {
		if (server < conf->servers.n) {
			snprintf(path, sizeof(path), "servers.%s.name",
				conf_server_at(conf, server)->name);
			if (strcmp(s->path, path) == 0)
				blocks[++server].first = s;
		}
		blocks[server].n++;
	}
	return server + 1;
}

static int
block_compare(const void *left, const void *right)
{
	const struct block *a = left, *b = right;

	return strcmp(a->first->value, b->first->value);
}

static struct widths
widths_of(const struct conf *conf)
{
	const struct conf_setting *s = conf->settings.v;
	struct widths w = { 0, 0, 0 };
	size_t i;

	for (i = 0; i < conf->settings.n; i++, s++) {
		if ((int)strlen(s->path) > w.path)
			w.path = (int)strlen(s->path);
		width_add(&w.value, s->value);
		width_add(&w.def, s->def);
	}
	return w;
}

static void
width_add(int *width, const char *text)
{
	char *s = shown(text);
	size_t n = strlen(s);

	if (n <= WIDE && (int)n > *width)
		*width = (int)n;
	free(s);
}

static void
setting_show(FILE *out, const struct conf_setting *s, const struct widths *w)
{
	char *value = shown(s->value), *def = shown(s->def);

	fprintf(out, "%-*s  %-*s  %-*s  %s\n", w->path, s->path, w->value,
		value, w->def, def, s->origin);
	free(def);
	free(value);
}

/* Printable, on one line; an empty text shows as a dash.  Caller frees. */
static char *
shown(const char *text)
{
	char *s = NULL;

	if (stravis(&s, *text != '\0' ? text : "-",
		    VIS_NL | VIS_TAB | VIS_CSTYLE | VIS_NOSLASH) == -1)
		err(1, "showing the configuration");
	return s;
}
