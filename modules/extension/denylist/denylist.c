/* denylist.c - addresses and networks that are refused everywhere, each for its
 * time: changed by command, or by a file that is watched. */
#include <event2/event.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "denylist.h"

#define WATCH_MS 1000

static const struct weir_opt opts[] = {
	WEIR_STRING("file", struct conf, file, .flags = WEIR_OPTIONAL,
		.help = "A file of networks, looked at once a second: one a "
			"line, with its time behind it (as in 192.0.2.7 10m) "
			"or without, for as long as it stands there; # starts "
			"a comment.  A time runs from when its line was first "
			"read: an edit of other lines, or a reload, does not "
			"begin it anew.  A file with a mistake changes "
			"nothing.  A line takes the place of what a command "
			"has added for the same network.  The keeper reads "
			"it, as the user that workers are."),
	WEIR_STRING("keep", struct conf, keep, .flags = WEIR_OPTIONAL,
		.help = "Where the list is kept over a restart: an absolute "
			"path, in a directory that the user of the workers "
			"may write to."),
	WEIR_SIZE("size", struct conf, size, .def = "4M", .min = 65536,
		.max = 1LL << 32,
		.help = "Memory for it, some 200 bytes for each network; one "
			"that finds no room is refused, not taken in the "
			"place of another."),
	WEIR_TIME("ttl", struct conf, ttl_ms, .def = "1h", .flags = WEIR_OFF,
		.help = "How long a network is refused that a command adds "
			"without a time; off: until it is taken away."),
	WEIR_CHOICE("refuse", struct conf, refuse, .def = "close",
		.choices = weir_manner_words,
		.help = "How the client sees that it is refused: an end, a "
			"reset, or nothing at all."),
	WEIR_OPT_END
};

static const struct weir_column net_columns[] = {
	{ .name = "entry",
		.type = WEIR_COLUMN_VALUE,
		.size = sizeof(struct entry) },
};
static const struct weir_column prefix_columns[] = {
	{ .name = "used", .type = WEIR_COLUMN_COUNT },
};

static int
denylist_check(const void *p, struct weir_diag *d)
{
	const struct conf *conf = p;

	if (conf->file != NULL && access(conf->file, F_OK) == -1) {
		weir_error(d, "option \"file\" = \"%s\": %s", conf->file,
			strerror(errno));
		return -1;
	}
	if (conf->keep == NULL || conf->keep[0] == '/')
		return 0;
	weir_error(d,
		"option \"keep\" = \"%s\" wants a path that begins with "
		"\"/\"",
		conf->keep);
	return -1;
}

static bool
denylist_table(const void *p, unsigned i, struct weir_table_spec *spec)
{
	const struct conf *conf = p;

	*spec = (struct weir_table_spec){ .columns = net_columns,
		.ncolumns = 1,
		.key_most = sizeof(struct seen),
		.size = conf->size,
		.full = WEIR_FULL_REFUSE,
		.file = conf->keep };
	if (i == PREFIXES) {
		spec->name = "prefixes";
		spec->columns = prefix_columns;
		spec->key_most = 1;
		spec->size = 65536;
		spec->file = NULL;
		spec->hidden = true;
	}
	return i <= PREFIXES;
}

struct stage_state {
	struct weir_service *service;
};

static int
stage_start(struct weir_instance *in)
{
	struct stage_state *st = in->state;

	st->service = weir_instance_extension(in, in->name);
	return 0;
}

static struct weir_verdict
stage_open(struct weir_call *c)
{
	const struct stage_state *st = c->state;
	const struct conf *conf = c->conf;
	struct weir_addr client;
	bool unknown = false, listed;

	weir_peer(c, WEIR_FRONTEND, &client);
	listed = st->service != NULL &&
		 client_is_listed(st->service, &client, &unknown);
	if (!listed) {
		weir_count(c, COUNT_UNKNOWN, unknown);
		return weir_pass(0);
	}
	weir_count(c, COUNT_REFUSED, 1);
	weir_why(c, "this client is on the denylist");
	return weir_refuse(WEIR_R_DENIED, (enum weir_manner)conf->refuse);
}

static const char *const counters[] = {
	[COUNT_REFUSED] = "refused", [COUNT_UNKNOWN] = "unknown", NULL
};

static const struct weir_middleware stage = {
	.name = "denylist",
	.help = "Refuses who is on the denylist.",
	.state_size = sizeof(struct stage_state),
	.counters = counters,
	.start = stage_start,
	.open = stage_open,
};

static int
denylist_keep(struct weir_service *s, struct weir_keeper *k)
{
	struct state *st = s->state;

	(void)k;
	if (lengths_restore(s) == -1 || apply_init(s) == -1)
		return -1;
	st->watch = event_new(s->base, -1, EV_PERSIST, file_look, s);
	if (st->watch != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* The list changes no sooner: this configuration may never have come to be. */
static void
denylist_serve(struct weir_service *s)
{
	static const struct timeval tick = { WATCH_MS / 1000, 0 };
	struct state *st = s->state;

	if (event_add(st->watch, &tick) == -1)
		weir_service_error(s, "the file cannot be watched");
	file_look(-1, 0, s);
	/* In a first start nobody waits but the clients to come. */
	if (!st->loops)
		apply_finish(s);
}

/* From here on the list is that of another one's file. */
static void
denylist_retire(struct weir_service *s)
{
	struct state *st = s->state;

	(void)event_del(st->watch);
	apply_end(s);
}

static void
denylist_stop(struct weir_service *s)
{
	struct state *st = s->state;

	apply_done(s);
	if (st->watch != NULL)
		event_free(st->watch);
}

const struct weir_extension ext_denylist = {
	.name = "denylist",
	.help = "Addresses and networks whose clients every server refuses, "
		"each for its time, changed while weir runs.  When another "
		"process hangs with a part of the list, whom that part would "
		"have is let pass, and counted as \"unknown\".",
	.example = "ttl = \"10m\"; refuse = \"reset\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state),
	.check = denylist_check,
	.table = denylist_table,
	.stop = denylist_stop,
	.keep = denylist_keep,
	.serve = denylist_serve,
	.retire = denylist_retire,
	.commands = denylist_commands,
	.stage = &stage,
};
