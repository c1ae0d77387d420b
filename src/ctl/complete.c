/* complete.c - what may stand next on a command line. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/complete.h"

#define ASK_MS 1000 /* somebody waits at a prompt */

struct complete {
	const char *start; /* what the word begins with */
	const char *where; /* of the API */
	const struct command *command;
	unsigned nargs;
	const char *args[2]; /* the first */
	int option;	     /* whose argument is completed; -1: none */
};

static void complete_words(struct complete *c, int n, char *const *words);
static int complete_option(const char *word);
static void complete_options(const struct complete *c);
static void complete_argument(const struct complete *c, enum word_kind kind);
static void complete_names(const struct complete *c, const char *path,
	const char *list, const char *key);
static void
complete_list(const struct complete *c, const json_t *list, const char *key);
static void complete_extension(const struct complete *c);
static json_t *complete_ask(const struct complete *c, const char *path);
static void complete_offer(const struct complete *c, const char *word);

int
complete_run(int n, char *const *words)
{
	struct complete c = {
		.start = "", .where = getenv("WEIR_API"), .option = -1
	};
	const struct command *row;
	const char *const *sort;
	size_t last = sizeof(row->words) / sizeof(row->words[0]) - 1;

	complete_words(&c, n, words);
	if (c.option == OPTION_SERVER)
		complete_argument(&c, WORD_SERVER);
	else if (c.option == OPTION_SORT)
		for (sort = option_sorts; *sort != NULL; sort++)
			complete_offer(&c, *sort);
	else if (c.option != -1)
		return CTL_FINE;
	else if (c.start[0] == '-')
		complete_options(&c);
	else if (c.command == NULL)
		complete_argument(&c, WORD_COMMAND);
	else if (c.nargs < c.command->most) {
		row = c.command;
		/* A command whose arguments are all alike says so once. */
		while (last > 0 && row->words[last] == WORD_NONE)
			last--;
		if (row->most < COMMAND_ANY || last > 0)
			last = c.nargs;
		if (last < sizeof(row->words) / sizeof(row->words[0]))
			complete_argument(&c, row->words[last]);
	}
	return CTL_FINE;
}

/* What stands before the last word. */
static void
complete_words(struct complete *c, int n, char *const *words)
{
	int i;

	if (c->where == NULL)
		c->where = CTL_SOCKET;
	for (i = 0; i < n; i++) {
		/* bash makes it a word of its own. */
		if (strcmp(words[i], "=") == 0)
			continue;
		if (i == n - 1)
			c->start = words[i];
		else if (c->option != -1) {
			if (c->option == OPTION_SOCKET)
				c->where = words[i];
			c->option = -1;
		} else if (words[i][0] == '-')
			c->option = complete_option(words[i]);
		else if (c->command == NULL)
			c->command = command_find(words[i]);
		else {
			if (c->nargs < 2)
				c->args[c->nargs] = words[i];
			c->nargs++;
		}
	}
}

/* The option if its argument comes next, else -1. */
static int
complete_option(const char *word)
{
	const struct option_row *row;
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		row = &option_rows[i];
		if (row->arg == NULL)
			continue;
		if (strncmp(word, "--", 2) == 0 &&
			strcmp(word + 2, row->name) == 0)
			return (int)i;
		if (row->letter != 0 && word[1] == row->letter &&
			word[2] == '\0')
			return (int)i;
	}
	return -1;
}

static void
complete_options(const struct complete *c)
{
	uint32_t may = OPTIONS_COMMON & ~OPTION(MAN);
	char name[64];
	size_t i;

	if (c->command != NULL)
		may |= c->command->options;
	for (i = 0; i < OPTION_COUNT; i++) {
		if ((may >> i & 1) == 0)
			continue;
		snprintf(name, sizeof(name), "--%s", option_rows[i].name);
		complete_offer(c, name);
	}
}

static void
complete_argument(const struct complete *c, enum word_kind kind)
{
	const struct command *row;
	size_t i;

	switch (kind) {
	case WORD_NONE:
		break;
	case WORD_CHANNEL:
		complete_names(c, "/v1/channels?limit=100", "channels", "id");
		break;
	case WORD_SERVER:
		complete_names(c, "/v1/listeners", "listeners", "server");
		break;
	case WORD_TABLE:
		complete_names(c, "/v1/tables", "tables", "name");
		break;
	case WORD_EXTENSION:
		complete_names(c, "/v1/extensions", "extensions", "name");
		break;
	case WORD_EXTENSION_COMMAND:
		complete_extension(c);
		break;
	case WORD_VERB:
		for (i = 0; table_verb(i) != NULL; i++)
			complete_offer(c, table_verb(i));
		break;
	case WORD_COMMAND:
		for (row = commands; row->name != NULL; row++)
			complete_offer(c, row->name);
		break;
	case WORD_WAITED:
		for (i = 0; wait_words[i] != NULL; i++)
			complete_offer(c, wait_words[i]);
		break;
	}
}

static void
complete_names(const struct complete *c, const char *path, const char *list,
	const char *key)
{
	json_t *json = complete_ask(c, path);

	complete_list(c, json_object_get(json, list), key);
	json_decref(json);
}

/* Each name once: a server has several listeners, one behind the other. */
static void
complete_list(const struct complete *c, const json_t *list, const char *key)
{
	const char *name, *before = "";
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		name = json_string_value(json_object_get(item, key));
		if (name == NULL || strcmp(name, before) == 0)
			continue;
		complete_offer(c, name);
		before = name;
	}
}

static void
complete_extension(const struct complete *c)
{
	json_t *json = complete_ask(c, "/v1/extensions");
	const json_t *list = json_object_get(json, "extensions"), *item;
	const char *name;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		name = json_string_value(json_object_get(item, "name"));
		if (name != NULL && strcmp(name, c->args[0]) == 0)
			complete_list(
				c, json_object_get(item, "commands"), "word");
	}
	json_decref(json);
}

/* NULL: nobody is there to say. */
static json_t *
complete_ask(const struct complete *c, const char *path)
{
	struct api_request request = {
		.path = path, .limit_ms = ASK_MS, .quiet = true
	};
	struct api *api = api_new(c->where, NULL);
	struct api_answer answer;
	json_t *json = NULL;

	if (api == NULL)
		return NULL;
	if (api_ask(api, &request, &answer) == CTL_FINE)
		json = json_incref(answer.json);
	api_answer_free(&answer);
	api_free(api);
	return json;
}

/* Nothing that a shell would take for something else. */
static void
complete_offer(const struct complete *c, const char *word)
{
	const char *p = word;

	while (isalnum((unsigned char)*p) ||
		(*p != '\0' && strchr("._-=@+", *p) != NULL))
		p++;
	if (*p == '\0' && strncmp(word, c->start, strlen(c->start)) == 0)
		puts(word);
}
