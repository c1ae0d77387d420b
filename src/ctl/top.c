/* top.c - weirctl top: the busiest channels, live. */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/figure.h"
#include "ctl/screen.h"
#include "ctl/table.h"

#define INTERVAL_MS    2000
#define INTERVAL_LEAST 100
#define RATE_MOST      10000 /* the API measures no longer than that */
#define RATE_SOON      250   /* when somebody waits for another order */
#define STEP_MS	       200   /* a signal is seen after that */
#define HEAD_LINES     4     /* totals, order, a blank, the heading */
#define FOOT_LINES     1

enum top_stage { TOP_RESTS, TOP_ASKS_STATUS, TOP_ASKS_CHANNELS };

struct top {
	struct ctl *c;
	size_t sort; /* of option_sorts */
	bool reverse;
	size_t offset; /* of the first channel that is shown */
	int64_t interval_ms, rate_ms;
	enum top_stage stage;
	int64_t due_ms; /* the next picture */
	struct api_request request;
	struct api_answer answer; /* of the request */
	struct text path;
	json_t *status, *channels; /* what is shown */
	double bytes, rate;	   /* of the last status, and since then */
	int64_t at_ms;		   /* when it came */
	bool is_lost;		   /* the last request failed */
	bool quits;
};

static volatile sig_atomic_t top_signalled;

static int top_prepare(struct top *t);
static void top_catch(int signo);
static void top_turn(struct top *t);
static void top_ask(struct top *t);
static void top_answered(struct top *t);
static void top_total(struct top *t);
static void top_key(struct top *t, enum screen_key key);
static void top_scroll(struct top *t, long by);
static void top_soon(struct top *t);
static void top_draw(const struct top *t);
static void top_head(const struct top *t);
static void top_rows(const struct top *t);
static size_t top_page(void);
static int64_t top_now(void);

int
top_run(struct ctl *c)
{
	struct top t = { .c = c,
		.reverse = !option_given(&c->options, OPTION_REVERSE),
		.interval_ms = INTERVAL_MS };
	int status = top_prepare(&t);

	if (status == CTL_FINE && screen_open(c->style.colour) == -1)
		status = CTL_FAILED;
	if (status == CTL_FINE) {
		signal(SIGINT, top_catch);
		signal(SIGTERM, top_catch);
		top_draw(&t);
		while (!t.quits && !top_signalled)
			top_turn(&t);
		if (t.stage != TOP_RESTS)
			api_cancel(c->api);
		api_answer_free(&t.answer);
		screen_close();
	}
	text_free(&t.path);
	json_decref(t.status);
	json_decref(t.channels);
	return status;
}

/* What fails at once is better said before the screen is taken. */
static int
top_prepare(struct top *t)
{
	struct api_request request = { .path = "/v1/status" };
	const struct options *o = &t->c->options;
	int status;

	if (ctl_is_json(t->c))
		return ctl_usage(t->c->command, "top has no --json");
	if (option_given(o, OPTION_INTERVAL))
		t->interval_ms = o->number[OPTION_INTERVAL];
	if (t->interval_ms < INTERVAL_LEAST || t->interval_ms > INT_MAX)
		return ctl_usage(t->c->command,
			"option \"--interval\": less than 100ms, or too long");
	while (strcmp(option_sorts[t->sort], option_given(o, OPTION_SORT)
						     ? o->text[OPTION_SORT]
						     : "rate") != 0)
		t->sort++;
	status = api_ask(t->c->api, &request, &t->answer);
	if (status == CTL_FINE)
		top_total(t);
	api_answer_free(&t->answer);
	return status;
}

static void
top_catch(int signo)
{
	(void)signo;
	top_signalled = 1;
}

