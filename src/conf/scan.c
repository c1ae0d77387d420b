/* scan.c - what libconfig does not check: includes, sizes, numbers, text. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/grammar.h"
#include "conf/number.h"
#include "conf/scan.h"
#include "conf/source.h"
#include "conf/texts.h"

#define VOIDS_MAX 100 /* wrong values after which the rest does not count */
#define VOID_LEN  (sizeof(SCAN_VOID) - 1)
/* Include adds at most two newlines to what it reads. */
#define OUT_MAX                                                                \
	(SCAN_BYTES_MAX + 2 * SCAN_INCLUDES_MAX + 2 + VOIDS_MAX * VOID_LEN)

#define SHOWN 40 /* bytes of a wrong token that are shown */
#define BOM   "\xef\xbb\xbf"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

struct scan {
	struct weir_diag *d;
	char *out;
	size_t len;
	size_t read; /* bytes of all files so far */
	unsigned line;
	unsigned includes;
	unsigned depth;
	size_t string_len; /* of adjacent strings so far */
	char last;	   /* punctuation or first of a word */
	unsigned voids;	   /* errors that SCAN_VOID stands for */
	bool stop;
	struct grammar levels[SCAN_DEPTH_MAX + 1]; /* [0]: the top */
};

static const char *scan_run(struct scan *s, struct source *in);
static bool file_open(struct scan *s, struct source *in, const char *file);
static bool text_check(struct scan *s, const struct source *in);
static void source_scan(struct scan *s, struct source *in);
static void token_scan(struct scan *s, struct source *in);
static void comment_scan(struct scan *s, struct source *in);
static void string_scan(struct scan *s, struct source *in);
static const char *escape_why(const char *p, size_t *n);
static void word_scan(struct scan *s, struct source *in);
static enum grammar_token number_token(const char *word);
static void name_scan(struct scan *s, const char *word);
static void step(struct scan *s, const struct source *in, size_t n,
	enum grammar_token token);
