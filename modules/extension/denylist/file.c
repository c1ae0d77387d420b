/* file.c - networks from a file that is watched. */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

#define LINE_MOST   512
#define NETS_MOST   1000000 /* of a file */
#define RETRY_LOOKS 10	    /* before what was not possible is tried again */

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

/* Its time has begun when it was first seen, and may be over. */
static int
line_apply(struct weir_service *s, const struct line *line)
{
	struct entry entry, by_file = { .by = BY_FILE, .ttl_ms = line->ttl_ms };
	bool timed = line->ttl_ms != 0, is_there;
	int seen = 0;

	if (entry_get(s, &line->net, &entry) == -1 && errno != ENOENT)
		return -1;
	is_there = entry.by == BY_FILE && entry.ttl_ms == line->ttl_ms;
	if (timed)
		seen = seen_is(s, &line->net, line->ttl_ms);
	if (seen != 0)
		return seen == 1 ? 0 : -1;
	if (!is_there && net_add(s, &line->net, &by_file) == -1)
		return -1;
	/* Who did that before may have died, or found no room, before this. */
	return timed ? seen_add(s, &line->net, line->ttl_ms) : 0;
}

/* The line of a network, if it has a time or need not. */
static const struct line *
line_find(const struct line *v, size_t n, const struct net *net, bool timed)
{
	const struct line *line =
		n == 0 ? NULL : bsearch(net, v, n, sizeof(*v), net_compare);

	return line == NULL || (timed && line->ttl_ms == 0) ? NULL : line;
}

/* What there is to say of a list that becomes that of a file. */
struct outcome {
	size_t removed, failed;
	bool stays; /* something without a line could not be taken away */
	int err;    /* the last */
};

/* It could not be said, or done: all is looked at again later. */
static void
outcome_stays(struct outcome *o, int err)
{
	o->stays = true;
	o->err = err;
}

/* Lists networks, or what was seen; what is left out stays. */
static void
nets_get(struct weir_service *s, struct outcome *o, struct nets *nets,
	bool seens)
{
	nets_list(s, nets, seens);
	if (nets->scant || nets->partial)
		outcome_stays(o, nets->scant ? ENOMEM : ETIMEDOUT);
}

static void
net_forget(struct weir_service *s, struct outcome *o, const struct net *net)
{
	struct entry entry;

	if (entry_get(s, net, &entry) == 0) {
		if (entry.by != BY_FILE)
			return;
		if (weir_table_delete(s->tables[NETS], net_key(net)) == 0) {
			o->removed++;
			return;
		}
	}
	if (errno != ENOENT)
		outcome_stays(o, errno);
}

/* Takes away what no line has (any more). */
static void
lines_forget(struct weir_service *s, const struct line *v, size_t n,
	struct outcome *o)
{
	struct nets nets;
	size_t i;

	nets_get(s, o, &nets, false);
	for (i = 0; i < nets.n; i++)
		if (line_find(v, n, &nets.v[i], false) == NULL)
			net_forget(s, o, &nets.v[i]);
	free(nets.v);
	nets_get(s, o, &nets, true);
	for (i = 0; i < nets.n; i++)
		if (line_find(v, n, &nets.v[i], true) == NULL &&
			seen_delete(s, &nets.v[i]) == -1 && errno != ENOENT)
			outcome_stays(o, errno);
	free(nets.v);
}

static const char *
failure_text(int err)
{
	return err == ENOSPC	  ? "it is full (option \"size\")"
	       : err == ETIMEDOUT ? "another process hangs with a part of it"
				  : strerror(err);
}

/* The list becomes that of the file, but for what commands have added; false:
 * not all of it. */
static bool
file_apply(struct weir_service *s, const struct line *v, size_t n)
{
	struct state *st = s->state;
	struct outcome o = { .removed = 0 };
	size_t i;

	lines_forget(s, v, n, &o);
	for (i = 0; i < n; i++)
		if (line_apply(s, &v[i]) == -1) {
			o.failed++;
			o.err = errno;
		}
	if (o.failed > 0 && !st->failed)
		weir_service_error(s,
			"%zu of %zu networks of the file are not on the list: "
			"%s; they are tried again",
			o.failed, n, failure_text(o.err));
	else if (o.stays && !st->failed)
		weir_service_error(s,
			"what the file has no more may still be on the list: "
			"%s; it is tried again",
			failure_text(o.err));
	else if (o.failed == 0 && !o.stays)
		weir_service_info(s, "%s: %zu networks, %zu others taken away",
			((const struct conf *)s->conf)->file, n, o.removed);
	st->failed = o.failed > 0 || o.stays;
	return !st->failed;
}

void
file_forget(struct weir_service *s)
{
	struct outcome o = { .removed = 0 };

	lines_forget(s, NULL, 0, &o);
	if (o.removed > 0)
		weir_service_info(s,
			"there is no file any more: %zu networks taken away",
			o.removed);
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
	bool again = false;
	struct line *v;
	FILE *in;
	size_t n;

	(void)fd;
	(void)what;
	if (st->wait > 0 && st->wait-- > 1)
		return;
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
	if (v != NULL && !file_apply(s, v, n)) {
		st->wait = RETRY_LOOKS;
		again = true;
	}
	if (!again)
		st->seen = now;
	free(v);
}
