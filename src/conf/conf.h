/* conf.h - a configuration file as one immutable struct. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api/extension.h"
#include "api/middleware.h"
#include "api/option.h"
#include "base/sockopt.h"

#define CONF_STAGES_MAX	    64 /* middlewares of one server */
#define CONF_EXTENSIONS_MAX 64
#define CONF_API	    UINT32_MAX /* instead of the index of a server */

struct conf_process {
	int64_t workers; /* 0: one per CPU */
	const char *user;
	bool daemon;
	const char *pidfile; /* NULL: none */
	uint32_t start_timeout_ms;
	uint32_t drain_timeout_ms; /* 0: off */
	int64_t max_generations;
	int64_t nofile;		 /* open files of a worker; 0: as it is */
	size_t core;		 /* bytes of its core file; 0: off, as it is */
	int64_t drain_rate;	 /* channels a second; 0: off */
	int64_t worker_channels; /* of one worker; 0: no limit */
	struct weir_list cpu_affinity; /* of const char *, as written */
	size_t shm_max;		       /* bytes of the shared segment */
	struct weir_list cpus; /* of int, one after the other for each slot */
};

enum conf_splice { CONF_SPLICE_AUTO, CONF_SPLICE_ON, CONF_SPLICE_OFF };

enum conf_close_mode { CONF_CLOSE_SERIAL, CONF_CLOSE_PARALLEL };

struct conf_log {
	int level; /* enum log_level */
	const struct weir_logfile *target;
};

/* Where log lines go; equal texts have one index. */
struct weir_logfile {
	const char *text; /* "stderr", "syslog" or a path */
	size_t index;	  /* into the conf's logfiles */
};

/* What the sockets of both sides have; 0: as the system has it. */
struct conf_socket {
	bool nodelay;
	size_t sndbuf, rcvbuf;
	bool keepalive;
	uint32_t keepalive_idle_ms, keepalive_interval_ms;
	int64_t keepalive_count;
	uint32_t user_timeout_ms;
};

struct conf_listen {
	const char *text; /* the address, as weir_addr_text() writes it */
	struct weir_addr address;
	int64_t backlog;
	bool reuseport;
	struct conf_socket socket;
	uint32_t defer_accept_ms; /* 0: off */
	int64_t fastopen;	  /* most that wait for their handshake */
	bool transparent;
	struct sockopts options; /* all of these, as the kernel has them */
	uint32_t mode;		 /* of a unix socket; 0: everybody may */
};

/* Where connections to backends come from. */
enum conf_transparent {
	CONF_TRANSPARENT_OFF,
	CONF_TRANSPARENT_SOURCE, /* from source, whoever has that address */
	CONF_TRANSPARENT_CLIENT	 /* from the client's own address */
};

struct conf_backend {
	struct weir_list source; /* of struct weir_addr, taken in turn */
	struct conf_socket socket;
	bool fastopen;
	int64_t mark;
	int transparent;	 /* enum conf_transparent */
	struct sockopts options; /* all but fastopen */
};

/* One entry of extensions, in the order of their start. */
struct conf_extension {
	const struct weir_extension *type;
	const char *name; /* its own, or the type's */
	const void *conf; /* filled from the type's rows */
	int64_t order;
	bool optional;
};

/* Where weirctl and others ask, and who may do what. */
struct conf_api {
	struct weir_list addresses; /* of struct weir_addr, as written */
	struct weir_list listen;    /* of struct conf_listen, the same */
	const char *mode;	    /* of unix sockets, octal */
	const char *token;	    /* NULL: none */
	struct weir_list operators; /* of const char *, names of users */
};

/* One entry of a chain, in chain order. */
struct conf_stage {
	const struct weir_middleware *mw;
	const char *name; /* its own, or the type's */
	const void *conf; /* filled from the type's rows */
	int64_t order;
	const struct weir_condition *when; /* it takes part; NULL: always */
	enum weir_moment when_since;	   /* when is known: OPEN or ROUTE */
};

struct conf_server {
	const char *name;
	struct weir_list listen; /* of struct conf_listen */
	size_t read_max;
	size_t hold_max;
	uint32_t dumb_connect_timeout_ms; /* 0: off, as all below */
	uint32_t preread_timeout_ms;
	uint32_t connect_timeout_ms;
	uint32_t idle_timeout_ms;
	uint32_t half_close_timeout_ms;
	uint32_t session_timeout_ms;
	uint32_t close_wait_ms;
	int close_channel_mode; /* enum conf_close_mode */
	int splice;		/* enum conf_splice */
	struct conf_backend backend;
	struct weir_list stages; /* of struct conf_stage, sorted by order */
};

/* One effective setting, for -T. */
struct conf_setting {
	const char *path; /* "servers.pg.idle_timeout" */
	const char *value;
	const char *def;    /* "" when there is none */
	const char *origin; /* "weir.conf:12", "environment", "-o", "default" */
};

struct texts;

struct conf {
	struct conf_process process;
	struct conf_log log;
	struct weir_list extensions; /* of struct conf_extension */
	struct conf_api api;
	struct weir_list servers;  /* of struct conf_server */
	struct weir_list settings; /* of struct conf_setting */
	struct weir_list logfiles; /* of const struct weir_logfile * */
	const char *file;
};

/* What the command line adds: "PATH=VALUE" texts, ends with NULL (or NULL). */
struct conf_overrides {
	const char *const *options;
	char *const *environ; /* for ${NAME} and WEIR_...; NULL: empty */
};

/* Loads file (includes expanded), overrides applied, everything checked short
 * of binding.  All errors are written to err, one line each with their place;
 * NULL when there was one.  Caller frees with conf_free(). */
struct conf *
conf_load(const char *file, const struct conf_overrides *over, FILE *err);
/* The same, from files that texts keeps (or will keep: conf/texts.h). */
struct conf *conf_load_texts(const char *file,
	const struct conf_overrides *over, struct texts *texts, FILE *err);
/* The same from text in memory, named file in messages. */
struct conf *conf_parse(const char *file, const char *text, size_t len,
	const struct conf_overrides *over, FILE *err);
void conf_free(struct conf *conf);

static inline const struct conf_server *
conf_server_at(const struct conf *conf, size_t i)
{
	return (const struct conf_server *)conf->servers.v + i;
}

static inline const struct weir_logfile *
conf_logfile_at(const struct conf *conf, size_t i)
{
	return ((const struct weir_logfile *const *)conf->logfiles.v)[i];
}

static inline const struct conf_listen *
conf_listen_at(const struct conf_server *server, size_t i)
{
	return (const struct conf_listen *)server->listen.v + i;
}

/* Of a server, or of CONF_API. */
static inline const struct conf_listen *
conf_listen_of(const struct conf *conf, uint32_t server, uint32_t listen)
{
	if (server == CONF_API)
		return (const struct conf_listen *)conf->api.listen.v + listen;
	return conf_listen_at(conf_server_at(conf, server), listen);
}

/* Name of a server, or "api" of CONF_API. */
static inline const char *
conf_name_of(const struct conf *conf, uint32_t server)
{
	return server == CONF_API ? "api" : conf_server_at(conf, server)->name;
}

static inline const struct conf_extension *
conf_extension_at(const struct conf *conf, size_t i)
{
	return (const struct conf_extension *)conf->extensions.v + i;
}

static inline const struct conf_stage *
conf_stage_at(const struct conf_server *server, size_t i)
{
	return (const struct conf_stage *)server->stages.v + i;
}

#endif
