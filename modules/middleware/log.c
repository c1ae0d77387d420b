/* log.c - lines about every channel, when it closes or at other moments. */
#include <string.h>

#include "weir.h"

#define TEXT_BYTES 4096		       /* more than any log takes: it cuts */
#define JSON_BYTES (WEIR_LINE_MAX + 1) /* a cut would spoil it */
#define FORMAT                                                                 \
	"client=%{client.addr} listen=%{listen.address} "                      \
	"server=%{server.name} backend=%{backend.addr} up=%{bytes.up} "        \
	"down=%{bytes.down} ms=%{channel.age_ms} reason=%{end.reason} "        \
	"by=%{end.by} why=\"%{end.why}\""

enum event { EVENT_OPEN, EVENT_CONNECT, EVENT_CLOSE, EVENT_EVERY };

static const char *const event_words[] = { "open", "connect", "close",
	"every" };

struct conf {
	const struct weir_logfile *to; /* NULL: the process log */
	const struct weir_format *format;
	bool json;
	struct weir_list at; /* of const char * */
	uint32_t every_ms;   /* 0: off */
	uint32_t flush_ms;
};

struct ctx {
	enum event event; /* of the line that is being written */
	uint64_t told_up; /* bytes, at the line before */
	uint64_t told_down;
};

struct state {
	bool at[EVENT_EVERY];
};

static const struct weir_opt opts[] = {
	WEIR_LOGFILE("to", struct conf, to, .flags = WEIR_OPTIONAL,
		.help = "Where lines go: stderr, syslog or the path of a file; "
			"else they are lines of the process log, at level "
			"info."),
	WEIR_FORMAT("format", struct conf, format, .def = FORMAT,
		.help = "What a line says; in a file of its own it has no time "
			"unless %{time.iso} is in it."),
	WEIR_BOOL("json", struct conf, json, .def = "false",
		.help = "Whether a line is a JSON object that has the "
			"variables of the format as its members; only with "
			"to."),
	WEIR_STRINGS("at", struct conf, at, .def = "close", .min = 1, .max = 3,
		.help = "When lines are written: open, connect, close, or a "
			"list of these."),
	WEIR_TIME("every", struct conf, every_ms, .def = "off",
		.flags = WEIR_OFF, .min = 10, .max = 86400000,
		.help = "Also writes a line each time that a channel has been "
			"open so long again."),
	WEIR_TIME("flush", struct conf, flush_ms, .def = "1s",
		.flags = WEIR_OFF, .min = 1, .max = 60000,
		.help = "How long a line may wait until it is written to a "
			"file of its own, together with others."),
	WEIR_OPT_END,
};

static void
event_get(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;

	*v = (struct weir_value){ .type = WEIR_VALUE_TEXT,
		.text = event_words[cx->event],
		.len = strlen(event_words[cx->event]) };
}

static void
up_delta_get(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;
	struct weir_facts f;

	weir_facts(c, &f);
	*v = (struct weir_value){ .type = WEIR_VALUE_NUMBER,
		.number = f.up_bytes - cx->told_up };
}

static void
down_delta_get(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;
	struct weir_facts f;

	weir_facts(c, &f);
	*v = (struct weir_value){ .type = WEIR_VALUE_NUMBER,
		.number = f.down_bytes - cx->told_down };
}

static const struct weir_variable variables[] = {
	{ "event", WEIR_VALUE_TEXT, WEIR_AT_OPEN,
		"What the line is written for: open, connect, every or close.",
		event_get },
	{ "up_delta", WEIR_VALUE_NUMBER, WEIR_AT_OPEN,
		"Bytes read from the client since the line before.",
		up_delta_get },
	{ "down_delta", WEIR_VALUE_NUMBER, WEIR_AT_OPEN,
		"Bytes written to the client since the line before.",
		down_delta_get },
	{ .name = NULL },
};

/* EVENT_EVERY when it is none of "at". */
static enum event
event_of(const char *word)
{
	enum event event = EVENT_OPEN;

	while (event < EVENT_EVERY && strcmp(event_words[event], word) != 0)
		event++;
	return event;
}

static int
log_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	const char *const *words = cf->at.v;
	size_t i;
	int rc = 0;

	for (i = 0; i < cf->at.n; i++)
		if (event_of(words[i]) == EVENT_EVERY) {
			weir_error(d,
				"\"at\" wants \"open\", \"connect\" or "
				"\"close\", not \"%.64s\"%s",
				words[i],
				strcmp(words[i], event_words[EVENT_EVERY]) == 0
					? ": write every = \"10s\" for lines "
					  "in "
					  "between"
					: "");
			rc = -1;
		}
	if (cf->json && cf->to == NULL) {
		weir_error(d, "\"json\" wants \"to\": a line of the process "
			      "log has other things before it and is no JSON");
		rc = -1;
	}
	if (cf->json && weir_format_variables(cf->format) == 0) {
		weir_error(d, "\"json\" wants variables such as "
			      "%%{client.addr} in \"format\": they are all "
			      "that is written");
		rc = -1;
	}
	return rc;
}

static int
log_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	const char *const *words = cf->at.v;
	struct state *st = in->state;
	size_t i;

	for (i = 0; i < cf->at.n; i++)
		st->at[event_of(words[i])] = true;
	return 0;
}

static void
line_write(struct weir_call *c, enum event event)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;
	char text[TEXT_BYTES];
	struct weir_facts f;
	size_t len;

	cx->event = event;
	len = cf->json ? weir_format_json(c, cf->format, text, JSON_BYTES)
		       : weir_format_text(c, cf->format, WEIR_ESCAPE_PLAIN,
				 text, sizeof(text));
	if (cf->to != NULL)
		weir_line(c, cf->to, text, len, cf->flush_ms);
	else
		weir_log(c, "%s", text);
	weir_facts(c, &f);
	cx->told_up = f.up_bytes;
	cx->told_down = f.down_bytes;
}

static struct weir_verdict
log_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	const struct state *st = c->state;

	if (st->at[EVENT_OPEN])
		line_write(c, EVENT_OPEN);
	if (cf->every_ms != 0)
		weir_timer(c, cf->every_ms);
	return weir_pass(0);
}

static void
log_connected(struct weir_call *c, int err)
{
	const struct state *st = c->state;

	if (err == 0 && st->at[EVENT_CONNECT])
		line_write(c, EVENT_CONNECT);
}

static struct weir_verdict
log_timer(struct weir_call *c)
{
	const struct conf *cf = c->conf;

	line_write(c, EVENT_EVERY);
	weir_timer(c, cf->every_ms);
	return weir_pass(0);
}

static struct weir_verdict
log_close(struct weir_call *c, enum weir_reason reason)
{
	const struct state *st = c->state;

	(void)reason;
	if (st->at[EVENT_CLOSE])
		line_write(c, EVENT_CLOSE);
	return weir_pass(0);
}

const struct weir_middleware mw_log = {
	.name = "log",
	.help = "Logs lines about every channel, one when it has closed if "
		"nothing else is asked for.",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.state_size = sizeof(struct state),
	.variables = variables,
	.check = log_check,
	.start = log_start,
	.open = log_open,
	.connected = log_connected,
	.timer = log_timer,
	.close = log_close,
};
