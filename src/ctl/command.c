/* command.c - the table of commands. */
#include <string.h>

#include "ctl/command.h"

const struct command commands[] = {
	{ "status", "", 0, 0, { WORD_NONE }, 0,
		"what runs, and how much it has carried", NULL, view_run,
		&view_status },
	{ "workers", "", 0, 0, { WORD_NONE }, 0,
		"the workers of all generations",
		"ANSWER is how long the worker took to answer.", view_run,
		&view_workers },
	{ "generations", "", 0, 0, { WORD_NONE }, 0,
		"the configurations that still run",
		"A reload starts a new one; the one before drains until its "
		"channels are gone.",
		view_run, &view_generations },
	{ "channels", "", 0, 0, { WORD_NONE }, OPTIONS_FILTERS,
		"the channels of all workers",
		"HOW is s where the kernel moves the bytes by itself, which is "
		"splice(2), and c where they are copied, to the backend first "
		"and then to the client. HOLDER is the middleware that holds "
		"bytes now, and since when. Rates are over the life of the "
		"channel; --rate measures them.",
		view_run, &view_channels },
	{ "top", "", 0, 0, { WORD_NONE },
		OPTION(SERVER) | OPTION(CLIENT) | OPTION(BACKEND) |
			OPTION(STATE) | OPTION(MIN_AGE) | OPTION(MIN_IDLE) |
			OPTION(SORT) | OPTION(REVERSE) | OPTION(INTERVAL),
		"the busiest channels, live",
		"It needs a terminal. Keys: s and the arrows to the left and "
		"right sort by something else, r the other way round; the "
		"arrows up and down, Page Up and Page Down scroll; q leaves.",
		top_run, &view_top },
	{ "kill", "ID ...", 1, COMMAND_ANY, { WORD_CHANNEL }, 0,
		"end channels, with reason killed", NULL, kill_run, NULL },
	{ "trace", "ID|CIDR", 1, 1, { WORD_CHANNEL }, OPTION(BYTES),
		"what happens on a channel, live",
		"With a network: on every channel of its clients, also those "
		"that come later. It ends when it is interrupted, or with the "
		"channel. --bytes shows data too, in hexadecimal and as text: "
		"that may be confidential, and is for those who may operate.",
		trace_run, NULL },
	{ "reload", "", 0, 0, { WORD_NONE }, 0, "read the configuration again",
		"It waits for the outcome, for a minute at most, and fails as "
		"the reload does; then all is as before.",
		told_run, NULL },
	{ "reopen", "", 0, 0, { WORD_NONE }, 0, "open the log files again",
		NULL, told_run, NULL },
	{ "drain", "", 0, 0, { WORD_NONE }, 0,
		"take no new connections; channels end in their own time", NULL,
		told_run, NULL },
	{ "pause", "SERVER", 1, 1, { WORD_SERVER }, 0,
		"let new connections of a server wait",
		"They wait in the backlog of its sockets, and are not refused; "
		"channels that are there go on. It stays so over a crash and "
		"a reload.",
		pause_run, NULL },
	{ "resume", "SERVER", 1, 1, { WORD_SERVER }, 0,
		"accept the connections of a paused server", NULL, pause_run,
		NULL },
	{ "listeners", "", 0, 0, { WORD_NONE }, 0,
		"the addresses that are listened on",
		"BACKLOG is how many connections wait to be accepted.",
		view_run, &view_listeners },
	{ "tables", "", 0, 0, { WORD_NONE }, 0, "the tables in shared memory",
		NULL, view_run, &view_tables },
	{ "table", "NAME show|get|set|del|clear [KEY] [COLUMN=VALUE ...]", 2,
		COMMAND_ANY, { WORD_TABLE, WORD_VERB, WORD_NONE },
		OPTION(LIMIT) | OPTION(PREFIX) | OPTION(TTL),
		"rows of a table: see them, set them, delete them",
		"show lists rows; get KEY shows one; set KEY COLUMN=VALUE "
		"changes one, or makes it, and several columns at once; del "
		"KEY deletes one, and clear all "
		"of them.",
		table_run, NULL },
	{ "config", "", 0, 0, { WORD_NONE }, 0,
		"every setting, its default and where it comes from", NULL,
		view_run, &view_config },
	{ "ext", "[NAME [WORD [KEY=VALUE ...]]]", 0, COMMAND_ANY,
		{ WORD_EXTENSION, WORD_EXTENSION_COMMAND, WORD_NONE }, 0,
		"the extensions, and commands of their own",
		"Without WORD it lists what there is; with it, it lets that "
		"extension do what the word says, as in: weirctl ext denylist "
		"list.",
		extension_run, NULL },
	{ "wait", "drained|generation=N", 1, 1, { WORD_WAITED }, 0,
		"wait until it is so",
		"drained: no channel is left in any generation that drains. "
		"generation=N: that generation serves, or a later one.",
		wait_run, NULL },
	{ "help", "[COMMAND]", 0, 1, { WORD_COMMAND }, 0,
		"this list, or more of one command", NULL, help_run, NULL },
	{ 0 },
};

const struct command *
command_find(const char *name)
{
	const struct command *row;

	for (row = commands; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}
