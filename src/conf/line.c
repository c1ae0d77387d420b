/* line.c - text that is put together in a buffer, with its values escaped. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "conf/line.h"
#include "conf/reading.h"

#define UNKNOWN UINT32_MAX /* of bytes that are no UTF-8 */

/* A value as bytes: its own, or made in room. */
struct bytes {
	const char *p;
	size_t n;
	char room[WEIR_ADDR_TEXT];
};

/* Adds what s begins with, escaped; how many of its n bytes that were. */
typedef size_t put_fn(struct line *l, const char *s, size_t n);

static void bytes_of(struct bytes *b, const struct weir_value *v);
static void value_put(struct line *l, const char *s, size_t n, put_fn *put);
static put_fn word_put, plain_put, json_put;
static size_t utf8_read(const unsigned char *s, size_t n, uint32_t *code);
static bool breaks_lines(uint32_t code);

void
line_put(struct line *l, const char *s, size_t n)
{
	/* One byte is for the NUL. */
	if (l->full || l->size == 0 || n > l->size - 1 - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

void
line_copy(struct line *l, const char *s, size_t n)
{
	size_t room = l->size > l->len ? l->size - 1 - l->len : 0;

	if (n > room) {
		for (n = room; n > 0 && (s[n] & 0xc0) == 0x80; n--)
			continue;
		line_put(l, s, n);
		l->full = true;
		return;
	}
	line_put(l, s, n);
}

void
line_value(struct line *l, const struct weir_value *v, enum weir_escape escape)
{
	struct bytes b;

	bytes_of(&b, v);
	value_put(l, b.p, b.n,
		escape == WEIR_ESCAPE_PLAIN ? plain_put : json_put);
}

void
line_word(struct line *l, const struct weir_value *v)
{
	struct bytes b;

	bytes_of(&b, v);
	value_put(l, b.p, b.n, word_put);
}

void
line_json(struct line *l, const struct weir_value *v)
{
	struct bytes b;

	bytes_of(&b, v);
	if (v->type == WEIR_VALUE_NONE)
		line_put(l, "null", 4);
	else if (v->type == WEIR_VALUE_NUMBER || v->type == WEIR_VALUE_BOOL)
		line_put(l, b.p, b.n);
	else
		line_json_text(l, b.p, b.n);
}

void
line_json_text(struct line *l, const char *s, size_t n)
{
	line_put(l, "\"", 1);
	value_put(l, s, n, json_put);
	line_put(l, "\"", 1);
}

size_t
line_end(struct line *l)
{
	if (l->size > 0)
		l->text[l->len] = '\0';
	return l->len;
}

static void
bytes_of(struct bytes *b, const struct weir_value *v)
{
	b->p = b->room;
	switch (v->type) {
	case WEIR_VALUE_NUMBER:
		snprintf(b->room, sizeof(b->room), "%" PRIu64, v->number);
		break;
	case WEIR_VALUE_BOOL:
		b->p = v->number != 0 ? "true" : "false";
		break;
	case WEIR_VALUE_ADDR:
	case WEIR_VALUE_IP:
		reading_addr_text(v, b->room);
		break;
	case WEIR_VALUE_TEXT:
		b->p = v->text;
		b->n = v->len;
		return;
	default:
		b->p = "-";
		break;
	}
	b->n = strlen(b->p);
}

static void
value_put(struct line *l, const char *s, size_t n, put_fn *put)
{
	size_t i = 0;

	while (i < n && i < LINE_VALUE_MAX && !l->full)
		i += put(l, s + i, n - i);
	if (i < n)
		line_put(l, "...", 3);
}

/* One byte; so many were taken. */
static size_t
word_put(struct line *l, const char *s, size_t n)
{
	char text[ESCAPE_SIZE];

	if (*s != ' ')
		return plain_put(l, s, n);
	line_put(l, text, escape_byte(text, ' '));
	return 1;
}

static size_t
plain_put(struct line *l, const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;
	char text[ESCAPE_SIZE];

	(void)n;
	if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
		line_put(l, s, 1);
	else
		line_put(l, text, escape_byte(text, c));
	return 1;
}

/* One character, or one byte that is part of none; so many bytes were taken. */
static size_t
json_put(struct line *l, const char *s, size_t n)
{
	uint32_t code;
	size_t taken = utf8_read((const unsigned char *)s, n, &code);
	char text[7];

	if (code == UNKNOWN) {
		line_put(l, "\\ufffd", 6);
	} else if (code == '"' || code == '\\') {
		snprintf(text, sizeof(text), "\\%c", (char)code);
		line_put(l, text, 2);
	} else if (breaks_lines(code)) {
		snprintf(
			text, sizeof(text), "\\u%04x", (unsigned)code & 0xffff);
		line_put(l, text, 6);
	} else {
		line_put(l, s, taken);
	}
	return taken;
}

/* RFC 3629, section 4: no overlong forms, no surrogates, up to 10FFFF. */
static size_t
utf8_read(const unsigned char *s, size_t n, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc0 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf8 ? 4
				   : 0;
	uint32_t c;
	size_t i;

	*code = UNKNOWN;
	if (len == 0 || len > n)
		return 1;
	c = len == 1 ? s[0] : s[0] & (0xffU >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 1;
	*code = c;
	return len;
}

/* Controls, and what some take for the end of a line. */
static bool
breaks_lines(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029;
}