static void bracket_open(struct scan *s, const struct source *in);
static void bracket_close(struct scan *s, const struct source *in);
static void include_scan(struct scan *s, struct source *in);
static void include_open(struct scan *s, struct source *in, const char *name);
static void put(struct scan *s, const char *p, size_t n);
static void fail(struct scan *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

const char *
scan_file(const char *file, struct weir_diag *d)
{
	struct scan s = { .d = d, .line = 1 };
	struct source in = { .line = 1 };

	diag_map(d, 1, file, 1);
	if (!file_open(&s, &in, file))
		return NULL;
	return scan_run(&s, &in);
}

const char *
scan_text(const char *file, const char *text, size_t len, struct weir_diag *d)
{
	struct scan s = { .d = d, .line = 1, .read = len };
	struct source in = { .file = file, .line = 1 };
	char *copy;

	diag_map(d, 1, file, 1);
	if (len > SCAN_BYTES_MAX) {
		fail(&s, "longer than 1 MB, includes counted");
		return NULL;
	}
	copy = arena_alloc(d->arena, len + 1);
	memcpy(copy, text, len);
	in.p = copy;
	in.end = copy + len;
	return scan_run(&s, &in);
}

static const char *
scan_run(struct scan *s, struct source *in)
{
	unsigned before = s->d->errors;
	const struct grammar *open;

	s->out = arena_alloc(s->d->arena, OUT_MAX + 1);
	if (text_check(s, in))
		source_scan(s, in);
	open = &s->levels[s->depth];
	if (!s->stop && s->depth > 0)
		diag_error(s->d, &(struct place){ .line = open->line }, NULL,
			"\"%c\" is never closed", open->bracket);
	else if (!s->stop && open->state == GRAMMAR_AT_EQUALS)
		fail(s, "\"=\" is missing before the end");
	else if (!s->stop && open->state == GRAMMAR_AT_VALUE)
		fail(s, "a value is missing before the end");
	return s->d->errors == before + s->voids ? s->out : NULL;
}

static bool
file_open(struct scan *s, struct source *in, const char *file)
{
	const char *why = texts_source(
		s->d->texts, in, file, SCAN_BYTES_MAX - s->read, s->d->arena);

	if (why != NULL && in->parent == NULL) {
		diag_error(s->d, &(struct place){ .line = 1, .where = file },
			NULL, "%s", why);
		return false;
	}
	if (why != NULL) {
		fail(s, "\"%s\" %s", file, why);
		return false;
	}
	s->read += (size_t)(in->end - in->p);
	return true;
}

/* Is it text at all?  Says so once and stops. */
static bool
text_check(struct scan *s, const struct source *in)
{
	struct place place = { .line = s->line };
	const char *why = source_why(in, &place.line, s->d->arena);

	if (why == NULL)
		return true;
	diag_error(s->d, &place, NULL, "not text: %s", why);
	s->stop = true;
	return false;
}

static void
source_scan(struct scan *s, struct source *in)
{
	while (in->p < in->end && !s->stop)
		token_scan(s, in);
	/* libconfig takes a comment for garbage when no newline ends it. */
	if (s->len == 0 || s->out[s->len - 1] != '\n')
		put(s, "\n", 1);
}

static void
token_scan(struct scan *s, struct source *in)
{
	char c = *in->p;
	bool space = strchr(" \t\r\n", c) != NULL;
	size_t n = source_char(in);

	if (c == '#' || (c == '/' && in->p + 1 < in->end &&
				(in->p[1] == '/' || in->p[1] == '*'))) {
		comment_scan(s, in);
		return;
	}
	if (c == '"') {
		string_scan(s, in);
		return;
	}
	if (c == '@') {
		include_scan(s, in);
		return;
	}
	if (!space)
		s->string_len = 0;
	if (strchr(LETTERS DIGITS "*+-.", c) != NULL) {
		word_scan(s, in);
		return;
	}
	if (strchr("{[(", c) != NULL)
		bracket_open(s, in);
	else if (strchr("}])", c) != NULL)
		bracket_close(s, in);
	else if (c == '=' || c == ':')
		step(s, in, 1, GRAMMAR_EQUALS);
	else if (c == ',' || c == ';')
		step(s, in, 1, c == ',' ? GRAMMAR_COMMA : GRAMMAR_SEMICOLON);
	else if (n == 3 && memcmp(in->p, BOM, 3) == 0)
		fail(s, "a byte order mark (U+FEFF), which some editors put "
			"in front; save the file as UTF-8 without it");
	else if (!space)
		fail(s, "unexpected character \"%.*s\"", (int)n, in->p);
	put(s, in->p, n);
	in->line += c == '\n';
	in->p += n;
}

/* Comments become nothing, but keep their lines. */
static void
comment_scan(struct scan *s, struct source *in)
{
	bool block = *in->p == '/' && in->p[1] == '*';
	struct place start = { .line = s->line };

	for (in->p += block ? 2 : 1; in->p < in->end; in->p++) {
		if (!block && *in->p == '\n')
			return;
		if (block && in->end - in->p >= 2 &&
			memcmp(in->p, "*/", 2) == 0) {
			in->p += 2;
			put(s, " ", 1);
			return;
		}
		if (*in->p == '\n') {
			put(s, "\n", 1);
			in->line++;
		}
	}
	if (block) {
		diag_error(s->d, &start, NULL, "\"/*\" is never closed");
		s->stop = true;
	}
}

static void
string_scan(struct scan *s, struct source *in)
{
	const char *p = in->p + 1, *why;
	size_t n;

	for (; p < in->end && *p != '"' && *p != '\n'; p += n) {
		n = 1;
		if (*p == '\\' && (why = escape_why(p, &n)) != NULL)
			fail(s, "%s", why);
		s->string_len++;
	}
	if (p >= in->end || *p == '\n') {
		fail(s, "the string is not closed on its line (strings side by "
			"side are joined)");
		s->stop = true;
		return;
	}
	if (s->string_len > SCAN_STRING_MAX) {
		fail(s, "string longer than %d bytes", SCAN_STRING_MAX);
		s->stop = true;
		return;
	}
	n = (size_t)(p + 1 - in->p);
	step(s, in, n, GRAMMAR_STRING);
	put(s, in->p, n);
	in->p += n;
}

/* What is wrong with the escape at p, or NULL; *n = its bytes.  The text ends
 * with a quote or newline, so looking three bytes ahead is fine. */
static const char *
escape_why(const char *p, size_t *n)
{
	static const char hex[] = DIGITS "abcdefABCDEF";
	char pair[3] = "";
	unsigned long value;
	size_t i;

	*n = 2;
	if (p[1] != '\0' && strchr("\\\"nrt", p[1]) != NULL)
		return NULL;
	if (p[1] == '\n' || p[1] == '\0')
		*n = 1;
	if (p[1] != 'x' && p[1] != 'X')
		return "unknown escape; write \\\\ \\\" \\n \\r \\t or \\x41";
	for (i = 2; i < 4; i++) {
		if (p[i] == '\0' || strchr(hex, p[i]) == NULL)
			return "\\x wants two hexadecimal digits";
		pair[i - 2] = p[i];
	}
	*n = 4;
	value = strtoul(pair, NULL, 16);
	if (value == 0x7f ||
		(value < ' ' && strchr("\t\n\r", (int)value) == NULL) ||
		value == 0)
		return "an escape stands for a control character";
	return NULL;
}

/* Names and numbers. */
static void
word_scan(struct scan *s, struct source *in)
{
	size_t n = strspn(in->p, LETTERS DIGITS "_*+-.");
	enum grammar_token token = GRAMMAR_NAME;
	unsigned before = s->d->errors;
	const char *word, *why;

	if (n > (size_t)(in->end - in->p))
		n = (size_t)(in->end - in->p);
	if (n > SCAN_WORD_MAX) {
		fail(s, "name or number longer than %d bytes", SCAN_WORD_MAX);
		s->stop = true;
		return;
	}
	word = arena_strndup(s->d->arena, in->p, n);
	if (strchr(DIGITS "+-.", *word) != NULL) {
		token = number_token(word);
		if ((why = number_why(s->d->arena, word)) != NULL)
			fail(s, "%s", why);
	} else if (grammar_wants_value(&s->levels[s->depth])) {
		token = GRAMMAR_BOOL;
		if (strcasecmp(word, "true") != 0 &&
			strcasecmp(word, "false") != 0)
			fail(s, "\"%s\" must be written in quotes", word);
	}
	/* A list in [ ] takes values of one kind only. */
	if (s->d->errors > before && s->voids < VOIDS_MAX &&
		s->levels[s->depth].bracket != '[') {
		s->voids++;
		put(s, SCAN_VOID, VOID_LEN);
	} else {
		put(s, in->p, n);
	}
	step(s, in, n, token);
	if (token == GRAMMAR_NAME)
		name_scan(s, word);
	in->p += n;
}

static void
name_scan(struct scan *s, const char *word)
{
	struct place first;

	if (word[strcspn(word, ".+")] != '\0' ||
		strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0)
		fail(s, "\"%s\" cannot be a name", word);
	first = (struct place){ .line = grammar_key(&s->levels[s->depth],
					s->d->arena, word, s->line) };
	if (first.line != 0)
		fail(s, "\"%s\" is given twice (the first: %s)", word,
			diag_place(s->d, &first));
}

static enum grammar_token
number_token(const char *word)
{
	if (word[strlen(word) - 1] == 'L')
		return GRAMMAR_LONG;
	if (strncasecmp(word, "0x", 2) == 0 ||
		word[strcspn(word, ".eE")] == '\0')
		return GRAMMAR_INT;
	return GRAMMAR_FLOAT;
}

/* n bytes at in->p are a token. */
static void
step(struct scan *s, const struct source *in, size_t n,
	enum grammar_token token)
{
	struct grammar *g = &s->levels[s->depth];
	const char *why = grammar_step(g, token);

	if (why != NULL)
		fail(s, "%s before %.*s", why, (int)(n < SHOWN ? n : SHOWN),
			in->p);
	else if (g->keys > SCAN_KEYS_MAX)
		fail(s, "more than %d options in one group", SCAN_KEYS_MAX);
	else if (g->entries > SCAN_ENTRIES_MAX)
		fail(s, "more than %d entries in one list", SCAN_ENTRIES_MAX);
	else
		return;
	s->stop = true;
}

static void
bracket_open(struct scan *s, const struct source *in)
{
	step(s, in, 1, GRAMMAR_OPEN);
	if (s->stop)
		return;
	if (s->depth == SCAN_DEPTH_MAX) {
		fail(s, "groups and lists are nested deeper than %d",
			SCAN_DEPTH_MAX);
		s->stop = true;
		return;
	}
	s->levels[++s->depth] =
		(struct grammar){ .bracket = *in->p, .line = s->line };
}

static void
bracket_close(struct scan *s, const struct source *in)
{
	const struct grammar *open = &s->levels[s->depth];

	if (s->depth == 0) {
		fail(s, "\"%c\" closes nothing", *in->p);
		s->stop = true;
	} else if (strchr("{}[]()", open->bracket)[1] != *in->p) {
		fail(s, "\"%c\" comes before the \"%c\" of %s is closed",
			*in->p, open->bracket,
			diag_place(
				s->d, &(struct place){ .line = open->line }));
		s->stop = true;
	} else {
		step(s, in, 1, GRAMMAR_CLOSE);
		s->depth--;
	}
}

/* @include "path", relative to the file that it stands in. */
static void
include_scan(struct scan *s, struct source *in)
{
	static const char word[] = "@include";
	size_t n = sizeof(word) - 1, len;
	const char *p, *slash;

	if ((size_t)(in->end - in->p) > n && memcmp(in->p, word, n) == 0) {
		p = in->p + n + strspn(in->p + n, " \t");
		len = p < in->end && *p == '"' ? strcspn(p + 1, "\"\n") : 0;
		if (len > 0 && p + 1 + len < in->end && p[1 + len] == '"') {
			in->p = p + len + 2;
			slash = p[1] == '/' ? NULL : strrchr(in->file, '/');
			include_open(s, in,
				arena_printf(s->d->arena, "%.*s%.*s",
					slash == NULL
						? 0
						: (int)(slash + 1 - in->file),
					in->file, (int)len, p + 1));
			return;
		}
	}
	fail(s, "write @include \"file\"");
	s->stop = true;
}

static void
include_open(struct scan *s, struct source *in, const char *name)
{
	struct source sub = {
		.line = 1, .parent = in, .nesting = in->nesting + 1
	};
	const struct source *up;

	s->stop = true;
	if (++s->includes > SCAN_INCLUDES_MAX) {
		fail(s, "more than %d includes", SCAN_INCLUDES_MAX);
		return;
	}
	if (sub.nesting > SCAN_NESTING_MAX) {
		fail(s, "\"%s\" is included deeper than %d files", name,
			SCAN_NESTING_MAX);
		return;
	}
	if (!file_open(s, &sub, name))
		return;
	for (up = in; up != NULL; up = up->parent)
		if (up->ino == sub.ino && up->dev == sub.dev) {
			fail(s, "\"%s\" includes itself", name);
			return;
		}
	s->stop = false;
	put(s, "\n", 1);
	diag_map(s->d, s->line, name, 1);
	if (text_check(s, &sub))
		source_scan(s, &sub);
	diag_map(s->d, s->line, in->file, in->line);
}

static void
put(struct scan *s, const char *p, size_t n)
{
	memcpy(s->out + s->len, p, n);
	s->len += n;
	s->line += n == 1 && *p == '\n';
}

static void
fail(struct scan *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_verror(s->d, &(struct place){ .line = s->line }, NULL, fmt, ap);
	va_end(ap);
}
