/* request.h - one HTTP request, until it is answered. */
#ifndef KEEPER_REQUEST_H
#define KEEPER_REQUEST_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "api/extension.h"
#include "keeper/web.h"

#define REQUEST_WHO   80
#define REQUEST_PARTS 2 /* of a path that stand for something */

struct evbuffer;
struct evhttp_request;
struct event;

/* Part of a path, decoded; a NUL follows it. */
struct part {
	char *p;
	size_t n;
};

struct weir_request {
	TAILQ_ENTRY(weir_request) link; /* of those not answered yet */
	struct weir_keeper *keeper;
	struct evhttp_request *req; /* NULL: answered, as it was too late */
	struct evkeyvalq query;
	struct part parts[REQUEST_PARTS];
	enum web_level level;
	bool unix_peer;
	char who[REQUEST_WHO]; /* has sent it, for the log */
	bool streams;	       /* its answer has begun */
	struct event *deadline;
	struct event *hang_up; /* of whoever reads a stream */
	size_t waits;	       /* bytes of a stream that he has not read */
	/* What its page works at, and how that is freed: with the request. */
	void *job;
	void (*end)(struct weir_request *r);
};

/* Takes a request of evhttp and answers it now or later. */
void request_begin(struct web *w, struct evhttp_request *req);
/* Finds its page, or refuses it. */
void request_dispatch(struct weir_request *r, const char *path);
/* Ends one that nobody answers any more: it is refused. */
void request_drop(struct weir_request *r);
/* The job of that size, zeroed, or NULL after an answer that memory ran out. */
void *request_job(struct weir_request *r, size_t size,
	void (*end)(struct weir_request *r));

/* A parameter that is a number of at most most: false after an answer that it
 * is none.  Without it *n stays. */
bool request_number(
	struct weir_request *r, const char *name, uint64_t most, uint64_t *n);
/* One that is present without a value, or is 1, true or yes. */
bool request_flag(struct weir_request *r, const char *name);
/* One that fits into size bytes with its NUL; to stays when it is not there.
 * False after an answer. */
bool
request_text(struct weir_request *r, const char *name, char *to, size_t size);

/* How many questions to workers there may be for his to go (ASKS_...). */
unsigned request_asks(const struct weir_request *r);
/* May whoever sent it have what only reads, or more?  False after an answer. */
bool request_has_rights(struct weir_request *r, bool reads);

/* These answer, once, and end the request: */

/* Takes the reference to body; NULL is a lack of memory. */
void request_answer(struct weir_request *r, int status, json_t *body);
/* The buffer's bytes. */
void request_send(struct weir_request *r, int status, const char *type,
	struct evbuffer *body);
/* Adds a value to the text of a list, and takes the reference; false without
 * memory.  For long lists: as one tree they would take much more. */
bool request_list_add(struct evbuffer *list, json_t *json, bool first);
/* {"error":"..."} */
void request_refuse(struct weir_request *r, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What errno of ask_begin() or order_begin() means. */
void request_failed(struct weir_request *r, int err);

/* Or it streams: begins with that type; a line is added unless the reader has
 * not read so much: false; ends. */
void request_stream(struct weir_request *r, const char *type);
bool request_line(struct weir_request *r, const json_t *line);
void request_stream_end(struct weir_request *r);

/* The part of a stream that he has not read yet may be so many bytes. */
#define REQUEST_STREAM_MOST 262144

/* {"error":text}, which the caller frees; NULL without memory. */
struct evbuffer *request_error_body(const char *text);

#endif
