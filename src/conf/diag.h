/* diag.h - collects everything that is wrong with a configuration. */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "api/option.h"
#include "base/arena.h"

/* Where something was written. */
struct place {
	unsigned line;	    /* of the text with its includes expanded, from 1 */
	const char *origin; /* "-o", "environment", "default"; NULL: a file */
	const char *where;  /* what to call it in a message; NULL: file:line */
};

/* From this expanded line on, lines are those of a file. */
struct diag_part {
	unsigned first;
	const char *file;
	unsigned line;
};

struct diag_message {
	struct diag_message *next;
	unsigned line;
	const char *text;
};

struct texts;

struct weir_diag {
	struct arena *arena;
	struct texts *texts; /* where files are kept or taken from; NULL */
	const struct diag_part *parts; /* of rising first */
	size_t nparts;
	struct diag_message *messages; /* in order of their lines */
	unsigned errors;
	/* What weir_error() puts in front. */
	const struct place *place;
	const char *path;
};

/* From expanded line first on, lines are those of file from line on; file must
 * live as long as the arena. */
void
diag_map(struct weir_diag *d, unsigned first, const char *file, unsigned line);
/* "weir.conf:12", or what else the place is called; lives in the arena. */
const char *diag_place(const struct weir_diag *d, const struct place *place);
/* Adds "PLACE: PATH: message"; path may be NULL or "". */
void
diag_error(struct weir_diag *d, const struct place *place, const char *path,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void
diag_verror(struct weir_diag *d, const struct place *place, const char *path,
	const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));
/* Writes all messages, one line each, in order of their places. */
void diag_print(const struct weir_diag *d, FILE *err);

#endif
