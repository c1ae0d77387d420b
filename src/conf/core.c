/* core.c - option rows of the core: what a file may say besides modules. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "conf/api.h"
#include "conf/core.h"
#include "conf/claim.h"
#include "conf/cpus.h"
#include "conf/socket.h"
#include "conf/entry.h"
#include "conf/extension.h"
#include "conf/stage.h"

#define PIDFILE "/run/weir.pid"

/* Something that only one may have: a name or an address. */
struct use {
	const void *key;
	size_t len;
	size_t index;
	struct place place;
	const char *server;
	const char *text;
};

static const struct weir_opt process_opts[] = {
	WEIR_INT("workers", struct conf_process, workers, .def = "0",
		.max = 1024,
		.help = "How many worker processes run; 0 means one for each "
			"CPU."),
	WEIR_STRING("user", struct conf_process, user, .def = "nobody",
		.min = 1, .max = 64, .flags = WEIR_NEEDS_START,
		.help = "Whom the workers run as, when weir is started by "
			"root."),
	WEIR_BOOL("daemon", struct conf_process, daemon, .def = "false",
		.flags = WEIR_NEEDS_START,
		.help = "Whether weir leaves the terminal and runs in the "
			"background."),
	WEIR_STRING("pidfile", struct conf_process, pidfile,
		.flags = WEIR_OPTIONAL | WEIR_OFF | WEIR_NEEDS_START,
		.help = "File that holds the process id and is locked by it; "
			"a daemon takes " PIDFILE " when none is given."),
	WEIR_TIME("start_timeout", struct conf_process, start_timeout_ms,
		.def = "10s", .min = 1, .max = 3600000,
		.help = "How long a worker may take until it is ready."),
	WEIR_TIME("drain_timeout", struct conf_process, drain_timeout_ms,
		.def = "1h", .flags = WEIR_OFF,
		.help = "How long channels of a replaced configuration may "
			"finish."),
	WEIR_INT("max_generations", struct conf_process, max_generations,
		.def = "8", .min = 1, .max = 64,
		.help = "How many configurations may have channels at a time, "
			"the present one included; those of the oldest are "
			"reset when there are more."),
	WEIR_INT("nofile", struct conf_process, nofile, .def = "0",
		.max = INT32_MAX,
		.help = "How many files and sockets each worker may have open; "
			"0 leaves the soft limit that weir was started with, "
			"or where a worker has no room in that for its "
			"listeners and log files takes the hard one."),
	WEIR_SIZE("core", struct conf_process, core, .def = "off",
		.flags = WEIR_OFF,
		.help = "How large the core file of a worker that crashes may "
			"become; off leaves the limit that weir was started "
			"with, and workers of root write none."),
	WEIR_INT("drain_rate", struct conf_process, drain_rate, .def = "0",
		.max = 1000000,
		.help = "How many channels of a configuration are reset in a "
			"second, silent ones first, so that none is left when "
			"their time "
			"(drain_timeout, close_wait) is over; 0 means all at "
			"once, then."),
	WEIR_INT("worker_channels", struct conf_process, worker_channels,
		.def = "0", .max = 10000000,
		.help = "How many channels one worker may have: then it "
			"accepts when one has ended, and nobody is refused; 0 "
			"means no limit but that of open files."),
	WEIR_STRINGS("cpu_affinity", struct conf_process, cpu_affinity,
		.def = "off", .max = 1024, .flags = WEIR_BARE,
		.help = "CPUs that workers stay on (sched_setaffinity(2)): "
			"with auto each has one of those that weir may use, "
			"one after the other; a list such as [ 0, 2 ] or "
			"\"0-3,8\" says which, and begins anew when there "
			"are more workers. A worker that takes the place of "
			"another, by a reload or as that has crashed, gets the "
			"same CPU. Useful where workers are as many as CPUs "
			"and nothing else has work there; else the scheduler "
			"knows better. With off or false it decides."),
	WEIR_SIZE("shm_max", struct conf_process, shm_max, .def = "256M",
		.min = 4 << 20, .max = 1LL << 40, .flags = WEIR_NEEDS_START,
		.help = "How much memory all processes may share, for tables "
			"and counters of extensions; only what is used is "
			"taken.  Less than all tables may come to together "
			"works until it is used up: then new keys may find no "
			"room, also where \"full\" is \"evict\"."),
	WEIR_OPT_END
};
static const struct weir_rows process_rows = { .opts = process_opts,
	.size = sizeof(struct conf_process) };

