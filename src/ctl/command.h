/* command.h - the commands of weirctl: one table makes usage, help, manual and
 * completion. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/cell.h"
#include "ctl/ctl.h"

#define COMMAND_ANY 1000 /* arguments: as many as there are */

/* What an argument is: for completion. */
enum word_kind {
	WORD_NONE,
	WORD_CHANNEL,
	WORD_SERVER,
	WORD_TABLE,
	WORD_VERB, /* of the command table */
	WORD_EXTENSION,
	WORD_EXTENSION_COMMAND,
	WORD_COMMAND,
	WORD_WAITED
};

/* What a command shows that only asks: the answer itself, or a list in it. */
struct view {
	const char *path;
	const char *list; /* NULL: the answer */
	const struct column *columns;
	size_t n;
};

struct command {
	const char *name;
	const char *args; /* as usage shows them */
	unsigned least, most;
	enum word_kind words[3]; /* of the arguments, the last of all others */
	uint32_t options;	 /* beside the common ones */
	const char *help;	 /* the start of a line */
	const char *about;	 /* sentences for the manual; NULL: none */
	int (*run)(struct ctl *c);
	const struct view *view;
};

/* Ends with a row without a name. */
extern const struct command commands[];

/* The row of that name, or NULL. */
const struct command *command_find(const char *name);
/* Those that only show: view.c. */
int view_run(struct ctl *c);
extern const struct view view_status, view_workers, view_generations,
	view_channels, view_top, view_listeners, view_tables, view_config;
/* The others, each by its name; exit status. */
int kill_run(struct ctl *c);
int told_run(struct ctl *c);  /* reload, reopen, drain */
int pause_run(struct ctl *c); /* and resume */
int trace_run(struct ctl *c);
int table_run(struct ctl *c);
int extension_run(struct ctl *c);
int wait_run(struct ctl *c);
int top_run(struct ctl *c);
int help_run(struct ctl *c);

/* The i-th word of the command table, NULL behind the last. */
const char *table_verb(size_t i);
/* Words of the command wait; ends with NULL. */
extern const char *const wait_words[];

#endif
