/* value.c - one scalar of an option row, from text and as text. */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "api/option.h"
#include "base/near.h"
#include "base/units.h"
#include "conf/late.h"
#include "conf/logfile.h"
#include "conf/network.h"
#include "conf/value.h"

#define TIME_MAX (49 * INT64_C(86400000)) /* whole days that fit the field */

/* type, word, scalar type, C type of a scalar, what is wanted */
#define TYPES(X)                                                               \
	X(BOOL, "boolean", BOOL, bool, "true or false")                        \
	X(INT, "integer", INT, int64_t, "an integer")                          \
	X(SIZE, "size", SIZE, size_t, "a size such as 64 or \"64k\"")          \
	X(TIME, "time", TIME, uint32_t, "a time such as \"300ms\" or \"30s\"") \
	X(CHOICE, "choice", CHOICE, int, "a choice")                           \
	X(STRING, "string", STRING, const char *, "a string")                  \
	X(STRINGS, "list of strings", STRING, const char *, "a string")        \
	X(ADDR, "address", ADDR, struct weir_addr,                             \
		"an address such as \"127.0.0.1:80\"")                         \
	X(ADDRS, "list of addresses", ADDR, struct weir_addr,                  \
		"an address such as \"127.0.0.1:80\"")                         \
	X(CIDRS, "list of networks", CIDRS, struct weir_cidr,                  \
		"a network such as \"10.0.0.0/8\"")                            \
	X(LOGFILE, "log target", LOGFILE, const struct weir_logfile *,         \
		"\"stderr\", \"syslog\" or the path of a file")                \
	X(FORMAT, "format", FORMAT, const struct weir_format *,                \
		"text with variables such as \"%{client.addr}\"")              \
	X(CONDITION, "condition", CONDITION, const struct weir_condition *,    \
		"a condition such as \"client.ip in 10.0.0.0/8\"")             \
	X(GROUP, "group", GROUP, char, "a group { ... }")                      \
	X(GROUPS, "list of groups", GROUP, char, "a group { ... }")            \
	X(MODULES, "list of middlewares", GROUP, char, "a group { ... }")

static const struct {
	const char *word;
	enum weir_type scalar;
	size_t size;
	const char *wanted;
} types[] = {
#define X(id, word, scalar, type, wanted)                                      \
	[WEIR_T_##id] = { word, WEIR_T_##scalar, sizeof(type), wanted },
	TYPES(X)
#undef X
};

static const char *number_set(struct arena *a, const struct weir_opt *row,
	const char *text, void *field);
static const char *choice_set(struct arena *a, const struct weir_opt *row,
	const char *text, int *field);
static const char *string_set(struct arena *a, const struct weir_opt *row,
	const char *text, const char **field);
static const char *logfile_set(struct arena *a, const struct weir_opt *row,
	const char *text, const struct weir_logfile **field);
static const char *
number_text(struct arena *a, const struct weir_opt *row, int64_t value);
static int64_t number_max(const struct weir_opt *row);
static bool has_range(const struct weir_opt *row);
static const char *choices_text(struct arena *a, const struct weir_opt *row);

enum weir_type
value_type(const struct weir_opt *row)
{
	return types[row->type].scalar;
}

size_t
value_size(enum weir_type type)
{
	return types[type].size;
}

const char *
value_word(enum weir_type type)
{
	return types[type].word;
}

const char *
value_wanted(struct arena *a, const struct weir_opt *row)
{
	const char *wanted = row->type == WEIR_T_CHOICE
				     ? choices_text(a, row)
				     : types[row->type].wanted;

	if (row->flags & WEIR_OFF)
		wanted = arena_printf(a, "%s, or \"off\"", wanted);
	return wanted;
}

const char *
value_range(struct arena *a, const struct weir_opt *row)
{
	if (!has_range(row))
		return NULL;
	return arena_printf(a, "%s..%s", number_text(a, row, row->min),
		number_text(a, row, number_max(row)));
}

const char *
value_set(struct arena *a, const struct weir_opt *row, const char *text,
	void *field)
{
	const char *why = NULL, *p;

	for (p = text; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && strchr("\t\n\r", *p) == NULL) ||
			*p == 0x7f)
			return "has control characters";
	switch (value_type(row)) {
	case WEIR_T_BOOL:
		*(bool *)field = strcmp(text, "true") == 0;
		if (!*(bool *)field && strcmp(text, "false") != 0)
			why = "not true or false";
		return why;
	case WEIR_T_CHOICE:
		return choice_set(a, row, text, field);
	case WEIR_T_ADDR:
		return addr_parse(field, text, &why) == -1 ? why : NULL;
	case WEIR_T_CIDRS:
		return network_parse(a, field, text, &why) == -1 ? why : NULL;
	case WEIR_T_LOGFILE:
		return logfile_set(a, row, text, field);
	case WEIR_T_STRING:
		return string_set(a, row, text, field);
	case WEIR_T_FORMAT:
	case WEIR_T_CONDITION:
		if (*text == '\0' && row->type == WEIR_T_FORMAT)
			return "empty";
		why = string_set(a, row, text, &text);
		*(const void **)field =
			text != NULL ? late_new(a, row->type, text) : NULL;
		return why;
	default:
		return number_set(a, row, text, field);
	}
}