static const struct weir_opt log_opts[] = {
	WEIR_CHOICE("level", struct conf_log, level, .def = "info",
		.choices = log_level_words,
		.help = "The least important lines that are written."),
	WEIR_LOGFILE("target", struct conf_log, target, .def = "stderr",
		.help = "Where lines go: stderr, syslog, or the path of a file "
			"that is appended to."),
	WEIR_OPT_END
};
static const struct weir_rows log_rows = { .opts = log_opts,
	.size = sizeof(struct conf_log) };

static const char *const close_channel_modes[] = {
	[CONF_CLOSE_SERIAL] = "serial", [CONF_CLOSE_PARALLEL] = "parallel", NULL
};

static const char *const splices[] = { [CONF_SPLICE_AUTO] = "auto",
	[CONF_SPLICE_ON] = "on",
	[CONF_SPLICE_OFF] = "off",
	NULL };

static const struct weir_opt server_opts[] = {
	WEIR_STRING("name", struct conf_server, name, .flags = WEIR_OPTIONAL,
		.min = 1, .max = 64,
		.help = "Its name in logs and for -o, else \"server\" and its "
			"number from 0."),
	WEIR_GROUPS("listen", struct conf_server, listen,
		.def = "127.0.0.1:9399", .rows = &socket_listen_rows,
		.max = 256, .help = "Where it accepts connections."),
	WEIR_SIZE("read_max", struct conf_server, read_max, .def = "320k",
		.min = 1, .max = 16 << 20,
		.help = "Most bytes that one read takes."),
	WEIR_SIZE("hold_max", struct conf_server, hold_max, .def = "1M",
		.min = 1, .max = 1 << 30,
		.help = "Most bytes held for one direction of a channel; at "
			"least read_max."),
	WEIR_TIME("dumb_connect_timeout", struct conf_server,
		dumb_connect_timeout_ms, .def = "3s", .flags = WEIR_OFF,
		.help = "How long a client may be silent while a backend "
			"cannot be chosen without its bytes."),
	WEIR_TIME("preread_timeout", struct conf_server, preread_timeout_ms,
		.def = "30s", .flags = WEIR_OFF,
		.help = "How long a client may take in all until a backend can "
			"be chosen."),
	WEIR_TIME("connect_timeout", struct conf_server, connect_timeout_ms,
		.def = "10s", .flags = WEIR_OFF,
		.help = "How long connecting to a backend may take."),
	WEIR_TIME("idle_timeout", struct conf_server, idle_timeout_ms,
		.def = "10m", .flags = WEIR_OFF,
		.help = "How long a channel may be silent in both "
			"directions."),
	WEIR_TIME("half_close_timeout", struct conf_server,
		half_close_timeout_ms, .def = "1m", .flags = WEIR_OFF,
		.help = "How long the other direction may be silent after one "
			"has ended."),
	WEIR_TIME("session_timeout", struct conf_server, session_timeout_ms,
		.def = "off", .flags = WEIR_OFF,
		.help = "How long a channel may live, whatever it does."),
	WEIR_TIME("close_wait", struct conf_server, close_wait_ms, .def = "60s",
		.flags = WEIR_OFF,
		.help = "How long channels may finish when weir is told to "
			"quit."),
	WEIR_CHOICE("close_channel_mode", struct conf_server,
		close_channel_mode, .def = "serial",
		.choices = close_channel_modes,
		.help = "Whether close callbacks run one after the other or "
			"all at once."),
	WEIR_CHOICE("splice", struct conf_server, splice, .def = "auto",
		.choices = splices,
		.help = "Whether bytes of a direction in which no middleware "
			"takes an interest stay in the kernel, in one of the "
			"256 pipes that a worker may have (splice(2)): with "
			"auto as long as they come in bulk, with on always, "
			"with off never. Without a pipe they are copied."),
	{ .key = "backend",
		.type = WEIR_T_GROUP,
		.off = WEIR_FIELD(
			struct conf_server, backend, struct conf_backend),
		.rows = &socket_backend_rows,
		.help = "Sockets that connect to backends, whichever "
			"middleware has chosen those." },
	{ .key = "middlewares",
		.type = WEIR_T_MODULES,
		.flags = WEIR_OPTIONAL,
		.off = WEIR_FIELD(struct conf_server, stages, struct weir_list),
		.max = CONF_STAGES_MAX,
		.rows = &stage_rows,
		.help = "What happens to the bytes, in this order from client "
			"to backend; without any a server reads and drops." },
	WEIR_OPT_END
};

