/* option.h - options of the command line. */
#ifndef CTL_OPTION_H
#define CTL_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/text.h"

/* Id, letter (0: none), name, argument, kind, parameter of the API that it
 * becomes, help.  Those of all commands come first. */
#define OPTIONS(X)                                                             \
	X(SOCKET, 'S', "socket", "PATH", TEXT, NULL,                           \
		"where the API is: a unix socket or http://HOST:PORT")         \
	X(TOKEN_FILE, 0, "token-file", "FILE", TEXT, NULL,                     \
		"file with the token that the API wants over TCP")             \
	X(JSON, 'j', "json", NULL, FLAG, NULL,                                 \
		"print what the API answers as it is")                         \
	X(HELP, 'h', "help", NULL, FLAG, NULL, "print a list and exit")        \
	X(VERSION, 'V', "version", NULL, FLAG, NULL,                           \
		"print the version and exit")                                  \
	X(MAN, 0, "man", NULL, FLAG, NULL,                                     \
		"print the lists of weirctl(1) and exit")                      \
	X(TIMEOUT, 0, "timeout", "TIME", TIME, NULL,                           \
		"wait for at most that time, 10s; reload and wait: 1m; "       \
		"trace: no limit")                                             \
	X(SERVER, 0, "server", "NAME", TEXT, "server",                         \
		"only channels of this server")                                \
	X(CLIENT, 0, "client", "CIDR", NETWORK, "client",                      \
		"only of clients in this network")                             \
	X(BACKEND, 0, "backend", "TEXT", TEXT, "backend",                      \
		"only with TEXT in the backend's address")                     \
	X(STATE, 0, "state", "STATE", TEXT, "state",                           \
		"only in this state, such as joined")                          \
	X(MIN_AGE, 0, "min-age", "TIME", TIME, "min_age_ms",                   \
		"only if open for as long as that")                            \
	X(MIN_IDLE, 0, "min-idle", "TIME", TIME, "min_idle_ms",                \
		"only if nothing has moved for as long as that")               \
	X(SORT, 0, "sort", "KEY", SORT, "sort", "what to sort by: ")           \
	X(REVERSE, 'r', "reverse", NULL, FLAG, "reverse",                      \
		"sort the other way round")                                    \
	X(LIMIT, 'n', "limit", "N", COUNT, "limit", "so many at most")         \
	X(RATE, 0, "rate", "TIME", TIME, "rate_ms",                            \
		"measure rates for that time, not over the whole life")        \
	X(INTERVAL, 'i', "interval", "TIME", TIME, NULL,                       \
		"time from one picture to the next, 2s")                       \
	X(BYTES, 0, "bytes", "N", SIZE, "bytes",                               \
		"show so many bytes of each read and write, 1k at most")       \
	X(PREFIX, 0, "prefix", "TEXT", TEXT, "prefix",                         \
		"only keys that start with TEXT")                              \
	X(TTL, 0, "ttl", "TIME", TIME, NULL, "the row lives for that time")

enum option_id {
#define X(id, letter, name, arg, kind, query, help) OPTION_##id,
	OPTIONS(X)
#undef X
		OPTION_COUNT
};

/* A set of options. */
#define OPTION(id)	(UINT32_C(1) << OPTION_##id)
#define OPTIONS_COMMON	(OPTION(SERVER) - 1)
#define OPTIONS_FILTERS (OPTION(INTERVAL) - OPTION(SERVER))

enum option_kind {
	OPTION_IS_FLAG,
	OPTION_IS_TEXT,
	OPTION_IS_TIME,
	OPTION_IS_COUNT,
	OPTION_IS_SIZE,
	OPTION_IS_NETWORK,
	OPTION_IS_SORT
};

struct option_row {
	char letter;
	const char *name, *arg;
	enum option_kind kind;
	const char *query, *help;
};

extern const struct option_row option_rows[OPTION_COUNT];
/* What channels can be sorted by; ends with NULL. */
extern const char *const option_sorts[];

struct options {
	uint32_t given;
	const char *text[OPTION_COUNT]; /* as it was written */
	int64_t number[OPTION_COUNT];	/* in ms, bytes or as it is */
};

/* Takes the options out of argv (getopt_long(3)), whose other words move to its
 * end; index of the first of these, or -1 after a message. */
int options_parse(struct options *o, int argc, char **argv);
/* Adds those that are parameters of the API to a path. */
void options_query(const struct options *o, struct text *path);
/* "-r, --reverse" or "--limit N"; appended. */
void option_name(enum option_id id, struct text *t);

static inline bool
option_given(const struct options *o, enum option_id id)
{
	return (o->given >> id & 1) != 0;
}

#endif
