/* registry_fake.h - a registry of middlewares with options and no code; include
 * it once in a test that must not depend on which modules are built. */
/* FAKE_EXTENSIONS, FAKE_MIDDLEWARES: more descriptors and a NULL. */
#ifndef REGISTRY_FAKE_H
#define REGISTRY_FAKE_H

#include <string.h>

#include "registry.h"

struct fake_forward {
	struct weir_list to;
	uint32_t connect_timeout_ms;
	struct weir_addr source;
};

static const struct weir_opt fake_forward_opts[] = {
	WEIR_ADDRESSES("to", struct fake_forward, to,
		.help = "Backends, tried in this order."),
	WEIR_TIME("connect_timeout", struct fake_forward, connect_timeout_ms,
		.def = "off", .flags = WEIR_OFF,
		.help = "How long connecting to each may take."),
	WEIR_ADDRESS("source", struct fake_forward, source,
		.flags = WEIR_OPTIONAL,
		.help = "Local address of the connection."),
	WEIR_OPT_END
};

static const char *const fake_colours[] = { "red", "green", "blue", NULL };

struct fake_part {
	const char *name;
	int64_t weight;
};

static const struct weir_opt fake_part_opts[] = {
	WEIR_STRING("name", struct fake_part, name, .min = 1, .max = 8,
		.help = "What it is called."),
	WEIR_INT("weight", struct fake_part, weight, .def = "1", .min = 1,
		.max = 10, .help = "How much it counts."),
	WEIR_OPT_END
};
static const struct weir_rows fake_part_rows = { .opts = fake_part_opts,
	.size = sizeof(struct fake_part),
	.shorthand = "name" };

/* One option of every type. */
struct fake_every {
	bool flag;
	int64_t number;
	size_t size;
	uint32_t time_ms;
	int colour;
	const char *word;
	const char *blank;
	struct weir_list words;
	struct weir_addr address;
	struct weir_list addresses;
	struct weir_list networks;
	const struct weir_logfile *file;
	const struct weir_format *line;
	const struct weir_condition *only;
	struct fake_part part;
	struct weir_list parts;
};

static const struct weir_rows fake_one_rows = { .opts = fake_part_opts,
	.size = sizeof(struct fake_part) };

static const struct weir_opt fake_every_opts[] = {
	WEIR_BOOL("flag", struct fake_every, flag, .def = "false",
		.help = "A boolean."),
	WEIR_INT("number", struct fake_every, number, .def = "7", .min = -10,
		.max = 65535, .help = "An integer."),
	WEIR_SIZE("size", struct fake_every, size, .def = "64k", .min = 16,
		.max = 1 << 20, .help = "A size."),
	WEIR_TIME("time", struct fake_every, time_ms, .def = "30s",
		.flags = WEIR_OFF, .min = 10, .max = 3600000,
		.help = "A time."),
	WEIR_CHOICE("colour", struct fake_every, colour, .def = "green",
		.choices = fake_colours, .help = "A choice."),
	WEIR_STRING("word", struct fake_every, word, .def = "hello",
		.help = "A string."),
	WEIR_STRING("blank", struct fake_every, blank, .def = "",
		.help = "A string that may be empty."),
	WEIR_STRINGS("words", struct fake_every, words, .def = "a,b",
		.help = "Strings."),
	WEIR_ADDRESS("address", struct fake_every, address,
		.def = "127.0.0.1:1", .help = "An address."),
	WEIR_ADDRESSES("addresses", struct fake_every, addresses,
		.flags = WEIR_OPTIONAL, .help = "Addresses."),
	WEIR_CIDRS("networks", struct fake_every, networks,
		.def = "127.0.0.0/8,::1", .help = "Networks."),
	WEIR_LOGFILE("file", struct fake_every, file, .def = "stderr",
		.help = "A log target."),
	WEIR_FORMAT("line", struct fake_every, line,
		.def = "%{client.addr} %{end.reason}", .help = "A format."),
	WEIR_CONDITION("only", struct fake_every, only, .flags = WEIR_OPTIONAL,
		.help = "A condition."),
	{ .key = "part",
		.type = WEIR_T_GROUP,
		.flags = WEIR_NOT_BUILT,
		.off = WEIR_FIELD(struct fake_every, part, struct fake_part),
		.rows = &fake_one_rows,
		.help = "A group." },
	WEIR_GROUPS("parts", struct fake_every, parts, .flags = WEIR_OPTIONAL,
		.rows = &fake_part_rows, .max = 3, .help = "Groups."),
	WEIR_OPT_END
};

