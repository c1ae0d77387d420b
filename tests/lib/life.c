/* life.c - extensions of a configuration in the processes that have them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <event2/event.h>

#include "engine/services.h"
#include "heritage.h"
#include "lib/life.h"
#include "master/tables.h"
#include "shm/counters.h"
#include "shm/owner.h"

#define SEGMENT	     ((size_t)64 << 20)
#define PAGES	     16
#define ANSWER_TURNS 1000 /* of the keeper's loop */

/* The keeper's part: pages, and requests that have no parameter. */
struct weir_keeper {
	struct {
		const char *path;
		struct weir_service *service;
		weir_run *run;
	} pages[PAGES];
	unsigned n;
};

struct weir_request {
	unsigned answers;
};

int
weir_keeper_page(struct weir_keeper *k, struct weir_service *s,
	const char *path, weir_run *page)
{
	/* The real one needs memory, too. */
	void *p = malloc(1);
	unsigned i;

	if (p == NULL)
		return -1;
	free(p);
	assert_int_equal(path[0], '/');
	for (i = 0; i < k->n; i++)
		assert_string_not_equal(k->pages[i].path, path);
	assert_in_range(k->n, 0, PAGES - 1);
	k->pages[k->n].path = path;
	k->pages[k->n].service = s;
	k->pages[k->n++].run = page;
	return 0;
}

const char *
weir_request_value(struct weir_request *r, const char *name)
{
	assert_int_equal(r->answers, 0);
	assert_non_null(name);
	return NULL;
}

struct weir_bytes
weir_request_body(struct weir_request *r)
{
	assert_int_equal(r->answers, 0);
	return (struct weir_bytes){ .p = NULL };
}

void
weir_reply_header(struct weir_request *r, const char *name, const char *value)
{
	assert_int_equal(r->answers, 0);
	assert_null(strpbrk(name, ": \r\n"));
	assert_null(strpbrk(value, "\r\n"));
}

void
weir_reply(struct weir_request *r, int status, const char *type, const void *p,
	size_t n)
{
	r->answers++;
	assert_in_range(status, 200, 599);
	assert_non_null(strchr(type, '/'));
	assert_true(p != NULL || n == 0);
}

/* Now, or when something has come of it. */
static void
ask(struct event_base *base, struct weir_service *s, weir_run *run)
{
	struct weir_request r = { .answers = 0 };
	unsigned turns;

	run(s, &r);
	for (turns = 0; r.answers == 0 && turns < ANSWER_TURNS; turns++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(r.answers, 1);
}

static int
keep(struct services *services, struct event_base *base)
{
	struct weir_keeper k = { .n = 0 };
	const struct weir_command *word;
	struct weir_service *s;
	size_t i;

	for (i = 0; i < services->n; i++) {
		s = &services->v[i];
		if (s->type->keep != NULL && s->type->keep(s, &k) == -1)
			return -1;
	}
	for (i = 0; i < k.n; i++)
		ask(base, k.pages[i].service, k.pages[i].run);
	for (i = 0; i < services->n; i++) {
		s = &services->v[i];
		word = s->type->commands;
		for (; word != NULL && word->word != NULL; word++)
			ask(base, s, word->run);
	}
	return 0;
}

/* One process with a heritage, from its start to its end. */
static int
process_run(struct heritage *h, enum weir_process process)
{
	struct owners *owners = shm_owners(h->shm);
	struct event_base *base = event_base_new();
	struct services services;
	int rc;

	assert_non_null(base);
	h->owner = owner_begin(owners);
	rc = services_init(&services, h, process, base);
	if (rc == 0) {
		if (process == WEIR_IN_KEEPER)
			rc = keep(&services, base);
		else
			event_base_loop(base, EVLOOP_NONBLOCK);
		services_done(&services);
	}
	owner_end(owners, h->owner);
	event_base_free(base);
	return rc;
}

int
life_run(const struct conf *conf)
{
	struct tables tables = { .shm = NULL };
	struct heritage h = { .conf = conf };
	struct shm shm;
	int rc;

	assert_int_equal(shm_init(&shm, SEGMENT), 0);
	rc = tables_open(&tables, &shm, conf, 1);
	if (rc == 0) {
		h.shm = &shm;
		h.tables = tables.v;
		h.ntables = tables.n;
		h.counters = tables.counters;
		rc = process_run(&h, WEIR_IN_WORKER);
	}
	if (rc == 0)
		rc = process_run(&h, WEIR_IN_KEEPER);
	tables_done(&tables);
	shm_done(&shm);
	return rc;
}
