/* file.c - networks from a file that is watched. */
#include <sys/stat.h>

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

#define LINE_MOST   512
#define NETS_MOST   1000000 /* of a file */
#define RETRY_LOOKS 10	    /* before what was not possible is tried again */

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

/* A network that is there twice has the longer time. */
static size_t
lines_merge(struct line *v, size_t n)
{
	size_t i, to = 0;

	for (i = 0; i < n; i++) {
		if (to == 0 || net_compare(&v[to - 1], &v[i]) != 0)
			v[to++] = v[i];
		else if (v[i].ttl_ms == 0 ||
			 (v[to - 1].ttl_ms != 0 &&
				 v[to - 1].ttl_ms < v[i].ttl_ms))
			v[to - 1].ttl_ms = v[i].ttl_ms;
	}
	return to;
}

/* Makes room for more; -1 with *why, and *again: another time there may be. */
static int
lines_grow(struct line **v, size_t *most, const char **why, bool *again)
{
	struct line *more;

	*why = "too many lines";
	if (*most > NETS_MOST)
		return -1;
	more = reallocarray(*v, *most * 2 + 64, sizeof(*more));
	*again = more == NULL;
	*why = "out of memory";
	if (more == NULL)
		return -1;
	*v = more;
	*most = *most * 2 + 64;
	return 0;
}

/* All lines of a file, sorted, or NULL, which is logged once.  *again: another
 * time it may be better. */
static struct line *
file_read(struct weir_service *s, FILE *in, size_t *n, bool *again)
{
	struct state *st = s->state;
	const struct conf *conf = s->conf;
	struct line *v = NULL;
	char text[LINE_MOST];
	const char *why = NULL;
	size_t number = 0, most = 0;
	int got = 0;

	*n = 0;
	while (got != -1 && fgets(text, sizeof(text), in) != NULL) {
		number++;
		if (*n == most && lines_grow(&v, &most, &why, again) == -1) {
			got = -1;
			break;
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
		*n = lines_merge(v, *n);
		return v != NULL ? v : calloc(1, sizeof(*v));
	}
	*again |= got != -1;
	if (!*again || !st->failed)
		weir_service_error(s, "%s:%zu: %s; the list stays as it was",
			conf->file, number, got == -1 ? why : strerror(errno));
	st->failed = *again;
	free(v);
	return NULL;
}

static bool
file_is_as_seen(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static const char *
failure_text(int err)
{
	return err == ENOSPC	  ? "it is full (option \"size\")"
	       : err == ETIMEDOUT ? "another process hangs with a part of it"
				  : strerror(err);
}

/* All is done that there is to do; it is said once what could not be. */
void
file_applied(struct weir_service *s, const struct apply *a)
{
	const struct conf *conf = s->conf;
	struct state *st = s->state;
	bool failed = a->failed > 0 || a->stays;

	if (a->failed > 0 && !st->failed)
		weir_service_error(s,
			"%zu of %zu networks of the file are not on the list: "
			"%s; they are tried again",
			a->failed, a->n, failure_text(a->err));
	else if (a->stays && !st->failed)
		weir_service_error(s,
			"what the file has no more may still be on the list: "
			"%s; it is tried again",
			failure_text(a->err));
	else if (!failed && conf->file != NULL)
		weir_service_info(s, "%s: %zu networks, %zu others taken away",
			conf->file, a->n, a->removed);
	else if (!failed && a->removed > 0)
		weir_service_info(s,
			"there is no file any more: %zu networks taken away",
			a->removed);
	st->failed = failed;
	st->wait = failed ? RETRY_LOOKS : 0;
	if (!failed)
		st->seen = st->applied;
	if (!failed && conf->file == NULL)
		(void)event_del(st->watch);
}

/* Once a second: stat(2) is all that it costs as long as nothing changes. */
void
file_look(int fd, short what, void *arg)
{
	struct weir_service *s = arg;
	const struct conf *conf = s->conf;
	struct state *st = s->state;
	struct stat now;
	bool again = false;
	struct line *v;
	FILE *in;
	size_t n;

	(void)fd;
	(void)what;
	if (apply_goes_on(s) || (st->wait > 0 && st->wait-- > 1))
		return;
	if (conf->file == NULL) {
		apply_begin(s, NULL, 0);
		return;
	}
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
	v = file_read(s, in, &n, &again);
	fclose(in);
	if (v == NULL) {
		if (!again)
			st->seen = now;
		return;
	}
	/* Until all of it is there the list is that of no file. */
	st->seen = (struct stat){ 0 };
	st->applied = now;
	apply_begin(s, v, n);
}
