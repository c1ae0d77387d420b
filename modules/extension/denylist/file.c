/* file.c - networks from a file that is watched. */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

#define LINE_MOST 512
#define NETS_MOST 1000000 /* of a file */

struct line {
	struct net net; /* first: it is sorted by that */
	uint32_t ttl_ms;
};

/* Parses a line into *to: 1, 0 for one that is empty, or -1 and *why. */
static int
line_parse(char *text, struct line *to, const char **why)
{
	char *rest = text, *word, *words[3];
	size_t n = 0;

	rest[strcspn(rest, "#\r\n")] = '\0';
	while (n < 3 && (word = strsep(&rest, " \t")) != NULL)
		if (*word != '\0')
			words[n++] = word;
	if (n == 0)
		return 0;
	to->ttl_ms = 0;
	*why = "wants a network, and perhaps a time";
	if (n > 2 || net_parse(&to->net, words[0], why) == -1 ||
		(n == 2 && ttl_parse(&to->ttl_ms, words[1], why) == -1))
		return -1;
	return 1;
}

/* All lines of a file, sorted, or NULL, which is logged. */
static struct line *
file_read(struct weir_service *s, FILE *in, size_t *n)
{
	const struct conf *conf = s->conf;
	struct line *v = NULL, *more;
	char text[LINE_MOST];
	const char *why = NULL;
	size_t number = 0, most = 0;
	int got = 0;

	*n = 0;
	while (got != -1 && fgets(text, sizeof(text), in) != NULL) {
		number++;
		if (*n == most) {
			most = most * 2 + 64;
			more = reallocarray(v, most, sizeof(*v));
			why = "out of memory";
			if (more == NULL || most > 2 * NETS_MOST) {
				got = -1;
				break;
			}
			v = more;
		}
		why = "the line is too long";
		got = strlen(text) + 1 == sizeof(text)
			      ? -1
			      : line_parse(text, &v[*n], &why);
		*n += got == 1;
	}
	if (got != -1 && !ferror(in)) {
		if (*n > 0)
			qsort(v, *n, sizeof(*v), net_compare);
		return v != NULL ? v : calloc(1, sizeof(*v));
	}
	weir_service_error(s, "%s:%zu: %s; the list stays as it was",
		conf->file, number, got == -1 ? why : strerror(errno));
	free(v);
	return NULL;
}

/* The list becomes that of the file, but for what commands have added. */
static void
file_apply(struct weir_service *s, const struct line *v, size_t n)
{
	const struct entry by_file = { .by = BY_FILE };
	size_t i, removed = 0, failed = 0;
	struct entry entry;
	struct nets nets;

	for (i = 0; i < n; i++)
		failed += net_add(s, &v[i].net, &by_file, v[i].ttl_ms) == -1;
	if (failed > 0)
		weir_service_error(s, "%zu of %zu networks found no room: %s",
			failed, n, strerror(errno));
	nets_list(s, &nets);
	for (i = 0; i < nets.n; i++)
		if (bsearch(&nets.v[i], v, n, sizeof(*v), net_compare) ==
				NULL &&
			entry_get(s, &nets.v[i], &entry) == 0 &&
			entry.by == BY_FILE)
			removed += weir_table_delete(s->tables[NETS],
					   net_key(&nets.v[i])) == 0;
	free(nets.v);
	weir_service_info(s, "%s: %zu networks, %zu others taken away",
		((const struct conf *)s->conf)->file, n, removed);
}

static bool
file_is_as_seen(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Once a second: stat(2) is all that it costs as long as nothing changes. */
void
file_look(int fd, short what, void *arg)
{
	struct weir_service *s = arg;
	const struct conf *conf = s->conf;
	struct state *st = s->state;
	struct stat now;
	struct line *v;
	FILE *in;
	size_t n;

	(void)fd;
	(void)what;
	if (stat(conf->file, &now) == 0 && file_is_as_seen(&now, &st->seen))
		return;
	in = fopen(conf->file, "re");
	if (in == NULL || fstat(fileno(in), &now) == -1) {
		if (!st->failed)
			weir_service_error(s,
				"%s: %s; the list stays as it was", conf->file,
				strerror(errno));
		st->failed = true;
		if (in != NULL)
			fclose(in);
		return;
	}
	st->failed = false;
	st->seen = now;
	v = file_read(s, in, &n);
	fclose(in);
	if (v != NULL)
		file_apply(s, v, n);
	free(v);
}
