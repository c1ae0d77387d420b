/* option.h - option rows: one table is parser, messages, help and manual. */
#ifndef WEIR_OPTION_H
#define WEIR_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"

enum weir_type {
	WEIR_T_END,
	WEIR_T_BOOL,	  /* bool */
	WEIR_T_INT,	  /* int64_t */
	WEIR_T_SIZE,	  /* size_t, bytes: 64 "64k" "16M" */
	WEIR_T_TIME,	  /* uint32_t, milliseconds: 30 "300ms" "10m" */
	WEIR_T_CHOICE,	  /* int, index into choices */
	WEIR_T_STRING,	  /* const char * */
	WEIR_T_STRINGS,	  /* struct weir_list of const char * */
	WEIR_T_ADDR,	  /* struct weir_addr */
	WEIR_T_ADDRS,	  /* struct weir_list of struct weir_addr */
	WEIR_T_CIDRS,	  /* struct weir_list of struct weir_cidr */
	WEIR_T_LOGFILE,	  /* const struct weir_logfile *: stderr, syslog, a path
			   */
	WEIR_T_FORMAT,	  /* const struct weir_format *: text with variables */
	WEIR_T_CONDITION, /* const struct weir_condition * over variables */
	WEIR_T_GROUP,	  /* a struct described by rows */
	WEIR_T_GROUPS,	  /* struct weir_list of such structs */
	WEIR_T_MODULES	  /* the core's own: a list of modules */
};

enum weir_opt_flag {
	WEIR_OPTIONAL = 1,	   /* may be absent though it has no default */
	WEIR_OFF = 2,		   /* 0 and "off" mean none */
	WEIR_NOT_BUILT = 4,	   /* refused: "not built in yet" */
	WEIR_NEEDS_START = 8,	   /* a reload cannot change it */
	WEIR_NAMES_EXTENSION = 32, /* a string: the name of an entry of
				    * extensions, of type choices[0] if there
				    * are choices */
	WEIR_BARE = 16, /* strings of which a number or false needs no quotes */
	WEIR_FOR_OPEN = 64,  /* a format that .open wants: of variables that are
			      * known then */
	WEIR_FOR_BYTES = 128 /* the same, of .up and .down */
};

/* A log file of the configuration, opened before the workers start. */
struct weir_logfile;
/* Both are compiled when the whole chain is known, after .check. */
struct weir_format;
struct weir_condition;

struct weir_list {
	size_t n;
	void *v;
};

/* A network: the first bits of an IPv6 (or v4-mapped IPv4) address. */
struct weir_cidr {
	uint8_t addr[16];
	uint8_t bits; /* 0..128 */
	bool all;     /* "all": every address, and those without an IP too */
};

/* Parses "10.0.0.0/8", "::1", "fd00::/8", "all": 0, or -1, and *why (a literal)
 * is what is wrong. */
int weir_cidr_parse(struct weir_cidr *c, const char *text, const char **why);
/* Network as text ("10.0.0.0/8"); returns text. */
const char *
weir_cidr_text(const struct weir_cidr *c, char text[static WEIR_ADDR_TEXT]);
/* Parses "300ms", "30s", "10m", "1h", "1d", or seconds; as weir_cidr_parse().*/
int weir_time_parse(uint32_t *ms, const char *text, const char **why);
/* Is the address in the network?  A v4-mapped one is an IPv4 one, and those are
 * in IPv4 networks only: in 0.0.0.0/0, not in ::/0.  One without an IP (a unix
 * socket's) is in "all" only. */
bool weir_cidr_has(const struct weir_cidr *net, const struct weir_addr *a);
/* Makes *to a sorted copy of a list of networks, without those inside others,
 * for weir_cidrs_have(); to->v is the caller's to free, NULL when the list is
 * empty.  0, or -1 with errno. */
int weir_cidrs_sort(struct weir_list *to, const struct weir_list *nets);
/* Is the address in one of these networks?  Time grows with the logarithm of
 * their number. */
bool weir_cidrs_have(const struct weir_list *sorted, const struct weir_addr *a);

