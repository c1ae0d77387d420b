/* extension.c - weirctl ext: extensions and commands of their own. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

static int extensions_show(struct ctl *c);
static int extension_show(struct ctl *c, const json_t *list);
static int extension_do(struct ctl *c);
static int extension_query(struct ctl *c, struct text *path);
static void extension_said(struct ctl *c, const struct api_answer *answer);

static const struct column extension_columns[] = {
	{ "NAME", "name", CELL_PLAIN, 0, 0 },
	{ "TYPE", "type", CELL_PLAIN, 0, 0 },
	{ "STATE", "state", CELL_STATE, 0, 0 },
	{ "COMMANDS", "commands", CELL_WORDS, 0, 0 },
};
static const struct column word_columns[] = {
	{ "WORD", "word", CELL_PLAIN, 0, 0 },
	{ "READS", "reads", CELL_PLAIN, 0, 0 },
	{ "HELP", "help", CELL_PLAIN, 0, 0 },
};

int
extension_run(struct ctl *c)
{
	return c->nargs < 2 ? extensions_show(c) : extension_do(c);
}

static int
extensions_show(struct ctl *c)
{
	struct api_request request = { .path = "/v1/extensions" };
	struct api_answer answer;
	const json_t *list;
	int status = ctl_ask(c, &request, &answer);

	list = json_object_get(answer.json, "extensions");
	if (status == CTL_FINE && !ctl_is_json(c)) {
		if (c->nargs == 0)
			table_show(&c->style, list, extension_columns, 4);
		else
			status = extension_show(c, list);
	}
	api_answer_free(&answer);
	return status;
}

/* What one of them can do. */
static int
extension_show(struct ctl *c, const json_t *list)
{
	const json_t *item;
	const char *name;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		name = json_string_value(json_object_get(item, "name"));
		if (name == NULL || strcmp(name, c->args[0]) != 0)
			continue;
		table_show(&c->style, json_object_get(item, "commands"),
			word_columns, 3);
		return CTL_FINE;
	}
	ctl_say("there is no extension \"%s\"; weirctl ext lists them",
		c->args[0]);
	return CTL_FAILED;
}

static int
extension_do(struct ctl *c)
{
	struct api_request request = { .method = "POST", .any = true };
	struct api_answer answer;
	struct text path = { 0 };
	int status = extension_query(c, &path);

	if (status == CTL_FINE) {
		request.path = text_of(&path);
		status = ctl_ask(c, &request, &answer);
		if (status == CTL_FINE && !ctl_is_json(c))
			extension_said(c, &answer);
		api_answer_free(&answer);
	}
	text_free(&path);
	return status;
}

/* The whole path, with KEY=VALUE as its query. */
static int
extension_query(struct ctl *c, struct text *path)
{
	struct text key = { 0 };
	int status = CTL_FINE;
	const char *equals;
	size_t i;

	text_add(path, "/v1/extensions/");
	text_add_part(path, c->args[0]);
	text_add(path, "/");
	text_add_part(path, c->args[1]);
	for (i = 2; i < c->nargs && status == CTL_FINE; i++) {
		equals = strchr(c->args[i], '=');
		if (equals == NULL || equals == c->args[i]) {
			status = ctl_usage(c->command,
				"KEY=VALUE is wanted, not \"%s\"", c->args[i]);
			continue;
		}
		text_clear(&key);
		text_add_bytes(&key, c->args[i], (size_t)(equals - c->args[i]));
		text_add_query(path, text_of(&key), equals + 1);
	}
	text_free(&key);
	return status;
}

/* JSON as tables, and text line by line. */
static void
extension_said(struct ctl *c, const struct api_answer *answer)
{
	const char *p = text_of(&answer->text), *end = p + answer->text.n;
	struct text line = { 0 };
	size_t n;

	if (json_is_object(answer->json) || json_is_array(answer->json)) {
		table_show_any(&c->style, answer->json);
		return;
	}
	for (; p < end; p += n + 1) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		n = (size_t)((stop != NULL ? stop : end) - p);
		text_clear(&line);
		text_add_plain(&line, p, n);
		puts(text_of(&line));
	}
	text_free(&line);
}
