/* wait.c - weirctl wait: until it is so. */
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "ctl/command.h"
#include "ctl/figure.h"

#define WAIT_MS	   60000 /* if nothing else is said */
#define PAUSE_MS   200	 /* between two looks */
#define REST_LEAST 10
#define GENERATION "generation="

struct wait {
	struct ctl *c;
	int64_t generation; /* 0: drained */
	int64_t timeout_ms, due_ms;
	json_int_t left; /* channels that still drain, or the generation */
	bool is_silent;	 /* some worker was */
};

const char *const wait_words[] = { "drained", GENERATION, NULL };

static int wait_word(struct wait *w, const char *word);
static int wait_look(struct wait *w, bool quiet, bool *done);
static bool wait_drained(struct wait *w, const json_t *json);
static int64_t wait_rest(const struct wait *w);
static int wait_late(const struct wait *w);
static int64_t wait_now(void);

int
wait_run(struct ctl *c)
{
	struct wait w = { .c = c, .timeout_ms = WAIT_MS };
	int status = wait_word(&w, c->args[0]);
	bool done = false, quiet;

	if (status != CTL_FINE)
		return status;
	if (option_given(&c->options, OPTION_TIMEOUT))
		w.timeout_ms = c->options.number[OPTION_TIMEOUT];
	w.due_ms = wait_now() + w.timeout_ms;
	status = wait_look(&w, false, &done);
	/* A reload replaces who answers: once there was an answer, one that
	 * fails is asked for again. */
	if (status != CTL_FINE)
		return status;
	for (quiet = true; !done && quiet;) {
		quiet = w.due_ms - wait_now() > PAUSE_MS;
		poll(NULL, 0, (int)(quiet ? PAUSE_MS : wait_rest(&w)));
		status = wait_look(&w, quiet, &done);
	}
	if (status != CTL_FINE || done)
		return status;
	return wait_late(&w);
}

static int
wait_word(struct wait *w, const char *word)
{
	const char *why;

	if (strcmp(word, wait_words[0]) == 0)
		return CTL_FINE;
	if (strncmp(word, GENERATION, strlen(GENERATION)) != 0)
		return ctl_usage(w->c->command,
			"drained or generation=N is wanted, not \"%s\"", word);
	if (units_int(word + strlen(GENERATION), &w->generation, &why) == -1)
		return ctl_usage(w->c->command, "\"%s\": %s", word, why);
	if (w->generation < 1)
		return ctl_usage(w->c->command, "\"%s\": less than 1", word);
	return CTL_FINE;
}

static int
wait_look(struct wait *w, bool quiet, bool *done)
{
	struct api_request request = {
		.path = w->generation > 0 ? "/v1/status" : "/v1/generations",
		.quiet = quiet
	};
	struct api_answer answer;
	int status;

	status = api_ask(w->c->api, &request, &answer);
	if (status == CTL_FINE && w->generation > 0) {
		w->left = json_integer_value(
			json_object_get(answer.json, "generation"));
		*done = w->left >= w->generation;
	} else if (status == CTL_FINE)
		*done = wait_drained(w, answer.json);
	if (status == CTL_FINE && *done && ctl_is_json(w->c))
		puts(text_of(&answer.text));
	api_answer_free(&answer);
	return status;
}

/* All but the newest drain, and that one when weir was told to. */
static bool
wait_drained(struct wait *w, const json_t *json)
{
	const json_t *list = json_object_get(json, "generations"), *item;
	json_int_t newest = 0, number;
	const char *state;
	size_t i;

	w->left = 0;
	w->is_silent = json_array_size(json_object_get(json, "silent")) > 0;
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		number = json_integer_value(json_object_get(item, "number"));
		if (number > newest)
			newest = number;
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		number = json_integer_value(json_object_get(item, "number"));
		state = json_string_value(json_object_get(item, "state"));
		if (number < newest ||
			(state != NULL && strncmp(state, "drain", 5) == 0))
			w->left += json_integer_value(
				json_object_get(item, "channels"));
	}
	return w->left == 0 && !w->is_silent;
}

/* What is left of the time, but never nothing; an answer gets no more of it
 * than any other. */
static int64_t
wait_rest(const struct wait *w)
{
	int64_t rest = w->due_ms - wait_now();

	if (rest < REST_LEAST)
		return REST_LEAST;
	return rest < API_WAIT_MS ? rest : API_WAIT_MS;
}

static int
wait_late(const struct wait *w)
{
	char text[FIGURE_TEXT];

	figure_time(w->timeout_ms, text);
	if (w->generation > 0)
		ctl_say("after %s it is generation %lld, not %" PRId64, text,
			(long long)w->left, w->generation);
	else if (w->left == 0)
		ctl_say("after %s not all workers say what they have", text);
	else
		ctl_say("after %s %lld channels are left", text,
			(long long)w->left);
	return CTL_LATE;
}

static int64_t
wait_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}