struct weir_opt {
	const char *key;
	enum weir_type type;
	unsigned flags;
	size_t off;	  /* of the field in the module's struct conf */
	const char *def;  /* as written in a file; NULL: must be given */
	int64_t min, max; /* both 0: whatever the field can hold */
	const char *const *choices;   /* ends with NULL */
	const struct weir_rows *rows; /* of a group */
	const char *help;	      /* sentences with their full stops */
};

/* Rows of one kind of group, and the size of the struct they fill. */
struct weir_rows {
	const struct weir_opt *opts; /* ends with WEIR_OPT_END */
	size_t size;
	const char *shorthand; /* key that a bare string stands for, or NULL */
};

/* Offset of field f, or a compile error that says what it has to be when its
 * type is not T. */
#define WEIR_FIELD(S, f, T)                                                    \
	(offsetof(S, f) + 0 * sizeof(struct {                                  \
		_Static_assert(_Generic(((S *)0)->f, T : 1, default : 0),      \
			"field " #f " of this option has to be: " #T " " #f);  \
		char c;                                                        \
	}))
#define WEIR_ROW(k, t, S, f, T, ...)                                           \
	{                                                                      \
		.key = (k), .type = (t), .off = WEIR_FIELD(S, f, T),           \
		__VA_ARGS__                                                    \
	}
#define WEIR_BOOL(k, S, f, ...)                                                \
	WEIR_ROW(k, WEIR_T_BOOL, S, f, bool, __VA_ARGS__)
#define WEIR_INT(k, S, f, ...)                                                 \
	WEIR_ROW(k, WEIR_T_INT, S, f, int64_t, __VA_ARGS__)
#define WEIR_SIZE(k, S, f, ...)                                                \
	WEIR_ROW(k, WEIR_T_SIZE, S, f, size_t, __VA_ARGS__)
#define WEIR_TIME(k, S, f, ...)                                                \
	WEIR_ROW(k, WEIR_T_TIME, S, f, uint32_t, __VA_ARGS__)
#define WEIR_CHOICE(k, S, f, ...)                                              \
	WEIR_ROW(k, WEIR_T_CHOICE, S, f, int, __VA_ARGS__)
#define WEIR_STRING(k, S, f, ...)                                              \
	WEIR_ROW(k, WEIR_T_STRING, S, f, const char *, __VA_ARGS__)
#define WEIR_STRINGS(k, S, f, ...)                                             \
	WEIR_ROW(k, WEIR_T_STRINGS, S, f, struct weir_list, __VA_ARGS__)
#define WEIR_ADDRESS(k, S, f, ...)                                             \
	WEIR_ROW(k, WEIR_T_ADDR, S, f, struct weir_addr, __VA_ARGS__)
#define WEIR_ADDRESSES(k, S, f, ...)                                           \
	WEIR_ROW(k, WEIR_T_ADDRS, S, f, struct weir_list, __VA_ARGS__)
#define WEIR_CIDRS(k, S, f, ...)                                               \
	WEIR_ROW(k, WEIR_T_CIDRS, S, f, struct weir_list, __VA_ARGS__)
#define WEIR_LOGFILE(k, S, f, ...)                                             \
	WEIR_ROW(k, WEIR_T_LOGFILE, S, f, const struct weir_logfile *,         \
		__VA_ARGS__)
#define WEIR_FORMAT(k, S, f, ...)                                              \
	WEIR_ROW(k, WEIR_T_FORMAT, S, f, const struct weir_format *,           \
		__VA_ARGS__)
#define WEIR_CONDITION(k, S, f, ...)                                           \
	WEIR_ROW(k, WEIR_T_CONDITION, S, f, const struct weir_condition *,     \
		__VA_ARGS__)
#define WEIR_GROUPS(k, S, f, ...)                                              \
	WEIR_ROW(k, WEIR_T_GROUPS, S, f, struct weir_list, __VA_ARGS__)
#define WEIR_OPT_END                                                           \
	{                                                                      \
		.key = NULL                                                    \
	}

/* Where errors of a configuration go; the place is known to it. */
struct weir_diag;

/* Reports that options of an instance do not fit together. */
void weir_error(struct weir_diag *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