/* Waits for a key, for the answer, or for the time of the next picture. */
static void
top_turn(struct top *t)
{
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t now = top_now();
	enum screen_key pressed;

	if (t->stage == TOP_RESTS && now >= t->due_ms)
		top_ask(t);
	else if (t->stage == TOP_RESTS)
		poll(&key, 1,
			(int)(t->due_ms - now < STEP_MS ? t->due_ms - now
							: STEP_MS));
	else if (api_step(t->c->api, STDIN_FILENO, STEP_MS))
		top_answered(t);
	while ((pressed = screen_key()) != SCREEN_NONE)
		top_key(t, pressed);
}

/* The status first, then the channels, whose rates take their time. */
static void
top_ask(struct top *t)
{
	struct options *o = &t->c->options;

	text_clear(&t->path);
	t->request = (struct api_request){ .quiet = true,
		.limit_ms = t->rate_ms + API_WAIT_MS };
	if (t->stage == TOP_RESTS) {
		t->due_ms = top_now() + t->interval_ms;
		text_add(&t->path, "/v1/status");
		t->stage = TOP_ASKS_STATUS;
	} else {
		o->given |= OPTION(SORT) | OPTION(LIMIT) | OPTION(REVERSE);
		o->given &= ~(t->reverse ? 0 : OPTION(REVERSE)) & ~OPTION(RATE);
		o->given |= t->rate_ms > 0 ? OPTION(RATE) : 0;
		o->text[OPTION_SORT] = option_sorts[t->sort];
		o->number[OPTION_REVERSE] = 1;
		o->number[OPTION_LIMIT] = (int64_t)(t->offset + top_page());
		o->number[OPTION_RATE] = t->rate_ms;
		text_add(&t->path, "/v1/channels");
		options_query(o, &t->path);
		t->stage = TOP_ASKS_CHANNELS;
	}
	t->request.path = text_of(&t->path);
	api_start(t->c->api, &t->request, &t->answer);
}

static void
top_answered(struct top *t)
{
	t->is_lost = api_finish(t->c->api) != CTL_FINE;
	if (!t->is_lost && t->stage == TOP_ASKS_STATUS) {
		top_total(t);
		api_answer_free(&t->answer);
		top_ask(t);
		return;
	}
	if (!t->is_lost) {
		json_decref(t->channels);
		t->channels = json_incref(t->answer.json);
		t->rate_ms =
			t->interval_ms < RATE_MOST ? t->interval_ms : RATE_MOST;
	}
	api_answer_free(&t->answer);
	t->stage = TOP_RESTS;
	top_scroll(t, 0);
	top_draw(t);
}

/* Bytes of all channels since the last status. */
static void
top_total(struct top *t)
{
	const json_t *json = t->answer.json;
	double bytes =
		json_number_value(json_object_get(json, "copied_bytes")) +
		json_number_value(json_object_get(json, "spliced_bytes"));
	int64_t now = top_now();

	/* The bytes of a worker that left are not counted any more. */
	t->rate = 0;
	if (t->status != NULL && now > t->at_ms && bytes > t->bytes)
		t->rate = (bytes - t->bytes) * 1000 / (double)(now - t->at_ms);
	t->bytes = bytes;
	t->at_ms = now;
	json_decref(t->status);
	t->status = json_incref(t->answer.json);
}

static void
top_key(struct top *t, enum screen_key key)
{
	long page = (long)top_page();
	size_t sorts = 0;

	while (option_sorts[sorts] != NULL)
		sorts++;
	switch (key) {
	case SCREEN_QUIT:
		t->quits = true;
		return;
	case SCREEN_SORT_NEXT:
	case SCREEN_SORT_LAST:
		t->sort += key == SCREEN_SORT_NEXT ? 1 : sorts - 1;
		t->sort %= sorts;
		top_soon(t);
		break;
	case SCREEN_REVERSE:
		t->reverse = !t->reverse;
		top_soon(t);
		break;
	case SCREEN_UP:
	case SCREEN_DOWN:
		top_scroll(t, key == SCREEN_UP ? -1 : 1);
		top_soon(t);
		break;
	case SCREEN_PAGE_UP:
	case SCREEN_PAGE_DOWN:
		top_scroll(t, key == SCREEN_PAGE_UP ? -page : page);
		top_soon(t);
		break;
	case SCREEN_HOME:
		t->offset = 0;
		top_soon(t);
		break;
	default:
		break;
	}
	top_draw(t);
}

