/* act.c - commands that weir does by a word. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/id.h"

#define TOLD_MS 70000 /* weir gives a reload a minute */

static int act_post(struct ctl *c, const char *path, int64_t limit_ms,
	struct api_answer *answer);
static void act_line(FILE *f, const json_t *text);

int
kill_run(struct ctl *c)
{
	struct api_answer answer;
	struct text path = { 0 };
	int status, all = CTL_FINE;
	size_t i;

	for (i = 0; i < c->nargs; i++)
		if (!id_fits(c->args[i]))
			return ctl_usage(c->command,
				"\"%s\" is no id of a channel, as 2.0.17 is "
				"one: weirctl channels lists them",
				c->args[i]);
	for (i = 0; i < c->nargs && all != CTL_UNREACHED; i++) {
		text_clear(&path);
		text_add(&path, "/v1/channels/");
		text_add_part(&path, c->args[i]);
		text_add(&path, "/kill");
		status = act_post(c, text_of(&path), 0, &answer);
		if (status != CTL_FINE)
			all = status;
		else if (!ctl_is_json(c))
			printf("%s: killed\n", c->args[i]);
		api_answer_free(&answer);
	}
	text_free(&path);
	return all;
}

int
told_run(struct ctl *c)
{
	const json_t *outcome;
	struct api_answer answer;
	struct text path = { 0 };
	FILE *f = stdout;
	int status;

	text_add_fmt(&path, "/v1/%s", c->command->name);
	status = act_post(c, text_of(&path), TOLD_MS, &answer);
	if (status == CTL_FINE &&
		json_integer_value(json_object_get(answer.json, "code")) != 0)
		status = CTL_FAILED;
	if (answer.json != NULL && !ctl_is_json(c)) {
		if (status != CTL_FINE)
			f = stderr;
		api_messages(answer.json, f);
		outcome = json_object_get(answer.json, "outcome");
		if (json_string_length(outcome) > 0)
			act_line(f, outcome);
		else if (status != CTL_FINE)
			ctl_say("%s failed", c->command->name);
	}
	api_answer_free(&answer);
	text_free(&path);
	return status;
}

int
pause_run(struct ctl *c)
{
	struct api_answer answer;
	struct text path = { 0 };
	int status;

	text_add(&path, "/v1/servers/");
	text_add_part(&path, c->args[0]);
	text_add_fmt(&path, "/%s", c->command->name);
	status = act_post(c, text_of(&path), 0, &answer);
	if (status == CTL_FINE && !ctl_is_json(c))
		printf("%s: %sd\n", c->args[0], c->command->name);
	api_answer_free(&answer);
	text_free(&path);
	return status;
}

static int
act_post(struct ctl *c, const char *path, int64_t limit_ms,
	struct api_answer *answer)
{
	struct api_request request = {
		.method = "POST", .path = path, .limit_ms = limit_ms
	};

	return ctl_ask(c, &request, answer);
}

static void
act_line(FILE *f, const json_t *text)
{
	struct text line = { 0 };

	cell_add(&line, text, CELL_PLAIN);
	fprintf(f, "%s\n", text_of(&line));
	text_free(&line);
}
