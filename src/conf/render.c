/* render.c - what formats say of a channel. */
#include <string.h>

#include "conf/format.h"
#include "conf/line.h"
#include "conf/reading.h"

static void
member_put(struct line *l, const struct format_part *part, struct reading *r);

size_t
weir_format_text(const struct weir_call *c, const struct weir_format *f,
	enum weir_escape escape, char *text, size_t size)
{
	struct line l = { .text = text, .size = size };
	struct reading r = { .c = c };
	struct weir_value v;
	size_t i;

	for (i = 0; f != NULL && i < f->n && !l.full; i++) {
		if (f->parts[i].var == NULL) {
			line_copy(&l, f->parts[i].text, f->parts[i].len);
			continue;
		}
		reading_get(&r, f->parts[i].var, &v);
		if (escape == WEIR_ESCAPE_PLAIN && !f->parts[i].quoted)
			line_word(&l, &v);
		else
			line_value(&l, &v, escape);
	}
	return line_end(&l);
}

size_t
weir_format_json(const struct weir_call *c, const struct weir_format *f,
	char *text, size_t size)
{
	/* One byte is kept for the bracket. */
	struct line l = { .text = text, .size = size > 0 ? size - 1 : 0 };
	struct reading r = { .c = c };
	size_t i, before;

	line_put(&l, "{", 1);
	for (i = 0; f != NULL && i < f->n && l.len > 0; i++) {
		if (f->parts[i].var == NULL || f->parts[i].again)
			continue;
		before = l.len;
		member_put(&l, &f->parts[i], &r);
		if (l.full)
			l.len = before;
		l.full = false;
	}
	l.size = size;
	if (l.len > 0)
		line_put(&l, "}", 1);
	return line_end(&l);
}

static void
member_put(struct line *l, const struct format_part *part, struct reading *r)
{
	struct weir_value v;

	if (l->len > 1)
		line_put(l, ",", 1);
	line_json_text(l, part->var->name, strlen(part->var->name));
	line_put(l, ":", 1);
	reading_get(r, part->var, &v);
	line_json(l, &v);
}