/* Never beyond the last channel. */
static void
top_scroll(struct top *t, long by)
{
	size_t total = (size_t)json_integer_value(
		json_object_get(t->channels, "total"));
	size_t most = total > top_page() ? total - top_page() : 0;

	if (by < 0 && t->offset < (size_t)-by)
		t->offset = 0;
	else
		t->offset += (size_t)by;
	if (t->offset > most)
		t->offset = most;
}

/* Whoever pressed a key does not want to wait for a whole interval. */
static void
top_soon(struct top *t)
{
	if (t->stage != TOP_RESTS) {
		api_cancel(t->c->api);
		api_answer_free(&t->answer);
	}
	t->stage = TOP_RESTS;
	t->due_ms = 0;
	if (t->rate_ms > RATE_SOON)
		t->rate_ms = RATE_SOON;
}

static void
top_draw(const struct top *t)
{
	char foot[128];
	size_t silent = json_array_size(json_object_get(t->channels, "silent"));

	screen_begin();
	top_head(t);
	top_rows(t);
	if (t->is_lost)
		snprintf(foot, sizeof(foot), "weir does not answer");
	else if (silent > 0)
		snprintf(foot, sizeof(foot),
			"%zu worker%s did not answer: what is there is missing",
			silent, silent > 1 ? "s" : "");
	else
		foot[0] = '\0';
	screen_line(screen_height() - FOOT_LINES, foot, SCREEN_ALARM);
	screen_show();
}

static void
top_head(const struct top *t)
{
	char copied[FIGURE_TEXT], spliced[FIGURE_TEXT], rate[FIGURE_TEXT];
	struct text line = { 0 };

	text_add(&line, "weir ");
	cell_add(&line, cell_find(t->status, "version"), CELL_PLAIN);
	text_add(&line, "  generation ");
	cell_add(&line, cell_find(t->status, "generation"), CELL_PLAIN);
	text_add(&line, "  workers ");
	cell_add(&line, cell_find(t->status, "workers"), CELL_PLAIN);
	text_add(&line, "  channels ");
	cell_add(&line, cell_find(t->status, "channels"), CELL_PLAIN);
	text_add_fmt(&line, "  %s/s  copied %s  spliced %s",
		figure_bytes(t->rate, rate),
		figure_bytes(
			json_number_value(cell_find(t->status, "copied_bytes")),
			copied),
		figure_bytes(json_number_value(
				     cell_find(t->status, "spliced_bytes")),
			spliced));
	screen_line(0, text_of(&line), SCREEN_BOLD);
	text_clear(&line);
	text_add_fmt(&line,
		"by %s, %s first, from %zu   s sort  r reverse  "
		"arrows scroll  q quit",
		option_sorts[t->sort], t->reverse ? "largest" : "smallest",
		t->offset + 1);
	screen_line(1, text_of(&line), SCREEN_PLAIN);
	text_free(&line);
}

static void
top_rows(const struct top *t)
{
	const json_t *list = json_object_get(t->channels, "channels");
	struct text line = { 0 };
	struct table table;
	size_t i;

	table_lay(&table, list, view_top.columns, view_top.n, screen_width());
	table_line(&table, NULL, &line);
	screen_line(HEAD_LINES - 1, text_of(&line), SCREEN_HEAD);
	for (i = 0; i < top_page() && t->offset + i < json_array_size(list);
		i++) {
		text_clear(&line);
		table_line(&table, json_array_get(list, t->offset + i), &line);
		screen_line(
			HEAD_LINES + (unsigned)i, text_of(&line), SCREEN_PLAIN);
	}
	text_free(&line);
}

/* How many channels fit. */
static size_t
top_page(void)
{
	unsigned height = screen_height();

	return height > HEAD_LINES + FOOT_LINES
		       ? height - HEAD_LINES - FOOT_LINES
		       : 1;
}

static int64_t
top_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}
