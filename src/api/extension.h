/* extension.h - the descriptor that an extension publishes as ext_NAME. */
#ifndef WEIR_EXTENSION_H
#define WEIR_EXTENSION_H

#include "counter.h"
#include "middleware.h"
#include "observer.h"
#include "option.h"
#include "table.h"

struct event_base;
struct weir_keeper;
struct weir_request;

enum weir_process { WEIR_IN_WORKER, WEIR_IN_KEEPER };

/* One entry of extensions inside one process. */
struct weir_service {
	const struct weir_extension *type;
	const char *name;
	const void *conf;
	void *state; /* your state_size bytes, zeroed before start */
	struct weir_table *const *tables; /* those of .table, in that order */
	unsigned ntables;
	const struct weir_plan *plan;	/* the servers */
	struct weir_counters *counters; /* NULL: there is no shared memory */
	enum weir_process process;
	struct event_base *base; /* of this process */
};

/* Somebody asks something of a service. */
typedef void weir_run(struct weir_service *s, struct weir_request *r);

/* A word that weirctl and the API have for it: POST
 * /v1/extensions/NAME/WORD. */
struct weir_command {
	const char *word;
	const char *help; /* one sentence with its full stop */
	bool reads;	  /* changes nothing: whoever may read, may this */
	weir_run *run;	  /* answers with weir_reply(), now or later */
};

struct weir_extension {
	const char *name;
	const char *help; /* one sentence with its full stop */
	/* Options of an entry that works; NULL: it works without any. */
	const char *example;
	const struct weir_opt *opts;
	size_t conf_size;
	size_t state_size; /* for each process */
	bool single;	   /* there can be one entry of it */

	/* Cross-field checks of one entry, in -t and at start: 0, or -1 after
	 * weir_error(). */
	int (*check)(const void *conf, struct weir_diag *d);
	/* Fills in the i-th table that it wants, from 0 on; false: there are no
	 * more. */
	bool (*table)(
		const void *conf, unsigned i, struct weir_table_spec *spec);
	/* In the master, before processes are started with this entry: adds the
	 * series that it counts, with weir_series_add(): 0, or -1 with errno
	 * when it cannot. */
	int (*count)(const void *conf, const struct weir_plan *plan,
		struct weir_counters *c);
	/* What it wants to know of channels; called in workers. */
	const struct weir_observer *observer;
	/* A process starts with this entry: 0, or -1 with errno when it cannot,
	 * which ends that process unless the entry is optional. */
	int (*start)(struct weir_service *s);
	/* It leaves; only after a start that was 0. */
	void (*stop)(struct weir_service *s);
	/* After start, in the keeper, which there is one of: 0, or -1 with
	 * errno as with start. */
	int (*keep)(struct weir_service *s, struct weir_keeper *k);
	/* In the keeper, after keep, when nothing undoes this start any more: a
	 * reload may still fail before.  From here on it may change what others
	 * see as well, such as rows of its tables. */
	void (*serve)(struct weir_service *s);
	/* In the keeper, before it leaves, and only after serve: what others
	 * see may be another keeper's from here on, so this one changes it no
	 * more, though it may still answer requests for a while. */
	void (*retire)(struct weir_service *s);
	/* In the keeper; ends with word NULL. */
	const struct weir_command *commands;
	/* Stands first in every chain, with the conf of the entry. */
	const struct weir_middleware *stage;
};

/* One line of the log, with the name of the entry in front: of what goes as it
 * should, may not, and does not. */
void weir_service_info(const struct weir_service *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void weir_service_warn(const struct weir_service *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void weir_service_error(const struct weir_service *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The entry of that name in this process; NULL: there is none, or it is
 * optional and could not start. */
struct weir_service *
weir_extension(const struct weir_call *c, const char *name);
/* The same, when a middleware starts. */
struct weir_service *
weir_instance_extension(const struct weir_instance *in, const char *name);
/* The first table of the extension of that name, or NULL. */
struct weir_table *weir_table(const struct weir_call *c, const char *name);
struct weir_table *
weir_instance_table(const struct weir_instance *in, const char *name);

/* GET of that path (as "/metrics") is answered by page, which calls
 * weir_reply() now or later; -1 with errno. */
int weir_keeper_page(struct weir_keeper *k, struct weir_service *s,
	const char *path, weir_run *page);
/* Value of a parameter of the request, or NULL; borrowed until the reply. */
const char *weir_request_value(struct weir_request *r, const char *name);
/* What was sent with it; borrowed until the reply. */
struct weir_bytes weir_request_body(struct weir_request *r);
/* Adds a header to the answer that is to come; copies.  The core has its own
 * for type, length and caching. */
void
weir_reply_header(struct weir_request *r, const char *name, const char *value);
/* Answers with an HTTP status (RFC 9110 section 15), once, and ends the
 * request; copies. */
void weir_reply(struct weir_request *r, int status, const char *type,
	const void *p, size_t n);

#endif