const struct weir_rows core_server_rows = { .opts = server_opts,
	.size = sizeof(struct conf_server) };

const struct weir_opt core_rows[] = {
	{ .key = "process",
		.type = WEIR_T_GROUP,
		.off = WEIR_FIELD(struct conf, process, struct conf_process),
		.rows = &process_rows,
		.help = "The processes of weir." },
	{ .key = "log",
		.type = WEIR_T_GROUP,
		.off = WEIR_FIELD(struct conf, log, struct conf_log),
		.rows = &log_rows,
		.help = "What is logged, and where." },
	{ .key = "extensions",
		.type = WEIR_T_MODULES,
		.flags = WEIR_OPTIONAL,
		.off = WEIR_FIELD(struct conf, extensions, struct weir_list),
		.max = CONF_EXTENSIONS_MAX,
		.rows = &extension_rows,
		.help = "Modules that live as long as a process, and that "
			"middlewares find by name." },
	{ .key = "api",
		.type = WEIR_T_GROUP,
		.off = WEIR_FIELD(struct conf, api, struct conf_api),
		.rows = &api_rows,
		.help = "Where weir is asked and steered by weirctl(1) and "
			"over HTTP, as weir-api(7) says." },
	{ .key = "upstreams",
		.type = WEIR_T_GROUPS,
		.flags = WEIR_NOT_BUILT | WEIR_OPTIONAL,
		.help = "Named groups of backends." },
	WEIR_GROUPS("servers", struct conf, servers, .rows = &core_server_rows,
		.max = 1000,
		.help = "What is listened for, and what happens to it: at "
			"least "
			"servers = ( { } ) for one on 127.0.0.1:9399."),
	WEIR_OPT_END
};

static const struct place *place_of(const struct node *group, const char *key);
static void server_check(struct option_loader *l, const struct node *node,
	struct conf_server *server);
static void names_check(struct option_loader *l, const struct node *servers,
	const struct conf *conf);
static void listens_check(struct option_loader *l, const struct node *servers,
	const struct conf *conf);
static void uses_sort(struct use *uses, size_t n);
static int use_compare(const void *left, const void *right);
static bool use_equal(const struct use *a, const struct use *b);
static void user_check(struct option_loader *l, const struct node *root,
	const struct conf *conf);
static void pidfile_default(struct option_loader *l, struct conf *conf);

void
core_name_servers(struct node *root, struct weir_diag *d)
{
	struct node *servers = node_member(root, "servers"), *s, *name;
	struct place place;
	size_t i = 0;

	if (servers == NULL)
		return;
	option_entries(d->arena, option_find(core_rows, "servers", 7), servers);
	for (s = servers->first; s != NULL; s = s->next, i++) {
		if (s->kind != NODE_GROUP || node_member(s, "name") != NULL)
			continue;
		place = s->place;
		place.origin = "default";
		name = node_new(d->arena, NODE_STRING, "name",
			arena_printf(d->arena, "server%zu", i), place);
		node_set(s, name);
	}
}

void
core_check(struct option_loader *l, const struct node *root, struct conf *conf)
{
	const struct node *servers = node_member(root, "servers"), *s;
	size_t i = 0;

	/* There are none when that option itself is wrong. */
	if (conf->servers.n > 0) {
		for (s = servers->first; s != NULL; s = s->next, i++) {
			server_check(l, s,
				(struct conf_server *)conf->servers.v + i);
			stage_default(
				l, &((struct conf_server *)conf->servers.v)[i]
					    .stages);
		}
		names_check(l, servers, conf);
		listens_check(l, servers, conf);
	}
	claims_check(l);
	api_check(l, root, &conf->api);
	user_check(l, root, conf);
	cpus_check(l, root, &conf->process);
	pidfile_default(l, conf);
}

/* Where a member of the group was written, or else the group. */
static const struct place *
place_of(const struct node *group, const char *key)
{
	const struct node *member = node_member(group, key);

	return member != NULL ? &member->place : &group->place;
}

static void
server_check(struct option_loader *l, const struct node *node,
	struct conf_server *server)
{
	char read_max[UNITS_TEXT], hold_max[UNITS_TEXT];

