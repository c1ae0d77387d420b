/* trace.c - weirctl trace: what happens on channels, line by line. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/option.h"
#include "ctl/command.h"
#include "ctl/figure.h"
#include "ctl/id.h"

#define LINE_MOST (1u << 20) /* bytes of an event, more than any has */
#define DUMPED	  16	     /* bytes in a line */

struct trace {
	struct ctl *c;
	struct text line; /* what came of one that has not ended */
	const char *wrong;
};

static bool trace_heard(void *arg, const char *p, size_t n);
static bool trace_line(struct trace *t);
static void trace_show(const json_t *event);
static void trace_detail(struct text *line, const char *key, const json_t *v);
static void trace_dump(const char *hex);
static int hex_byte(const char *hex);

int
trace_run(struct ctl *c)
{
	struct trace t = { .c = c };
	struct api_request request = {
		.limit_ms = -1, .may_end = true, .heard = trace_heard, .arg = &t
	};
	const char *name = c->args[0], *why;
	struct api_answer answer;
	struct text path = { 0 };
	struct weir_cidr cidr;
	int status;

	if (!id_fits(name) && weir_cidr_parse(&cidr, name, &why) == -1)
		return ctl_usage(c->command,
			"\"%s\" is neither an id of a channel, as 2.0.17, nor "
			"a network, as 10.0.0.0/8",
			name);
	text_add(&path, "/v1/trace");
	text_add_query(&path, id_fits(name) ? "id" : "client", name);
	options_query(&c->options, &path);
	request.path = text_of(&path);
	if (option_given(&c->options, OPTION_TIMEOUT))
		request.limit_ms = c->options.number[OPTION_TIMEOUT];
	status = api_ask(c->api, &request, &answer);
	if (t.wrong != NULL)
		ctl_say("what weir answers is no trace: %s", t.wrong);
	api_answer_free(&answer);
	text_free(&path);
	text_free(&t.line);
	return status;
}

static bool
trace_heard(void *arg, const char *p, size_t n)
{
	struct trace *t = arg;
	const char *end;
	size_t part;

	while (n > 0) {
		end = memchr(p, '\n', n);
		part = end != NULL ? (size_t)(end - p) : n;
		if (t->line.n + part > LINE_MOST) {
			t->wrong = "a line has no end";
			return false;
		}
		text_add_bytes(&t->line, p, part);
		if (end == NULL)
			return true;
		if (!trace_line(t))
			return false;
		text_clear(&t->line);
		p += part + 1;
		n -= part + 1;
	}
	return true;
}

/* False when it is none, or nobody reads ours. */
static bool
trace_line(struct trace *t)
{
	json_t *event;

	if (ctl_is_json(t->c)) {
		puts(text_of(&t->line));
		return fflush(stdout) == 0;
	}
	if (t->line.n == 0)
		return true;
	event = json_loadb(t->line.p, t->line.n, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(event)) {
		json_decref(event);
		t->wrong = "a line is not JSON";
		return false;
	}
	trace_show(event);
	json_decref(event);
	return fflush(stdout) == 0;
}

/* "2.0.17     3m12s  read 512 bytes side=frontend", and then the data. */
static void
trace_show(const json_t *event)
{
	static const char *const first[] = { "id", "age_ms", "event", "data" };
	const json_t *v = cell_find(event, "lost");
	struct text line = { 0 };
	const char *key;
	size_t i;

	if (v != NULL) {
		cell_add(&line, v, CELL_PLAIN);
		printf("(%s events are missing: they came too fast)\n",
			text_of(&line));
		text_free(&line);
		return;
	}
	cell_add(&line, cell_find(event, "id"), CELL_PLAIN);
	while (line.n < 12)
		text_add(&line, " ");
	cell_add(&line, cell_find(event, "age_ms"), CELL_TIME);
	while (line.n < 20)
		text_add(&line, " ");
	text_add(&line, " ");
	cell_add(&line, cell_find(event, "event"), CELL_PLAIN);
	json_object_foreach((json_t *)(uintptr_t)event, key, v)
	{
		for (i = 0; i < 4 && strcmp(first[i], key) != 0;)
			i++;
		if (i == 4)
			trace_detail(&line, key, v);
	}
	puts(text_of(&line));
	text_free(&line);
	v = cell_find(event, "data");
	if (json_is_string(v))
		trace_dump(json_string_value(v));
}

static void
trace_detail(struct text *line, const char *key, const json_t *v)
{
	/* Nothing to say is not said. */
	if (json_is_null(v) || json_is_false(v))
		return;
	text_add(line, "  ");
	text_add_plain(line, key, strlen(key));
	if (json_is_true(v))
		return;
	text_add(line, "=");
	cell_add(line, v, CELL_PLAIN);
}

/* As hexdump -C, see hexdump(1). */
static void
trace_dump(const char *hex)
{
	unsigned char bytes[DUMPED];
	size_t at, i, n;
	int byte;

	for (at = 0;; at += n) {
		for (n = 0; n < DUMPED; n++) {
			byte = hex_byte(hex + 2 * (at + n));
			if (byte == -1)
				break;
			bytes[n] = (unsigned char)byte;
		}
		if (n == 0)
			return;
		printf("%08zx ", at);
		for (i = 0; i < DUMPED; i++) {
			printf("%s", i % 8 == 0 ? " " : "");
			if (i < n)
				printf("%02x ", bytes[i]);
			else
				printf("   ");
		}
		printf(" |");
		for (i = 0; i < n; i++)
			putchar(bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i]
								   : '.');
		printf("|\n");
		if (n < DUMPED)
			return;
	}
}

/* Two digits; -1: they are none. */
static int
hex_byte(const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	if (hex[0] == '\0' || hex[1] == '\0')
		return -1;
	high = strchr(digits, tolower((unsigned char)hex[0]));
	low = strchr(digits, tolower((unsigned char)hex[1]));
	if (high == NULL || low == NULL)
		return -1;
	return (int)((high - digits) * 16 + (low - digits));
}
