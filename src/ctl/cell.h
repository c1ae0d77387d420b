/* cell.h - values of the API's JSON as text for people. */
#ifndef CTL_CELL_H
#define CTL_CELL_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/text.h"

enum cell_kind {
	CELL_PLAIN,   /* whatever it is, as it is */
	CELL_BYTES,   /* a number of them */
	CELL_RATE,    /* the same, a second */
	CELL_TIME,    /* milliseconds */
	CELL_STATE,   /* a word, some of them in colour */
	CELL_HOLDER,  /* {"middleware", "since_ms"} */
	CELL_WAYS,    /* {"up": {"splice"}, "down"}: s or c each way */
	CELL_COLUMNS, /* an object: "a=1 b=2" */
	CELL_TYPES,   /* [{"name", "type"}]: "a:count, b:value" */
	CELL_WORDS    /* [{"word"}], or texts: "add, del" */
};

struct column {
	const char *title;
	const char *path; /* "up.bytes"; NULL: of the object itself */
	enum cell_kind kind;
	bool is_long;  /* may be cut where there is no room */
	bool is_spare; /* may be left out there */
};

/* What path leads to from json; borrowed, NULL: nothing. */
const json_t *cell_find(const json_t *json, const char *path);
/* Appends the value; "-" for nothing. */
void cell_add(struct text *t, const json_t *value, enum cell_kind kind);
/* Are its values numbers, which end at the same column? */
bool cell_is_number(enum cell_kind kind, const json_t *value);

#endif
