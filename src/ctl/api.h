/* api.h - requests to weir's HTTP API, over a unix socket or TCP. */
#ifndef CTL_API_H
#define CTL_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/text.h"

#define API_WAIT_MS 10000	 /* for an answer, if nothing else is said */
#define API_MOST    (256u << 20) /* bytes of an answer */

struct api;

struct api_request {
	const char *method; /* NULL: GET */
	const char *path;   /* "/v1/status?...", encoded; borrowed to the end */
	const char *body;   /* JSON; NULL: none; borrowed to the end */
	int64_t limit_ms;   /* for all of it; 0: API_WAIT_MS, -1: for ever */
	bool any;	    /* the answer may be other than JSON */
	bool quiet;	    /* no messages: it is only tried */
	bool may_end;	    /* by the limit, once it is asked */
	/* Gets what 2xx answers as it comes, in the place of the answer's text
	 * and JSON; false ends the request.  NULL: nobody. */
	bool (*heard)(void *arg, const char *p, size_t n);
	void *arg;
};

struct api_answer {
	long status;
	struct text text; /* as it came */
	json_t *json;	  /* NULL: it is none */
};

/* Where is a path, unix:PATH or http://HOST:PORT; token is what a TCP API
 * wants, or NULL.  NULL after a message when it is none of these. */
struct api *api_new(const char *where, const char *token);
void api_free(struct api *a);
/* Asks, and waits for the answer: 0 when weir did what it was asked, else
 * CTL_FAILED or CTL_UNREACHED after a message.  api_answer_free() in any case.
 */
int api_ask(struct api *a, const struct api_request *request,
	struct api_answer *answer);
/* The same in parts; the step waits for at most ms, or until fd (-1: none) can
 * be read: is the answer complete?  Then the finish returns as api_ask(). */
void api_start(struct api *a, const struct api_request *request,
	struct api_answer *answer);
bool api_step(struct api *a, int fd, int ms);
int api_finish(struct api *a);
/* Ends a request whose answer nobody waits for any more. */
void api_cancel(struct api *a);
/* Writes the lines of "messages", which are texts or have one. */
void api_messages(const json_t *json, FILE *f);
void api_answer_free(struct api_answer *answer);

#endif
