/* diag.c - collects everything that is wrong with a configuration. */
#include "conf/diag.h"

#define DIAG_MAX 200 /* messages kept; the rest is counted */

void
diag_map(struct weir_diag *d, unsigned first, const char *file, unsigned line)
{
	struct diag_part *parts = arena_grow(
		d->arena, (void *)d->parts, d->nparts, sizeof(*parts));

	parts[d->nparts++] = (struct diag_part){
		.first = first, .file = file, .line = line
	};
	d->parts = parts;
}

const char *
diag_place(const struct weir_diag *d, const struct place *place)
{
	size_t low = 0, high = d->nparts, mid;
	const struct diag_part *part;

	if (place->where != NULL)
		return place->where;
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (d->parts[mid].first <= place->line)
			low = mid;
		else
			high = mid;
	}
	part = &d->parts[low];
	return arena_printf(d->arena, "%s:%u", part->file,
		part->line + (place->line - part->first));
}

void
diag_verror(struct weir_diag *d, const struct place *place, const char *path,
	const char *fmt, va_list ap)
{
	struct diag_message *m, **at = &d->messages;
	const char *text;
	char *p;

	if (++d->errors > DIAG_MAX)
		return;
	if (path == NULL)
		path = "";
	text = arena_vprintf(d->arena, fmt, ap);
	m = arena_alloc(d->arena, sizeof(*m));
	m->line = place->line;
	p = arena_printf(d->arena, "%s: %s%s%s", diag_place(d, place), path,
		*path != '\0' ? ": " : "", text);
	m->text = p;
	for (; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* names and values with newlines too */
	while (*at != NULL && (*at)->line <= m->line)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
}

void
diag_error(struct weir_diag *d, const struct place *place, const char *path,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_verror(d, place, path, fmt, ap);
	va_end(ap);
}

void
diag_print(const struct weir_diag *d, FILE *err)
{
	const struct diag_message *m;

	for (m = d->messages; m != NULL; m = m->next)
		fprintf(err, "%s\n", m->text);
	if (d->errors > DIAG_MAX)
		fprintf(err, "and %u errors more\n", d->errors - DIAG_MAX);
}

void
weir_error(struct weir_diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_verror(d, d->place, d->path, fmt, ap);
	va_end(ap);
}
