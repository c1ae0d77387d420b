/* services.c - the extensions of a configuration inside one process. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/plan.h"
#include "engine/services.h"
#include "heritage.h"
#include "shm/counters.h"
#include "shm/table.h"

#define SAID_MOST 1024
#define SETTLE_MS 250 /* between two tries to make up for a release */

static int services_join(struct services *s, const struct heritage *h);
static int service_start(struct services *s, const struct heritage *h,
	struct weir_service *service, size_t i);
static void services_settle(evutil_socket_t fd, short what, void *arg);

int
services_init(struct services *s, const struct heritage *h,
	enum weir_process process, struct event_base *base)
{
	static const struct timeval settle = { 0, SETTLE_MS * 1000 };
	size_t n = h->conf->extensions.n, i;
	int err;

	*s = (struct services){ 0 };
	s->v = calloc(n + 1, sizeof(*s->v));
	if (s->v == NULL || services_join(s, h) == -1) {
		log_error("cannot start extensions: %s", strerror(ENOMEM));
		services_done(s);
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < n; i++) {
		s->v[i].process = process;
		s->v[i].base = base;
		if (service_start(s, h, &s->v[i], i) == -1) {
			err = errno;
			services_done(s);
			errno = err;
			return -1;
		}
		s->n++;
	}
	if (s->ntables == 0)
		return 0;
	s->settle = event_new(base, -1, EV_PERSIST, services_settle, s);
	if (s->settle != NULL && event_add(s->settle, &settle) == 0)
		return 0;
	services_done(s);
	errno = ENOMEM;
	return -1;
}

void
services_done(struct services *s)
{
	struct weir_service *service;

	if (s->settle != NULL)
		event_free(s->settle);
	while (s->n > 0) {
		service = &s->v[--s->n];
		if (service->type != NULL && service->type->stop != NULL)
			service->type->stop(service);
		free(service->state);
	}
	free(s->v);
	free(s->tables);
	*s = (struct services){ 0 };
}

struct weir_service *
services_find(const struct services *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->v[i].type != NULL && strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	return NULL;
}

void
services_drop(struct services *s, struct weir_service *service, int err)
{
	(void)s;
	log_error("extension \"%s\": cannot start, and is optional: this "
		  "process goes on without it: %s",
		service->name, strerror(err));
	if (service->type->stop != NULL)
		service->type->stop(service);
	service->type = NULL;
}

/* From here on what is held in the tables is this process's. */
static int
services_join(struct services *s, const struct heritage *h)
{
	size_t i;

	s->tables = calloc(h->ntables + 1, sizeof(struct weir_table *));
	if (s->tables == NULL)
		return -1;
	for (i = 0; i < h->ntables; i++) {
		s->tables[i] = h->tables[i].table;
		table_own(s->tables[i], h->owner);
	}
	s->ntables = h->ntables;
	if (h->counters != NULL)
		counters_own(h->counters, h->owner);
	return 0;
}

/* 0 as well when it is optional, and absent. */
static int
service_start(struct services *s, const struct heritage *h,
	struct weir_service *service, size_t i)
{
	const struct conf_extension *ext = conf_extension_at(h->conf, i);
	size_t j;
	int err;

	service->type = ext->type;
	service->name = ext->name;
	service->conf = ext->conf;
	service->plan = conf_plan(h->conf);
	service->counters = h->counters;
	/* They were opened in this order. */
	for (j = 0; j < h->ntables; j++) {
		if (h->tables[j].extension != i)
			continue;
		if (service->ntables++ == 0)
			service->tables = &s->tables[j];
	}
	if (ext->type->state_size > 0)
		service->state = calloc(1, ext->type->state_size);
	if (ext->type->state_size > 0 && service->state == NULL)
		err = ENOMEM;
	else if (ext->type->start == NULL || ext->type->start(service) == 0)
		return 0;
	else
		err = errno;
	if (ext->optional) {
		log_error("extension \"%s\": cannot start, and is optional: "
			  "this process goes on without it: %s",
			ext->name, strerror(err));
		service->type = NULL;
		return 0;
	}
	log_error(
		"extension \"%s\": cannot start: %s", ext->name, strerror(err));
	free(service->state);
	service->state = NULL;
	errno = err;
	return -1;
}

/* Releases that could not be made, as somebody hung with the lock. */
static void
services_settle(evutil_socket_t fd, short what, void *arg)
{
	struct services *s = arg;
	size_t i;

	(void)fd;
	(void)what;
	clock_update();
	for (i = 0; i < s->ntables; i++)
		(void)table_settle(s->tables[i]);
}

/* One line, whatever the level. */
#define SERVICE_SAY(log, s, fmt)                                               \
	do {                                                                   \
		char text[SAID_MOST];                                          \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		vsnprintf(text, sizeof(text), fmt, ap);                        \
		va_end(ap);                                                    \
		log("extension \"%s\": %s", (s)->name, text);                  \
	} while (0)

void
weir_service_info(const struct weir_service *s, const char *fmt, ...)
{
	SERVICE_SAY(log_info, s, fmt);
}

void
weir_service_warn(const struct weir_service *s, const char *fmt, ...)
{
	SERVICE_SAY(log_warn, s, fmt);
}

void
weir_service_error(const struct weir_service *s, const char *fmt, ...)
{
	SERVICE_SAY(log_error, s, fmt);
}
