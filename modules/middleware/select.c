/* select.c - the first line of a client names its backend: with "@db" it is
 * connected to the one called db, and all that follows is relayed. */
#include <string.h>

#include "weir.h"

struct backend {
	const char *name;
	struct weir_addr address;
};

struct conf {
	const char *prefix;
	size_t line_max;
	struct weir_list backends; /* of struct backend */
	const char *answer;
};

struct ctx {
	const struct backend *to; /* what the line named */
	bool over;		  /* no line is awaited any more */
};

static const struct weir_opt backend_opts[] = {
	WEIR_STRING("name", struct backend, name, .min = 1, .max = 255,
		.help = "What the line has behind the prefix."),
	WEIR_ADDRESS("address", struct backend, address,
		.help = "Where such a client is connected to."),
	WEIR_OPT_END,
};
static const struct weir_rows backend_rows = { .opts = backend_opts,
	.size = sizeof(struct backend) };

static const struct weir_opt opts[] = {
	WEIR_STRING("prefix", struct conf, prefix, .def = "@",
		.help = "What the line begins with; it may be empty."),
	WEIR_SIZE("line_max", struct conf, line_max, .def = "64", .min = 2,
		.max = 4096, .help = "Longest line, its end included."),
	WEIR_GROUPS("backends", struct conf, backends, .rows = &backend_rows,
		.min = 1, .max = 1000, .help = "The backends by name."),
	WEIR_STRING("answer", struct conf, answer, .def = "",
		.help = "What a client is told, once it is connected."),
	WEIR_OPT_END,
};

/* A CR is refused too: the one before the line end is taken off. */
static bool
has_line_end(const char *text)
{
	return strpbrk(text, "\r\n") != NULL;
}

static int
select_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	const struct backend *b = cf->backends.v;
	const char *why;
	size_t i, j;
	int ok = 0;

	if (has_line_end(cf->prefix)) {
		weir_error(d, "\"prefix\" has a line end, so no line begins "
			      "with it");
		ok = -1;
	}
	for (i = 0; i < cf->backends.n; i++) {
		why = NULL;
		if (has_line_end(b[i].name))
			why = "has a line end, so no line can name it";
		for (j = 0; j < i; j++)
			if (strcmp(b[i].name, b[j].name) == 0)
				why = "is the name of another one too";
		if (strlen(cf->prefix) + strlen(b[i].name) >= cf->line_max)
			why = "does not fit into \"line_max\"";
		if (weir_addr_lacks_port(&b[i].address))
			why = "wants an address with a port from 1";
		if (why == NULL)
			continue;
		weir_error(d, "backend \"%s\" %s", b[i].name, why);
		ok = -1;
	}
	return ok;
}

static const struct backend *
backend_find(const struct conf *cf, const uint8_t *name, size_t n)
{
	const struct backend *b = cf->backends.v;
	size_t i;

	for (i = 0; i < cf->backends.n; i++)
		if (strlen(b[i].name) == n && memcmp(b[i].name, name, n) == 0)
			return &b[i];
	return NULL;
}

static struct weir_verdict
select_up(struct weir_call *c, struct weir_bytes in)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;
	size_t skip = strlen(cf->prefix), n;
	const uint8_t *end;

	if (cx->over)
		return weir_detach();
	end = memchr(in.p, '\n', in.len < cf->line_max ? in.len : cf->line_max);
	if (end == NULL && in.len < cf->line_max && !in.eof)
		return weir_need(in.len + 1);
	n = end == NULL ? 0 : (size_t)(end - in.p);
	if (n > 0 && end[-1] == '\r')
		n--;
	if (end == NULL || n < skip || memcmp(in.p, cf->prefix, skip) != 0) {
		weir_why(c, "its first line is too long or malformed");
		return weir_close(WEIR_R_PROTOCOL);
	}
	cx->to = backend_find(cf, in.p + skip, n - skip);
	if (cx->to == NULL) {
		weir_why(c, "no backend has the name in its first line");
		return weir_close(WEIR_R_DENIED);
	}
	cx->over = true;
	weir_connect(c, &cx->to->address, NULL);
	return weir_drop((size_t)(end - in.p) + 1);
}

/* Told to all: without a line, another middleware has chosen meanwhile. */
static void
select_connected(struct weir_call *c, int err)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;

	cx->over = true;
	if (err == 0 && cx->to != NULL)
		weir_emit(c, WEIR_DOWN, cf->answer, strlen(cf->answer));
}

static void
select_name(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;

	if (cx->to != NULL)
		*v = (struct weir_value){ .type = WEIR_VALUE_TEXT,
			.text = cx->to->name,
			.len = strlen(cx->to->name) };
}

static const struct weir_variable variables[] = {
	{ "name", WEIR_VALUE_TEXT, WEIR_AT_ROUTE,
		"The backend that the client's first line named.",
		select_name },
	{ .name = NULL },
};

const struct weir_middleware mw_select = {
	.name = "select",
	.help = "Connects a client to the backend that its first line names.",
	.example = "backends = ( { name = \"db\"; address = "
		   "\"127.0.0.1:9\"; } );",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.flags = WEIR_PREREAD,
	.variables = variables,
	.check = select_check,
	.up = select_up,
	.connected = select_connected,
};