const char *
value_text(struct arena *a, const struct weir_opt *row, const void *field)
{
	const struct weir_logfile *const *file = field;
	char text[WEIR_ADDR_TEXT];
	const char *s;

	switch (value_type(row)) {
	case WEIR_T_BOOL:
		return *(const bool *)field ? "true" : "false";
	case WEIR_T_CHOICE:
		return row->choices[*(const int *)field];
	case WEIR_T_ADDR:
		return arena_strdup(a, weir_addr_text(field, text));
	case WEIR_T_CIDRS:
		return arena_strdup(a, weir_cidr_text(field, text));
	case WEIR_T_INT:
		return number_text(a, row, *(const int64_t *)field);
	case WEIR_T_SIZE:
		return number_text(a, row, (int64_t) * (const size_t *)field);
	case WEIR_T_TIME:
		return number_text(a, row, *(const uint32_t *)field);
	case WEIR_T_FORMAT:
	case WEIR_T_CONDITION:
		if (*(const void *const *)field != NULL)
			return late_text(
				row->type, *(const void *const *)field);
		return row->flags & WEIR_OFF ? "off" : "";
	default:
		if (value_type(row) == WEIR_T_LOGFILE)
			s = *file != NULL ? (*file)->text : NULL;
		else
			s = *(const char *const *)field;
		if (s == NULL)
			s = row->flags & WEIR_OFF ? "off" : "";
		return s;
	}
}

static const char *
number_set(struct arena *a, const struct weir_opt *row, const char *text,
	void *field)
{
	bool off = (row->flags & WEIR_OFF) != 0 && strcmp(text, "off") == 0;
	const char *why;
	int64_t v = 0;
	int err = 0;

	if (!off && row->type == WEIR_T_TIME)
		err = units_time(text, &v, &why);
	else if (!off && row->type == WEIR_T_SIZE)
		err = units_size(text, &v, &why);
	else if (!off)
		err = units_int(text, &v, &why);
	if (err == -1)
		return why;
	if (v == 0 && (row->flags & WEIR_OFF) != 0)
		off = true;
	if (!off && (has_range(row) ? v < row->min || v > number_max(row)
				    : v > number_max(row)))
		return arena_printf(a, "out of range %s..%s",
			number_text(a, row, row->min),
			number_text(a, row, number_max(row)));
	if (row->type == WEIR_T_TIME)
		*(uint32_t *)field = (uint32_t)v;
	else if (row->type == WEIR_T_SIZE)
		*(size_t *)field = (size_t)v;
	else
		*(int64_t *)field = v;
	return NULL;
}

static const char *
choice_set(struct arena *a, const struct weir_opt *row, const char *text,
	int *field)
{
	struct near near = { .word = text };
	int i;

	for (i = 0; row->choices[i] != NULL; i++) {
		if (strcmp(row->choices[i], text) == 0) {
			*field = i;
			return NULL;
		}
		near_try(&near, row->choices[i]);
	}
	if (near.best != NULL)
		return arena_printf(
			a, "unknown (did you mean \"%s\"?)", near.best);
	return arena_printf(a, "not %s", choices_text(a, row));
}

static const char *
string_set(struct arena *a, const struct weir_opt *row, const char *text,
	const char **field)
{
	size_t n = strlen(text);

	if ((row->flags & WEIR_OFF) != 0 && strcmp(text, "off") == 0) {
		*field = NULL;
		return NULL;
	}
	if (row->type == WEIR_T_STRING && has_range(row) &&
		(n < (uint64_t)row->min || n > (uint64_t)row->max))
		return arena_printf(a,
			"must be %" PRId64 " to %" PRId64 " bytes long",
			row->min, row->max);
	*field = text;
	return NULL;
}

static const char *
logfile_set(struct arena *a, const struct weir_opt *row, const char *text,
	const struct weir_logfile **field)
{
	if (*text == '\0')
		return "empty";
	*field = (row->flags & WEIR_OFF) != 0 && strcmp(text, "off") == 0
			 ? NULL
			 : logfile_new(a, text);
	return NULL;
}

static const char *
number_text(struct arena *a, const struct weir_opt *row, int64_t value)
{
	char text[UNITS_TEXT];

	if (value == 0 && (row->flags & WEIR_OFF) != 0)
		return "off";
	if (row->type == WEIR_T_TIME)
		return arena_strdup(a, units_time_text(value, text));
	if (row->type == WEIR_T_SIZE)
		return arena_strdup(a, units_size_text(value, text));
	return arena_printf(a, "%" PRId64, value);
}

/* The row's, or what the field can hold. */
static int64_t
number_max(const struct weir_opt *row)
{
	if (row->max != 0 || row->min < 0)
		return row->max;
	return row->type == WEIR_T_TIME ? TIME_MAX : INT64_MAX;
}

static bool
has_range(const struct weir_opt *row)
{
	return row->min != 0 || row->max != 0;
}

static const char *
choices_text(struct arena *a, const struct weir_opt *row)
{
	const char *text = "", *const * c;

	for (c = row->choices; *c != NULL; c++)
		text = arena_printf(a, "%s%s\"%s\"", text,
			c == row->choices ? ""
			: c[1] == NULL	  ? " or "
					  : ", ",
			*c);
	return text;
}
