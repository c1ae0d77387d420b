/* ctl.h - one run of weirctl. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/api.h"
#include "ctl/option.h"
#include "ctl/style.h"

#define CTL_SOCKET "/run/weir.api"

/* Exit statuses: id, value, meaning. */
#define CTL_STATUSES(X)                                                        \
	X(FINE, 0, "What was asked for is done, or printed.")                  \
	X(FAILED, 1, "weir refused it, or could not do it.")                   \
	X(USAGE, 2, "The command line is wrong; weir was not asked.")          \
	X(UNREACHED, 3,                                                        \
		"weir cannot be reached, or what answers is not weir.")        \
	X(LATE, 4, "What wait waits for has not come in time.")

enum ctl_status {
#define X(id, value, text) CTL_##id = value,
	CTL_STATUSES(X)
#undef X
};

struct command;

struct ctl {
	const struct command *command;
	struct options options;
	char *const *args; /* behind the command's name */
	size_t nargs;
	struct api *api;
	struct style style; /* of stdout */
};

/* Writes "weirctl: text" to stderr. */
void ctl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where to read on; returns CTL_USAGE. */
int ctl_usage(const struct command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
_Noreturn void ctl_out_of_memory(void);
/* Asks as api_ask() does.  Workers that were silent are named on stderr, and
 * with --json the answer is printed as it came. */
int ctl_ask(struct ctl *c, const struct api_request *request,
	struct api_answer *answer);

/* Does --json ask for answers as they come? */
static inline bool
ctl_is_json(const struct ctl *c)
{
	return option_given(&c->options, OPTION_JSON);
}

#endif