	socket_check(l, node, server);
	if (server->name != NULL && !entry_is_name(server->name))
		diag_error(l->diag, place_of(node, "name"), "servers",
			"option \"name\" = \"%s\": a name is made of letters, "
			"digits, \"_\", \".\" and \"-\"",
			server->name);
	if (server->hold_max != 0 && server->hold_max < server->read_max)
		diag_error(l->diag,
			place_of(node, node_member(node, "hold_max") != NULL
					       ? "hold_max"
					       : "read_max"),
			arena_printf(
				l->diag->arena, "servers.%s", server->name),
			"hold_max is %s, but must be at least read_max, which "
			"is %s",
			units_size_text((int64_t)server->hold_max, hold_max),
			units_size_text((int64_t)server->read_max, read_max));
}

/* Two servers of one name, or two listeners at one address, found by sorting:
 * a file may have very many. */
static void
names_check(struct option_loader *l, const struct node *servers,
	const struct conf *conf)
{
	struct use *uses =
		arena_alloc(l->diag->arena, conf->servers.n * sizeof(*uses));
	const struct node *s;
	const char *name;
	size_t n = 0, i;

	for (s = servers->first, i = 0; s != NULL; s = s->next, i++) {
		name = conf_server_at(conf, i)->name;
		if (name != NULL)
			uses[n++] = (struct use){ .key = name,
				.len = strlen(name) + 1,
				.place = *place_of(s, "name") };
	}
	uses_sort(uses, n);
	for (i = 1; i < n; i++)
		if (use_equal(&uses[i - 1], &uses[i]))
			diag_error(l->diag, &uses[i].place, NULL,
				"two servers have the name \"%s\" (the other: "
				"%s)",
				(const char *)uses[i].key,
				diag_place(l->diag, &uses[i - 1].place));
}

static void
listens_check(struct option_loader *l, const struct node *servers,
	const struct conf *conf)
{
	const struct conf_server *server;
	const struct node *s, *listen, *entry;
	size_t n = 0, i, j;
	struct use *uses;

	for (i = 0; i < conf->servers.n; i++)
		n += conf_server_at(conf, i)->listen.n;
	uses = arena_alloc(l->diag->arena, n * sizeof(*uses));
	n = 0;
	for (s = servers->first, i = 0; s != NULL; s = s->next, i++) {
		server = conf_server_at(conf, i);
		listen = node_member(s, "listen");
		entry = listen != NULL ? listen->first : s;
		for (j = 0; j < server->listen.n; j++) {
			const struct conf_listen *at =
				conf_listen_at(server, j);

			if (at->address.len != 0 &&
				!weir_addr_lacks_port(&at->address))
				uses[n++] = (struct use){ .key = &at->address,
					.len = sizeof(at->address),
					.place = entry->place,
					.server = server->name != NULL
							  ? server->name
							  : "?",
					.text = at->text };
			entry = listen != NULL ? entry->next : entry;
		}
	}
	uses_sort(uses, n);
	for (i = 1; i < n; i++)
		if (use_equal(&uses[i - 1], &uses[i]))
			diag_error(l->diag, &uses[i].place, NULL,
				"servers \"%s\" and \"%s\" both listen on %s "
				"(the first: %s)",
				uses[i - 1].server, uses[i].server,
				uses[i].text,
				diag_place(l->diag, &uses[i - 1].place));
}

static void
uses_sort(struct use *uses, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		uses[i].index = i;
	if (n > 0)
		qsort(uses, n, sizeof(*uses), use_compare);
}

/* Equal keys stay in the order of the file. */
static int
use_compare(const void *left, const void *right)
{
	const struct use *a = left, *b = right;
	int c = memcmp(a->key, b->key, a->len < b->len ? a->len : b->len);

	return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

static bool
use_equal(const struct use *a, const struct use *b)
{
	return a->len == b->len && memcmp(a->key, b->key, a->len) == 0;
}

/* Nobody but root can become another user, so only root is asked. */
static void
user_check(struct option_loader *l, const struct node *root,
	const struct conf *conf)
{
	const struct node *process = node_member(root, "process");

	if (geteuid() == 0 && conf->process.user != NULL &&
		getpwnam(conf->process.user) == NULL)
		diag_error(l->diag,
			place_of(process != NULL ? process : root, "user"),
			"process",
			"option \"user\" = \"%s\": there is no such user",
			conf->process.user);
}

static void
pidfile_default(struct option_loader *l, struct conf *conf)
{
	size_t i;

	for (i = 0; i < l->nsettings; i++)
		if (strcmp(l->settings[i].path, "process.pidfile") == 0)
			break;
	if (i == l->nsettings || !conf->process.daemon ||
		conf->process.pidfile != NULL ||
		strcmp(l->settings[i].origin, "default") != 0)
		return;
	conf->process.pidfile = PIDFILE;
	l->settings[i].value = PIDFILE;
}
