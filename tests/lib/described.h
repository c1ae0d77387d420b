/* described.h - what a module says of itself is of use to people. */
#ifndef LIB_DESCRIBED_H
#define LIB_DESCRIBED_H

#include "api/option.h"

/* Help is one sentence with its full stop; what names whose it is. */
void assert_sentence(const char *what, const char *text);
/* A name that can stand in a file, and in a path of the API. */
void assert_key(const char *key);
/* Options have names, sentences and bounds; how many must be given. */
unsigned assert_rows(const struct weir_opt *rows);
/* None of them is one that every entry has already. */
void
assert_rows_apart(const struct weir_opt *rows, const struct weir_opt *common);
/* What is said against an entry without options is that required ones are
 * missing, and nothing else; example: that of its module. */
void assert_defaults(const char *module, const struct weir_opt *rows,
	const char *example, const char *said);

#endif
