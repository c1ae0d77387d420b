/* described.c - what a module says of itself is of use to people. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conf/option.h"
#include "conf/scan.h"
#include "lib/described.h"

void
assert_sentence(const char *what, const char *text)
{
	if (text == NULL || !isupper((unsigned char)text[0]) ||
		text[strlen(text) - 1] != '.' || strchr(text, '\n') != NULL)
		fail_msg("the help of %s is no sentence: %s", what, text);
}

void
assert_key(const char *key)
{
	if (*key == '\0' ||
		key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")] !=
			'\0')
		fail_msg("no good name: %s", key);
}

static bool
row_is_required(const struct weir_opt *row)
{
	return row->def == NULL && (row->flags & WEIR_OPTIONAL) == 0 &&
	       row->type != WEIR_T_GROUP;
}

unsigned
assert_rows(const struct weir_opt *rows)
{
	const struct weir_opt *row, *other;
	unsigned required = 0;

	for (row = rows; row != NULL && row->key != NULL; row++) {
		assert_key(row->key);
		assert_sentence(row->key, row->help);
		for (other = rows; other < row; other++)
			assert_string_not_equal(other->key, row->key);
		assert_true(row->min <= row->max);
		if (option_is_list(row->type) || option_is_groups(row->type))
			assert_in_range(row->max, 0, SCAN_ENTRIES_MAX);
		required += row_is_required(row);
		if (row->rows != NULL)
			assert_rows(row->rows->opts);
	}
	return required;
}

void
assert_rows_apart(const struct weir_opt *rows, const struct weir_opt *common)
{
	const struct weir_opt *row;

	for (row = common; row->key != NULL; row++)
		if (option_find(rows, row->key, strlen(row->key)) != NULL)
			fail_msg("every entry has \"%s\" already", row->key);
}

void
assert_defaults(const char *module, const struct weir_opt *rows,
	const char *example, const char *said)
{
	unsigned required = assert_rows(rows), lines = 0;
	const char *line;

	for (line = said; *line != '\0'; line = strchr(line, '\n') + 1)
		lines++;
	if (required == 0 && example == NULL && lines > 0)
		fail_msg("%s has bad defaults, or wants an .example: %s",
			module, said);
	if (required > 0 && lines != required)
		fail_msg("%u options are required: %s", required, said);
	if (required > 0 && strstr(said, " is missing") == NULL)
		fail_msg("%s", said);
}