static int
fake_every_check(const void *conf, struct weir_diag *d)
{
	const struct fake_every *c = conf;

	if (strcmp(c->word, "silent") == 0)
		return -1;
	if (strcmp(c->word, "bad") != 0)
		return 0;
	weir_error(d, "word \"%s\" does not go with number %lld", c->word,
		(long long)c->number);
	return -1;
}

/* A variable whose value is the text that the context points to. */
static void
fake_text(const struct weir_call *c, struct weir_value *v)
{
	const char *const *text = c->ctx;

	if (*text == NULL)
		return;
	v->type = WEIR_VALUE_TEXT;
	v->text = *text;
	v->len = strlen(*text);
}

/* Is there one? */
static void
fake_is(const struct weir_call *c, struct weir_value *v)
{
	v->type = WEIR_VALUE_BOOL;
	v->number = *(const char *const *)c->ctx != NULL;
}

static const struct weir_variable fake_geo_variables[] = {
	{ "country", WEIR_VALUE_TEXT, WEIR_AT_OPEN, "Where the client is.",
		fake_text },
	{ "known", WEIR_VALUE_BOOL, WEIR_AT_OPEN, "Whether that is known.",
		fake_is },
	{ "wrong", WEIR_VALUE_NUMBER, WEIR_AT_OPEN, "Breaks its promise.",
		fake_text },
	{ .name = NULL }
};
static const struct weir_variable fake_sni_variables[] = {
	{ "name", WEIR_VALUE_TEXT, WEIR_AT_ROUTE, "Which host is wanted.",
		fake_text },
	{ .name = NULL }
};

static bool
fake_every_races(const void *conf)
{
	return ((const struct fake_every *)conf)->flag;
}

static const struct weir_middleware fake_discard = { .name = "discard",
	.help = "Drops every byte." };
static const struct weir_middleware fake_echo = { .name = "echo",
	.help = "Sends every byte back." };
static const struct weir_middleware fake_every = { .name = "every",
	.help = "Has options of all types.",
	.example = "word = \"a\\\\b\";",
	.flags = WEIR_PREREAD,
	.opts = fake_every_opts,
	.conf_size = sizeof(struct fake_every),
	.check = fake_every_check,
	.races = fake_every_races };
static const struct weir_middleware fake_forward = { .name = "forward",
	.help = "Connects to a backend.",
	.opts = fake_forward_opts,
	.conf_size = sizeof(struct fake_forward) };
static const struct weir_middleware fake_geo = { .name = "geo",
	.help = "Knows where clients are.",
	.ctx_size = sizeof(const char *),
	.variables = fake_geo_variables };
static const struct weir_middleware fake_sni = { .name = "sni",
	.help = "Reads which host is wanted.",
	.ctx_size = sizeof(const char *),
	.flags = WEIR_PREREAD,
	.variables = fake_sni_variables };
static const struct weir_middleware fake_log = { .name = "log",
	.help = "Writes one line a channel." };

#ifndef FAKE_MIDDLEWARES
#define FAKE_MIDDLEWARES NULL
#endif
#ifndef FAKE_EXTENSIONS
#define FAKE_EXTENSIONS NULL
#endif
const struct weir_extension *const registry_extensions[] = { FAKE_EXTENSIONS };

const struct weir_middleware *const registry_middlewares[] = { &fake_discard,
	&fake_echo, &fake_every, &fake_forward, &fake_geo, &fake_log, &fake_sni,
	FAKE_MIDDLEWARES };

const struct weir_middleware *
registry_find(const char *name)
{
	const struct weir_middleware *const *mw = registry_middlewares;

	while (*mw != NULL && strcmp((*mw)->name, name) != 0)
		mw++;
	return *mw;
}

bool
registry_left_out(const char *name)
{
	return strcmp(name, "absent") == 0;
}

#endif
