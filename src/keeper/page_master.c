/* page_master.c - what the master is asked to do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"

#define RELOAD_MS 60000
#define CALL_MS	  5000

struct calling {
	struct weir_request *r;
	struct order *order;
};

static void
calling_over(void *arg, int code, const char *outcome, json_t *messages)
{
	struct calling *c = arg;
	json_t *body;

	c->order = NULL;
	if (code == -1) {
		request_refuse(c->r, 503, "%s", outcome);
		return;
	}
	body = json_pack("{s:i,s:o,s:O}", "code", code, "outcome",
		text_json(outcome, strlen(outcome)), "messages", messages);
	if (body != NULL && code != 0)
		(void)json_object_set_new(body, "error",
			*outcome != '\0' ? text_json(outcome, strlen(outcome))
					 : json_string("it has failed"));
	request_answer(c->r, code == 0 ? 200 : 409, body);
}

static void
calling_end(struct weir_request *r)
{
	struct calling *c = r->job;

	if (c->order != NULL)
		order_end(c->order);
}

static void
master_ask(struct weir_request *r, const char *word, uint32_t ms)
{
	struct calling *c = request_job(r, sizeof(*c), calling_end);

	if (c == NULL)
		return;
	c->r = r;
	c->order = order_begin(r->keeper, word, ms, calling_over, c);
	if (c->order == NULL)
		request_failed(r, errno);
}

void
page_reload(struct weir_request *r)
{
	master_ask(r, "reload", RELOAD_MS);
}

void
page_reopen(struct weir_request *r)
{
	master_ask(r, "reopen", CALL_MS);
}

void
page_drain(struct weir_request *r)
{
	/* A reload that is under way comes first. */
	master_ask(r, "drain", RELOAD_MS);
}
