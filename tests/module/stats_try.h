/* stats_try.h - a rig whose channels the extension stats looks at, and a keeper
 * of which there are only pages; include it once in a test. */
#ifndef STATS_TRY_H
#define STATS_TRY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/plan.h"
#include "engine/observe.h"
#include "lib/metrics.h"
#include "lib/pair.h"
#include "shm/counters.h"
#include "shm/owner.h"

extern const struct weir_extension ext_stats;

/* Options of its entry. */
static struct {
	int64_t backends;
	uint32_t stall_ms;
} counted_conf;

static struct shm shm;
static struct weir_counters counters;
static struct conf counted_plan; /* its servers, once it has begun */
static struct conf_server plan_servers[2];
static struct weir_service counted;
static char counted_type[128]; /* of the last page */
static struct observers observers;

/* ---- the keeper's part --------------------------------------------------- */

static struct {
	const char *path;
	void (*run)(struct weir_service *s, struct weir_request *r);
} pages[4];
static unsigned npages;
static char *reply;
static int reply_status;

int
weir_keeper_page(struct weir_keeper *k, struct weir_service *s,
	const char *path,
	void (*page)(struct weir_service *s, struct weir_request *r))
{
	(void)k;
	assert_ptr_equal(s, &counted);
	pages[npages].path = path;
	pages[npages++].run = page;
	return 0;
}

void
weir_reply(struct weir_request *r, int status, const char *type, const void *p,
	size_t n)
{
	(void)r;
	free(reply);
	reply = malloc(n + 1);
	assert_non_null(reply);
	memcpy(reply, p, n);
	reply[n] = '\0';
	reply_status = status;
	snprintf(counted_type, sizeof(counted_type), "%s", type);
}

static char counted_policy[1024]; /* of the last page */

void
weir_reply_header(struct weir_request *r, const char *name, const char *value)
{
	(void)r;
	if (strcmp(name, "Content-Security-Policy") == 0)
		snprintf(counted_policy, sizeof(counted_policy), "%s", value);
}

/* The body of a page, valid until the next. */
static const char *
counted_page(const char *path)
{
	unsigned i;

	if (npages == 0)
		assert_int_equal(ext_stats.keep(&counted, NULL), 0);
	for (i = 0; i < npages && strcmp(pages[i].path, path) != 0; i++)
		;
	assert_true(i < npages);
	pages[i].run(&counted, NULL);
	assert_int_equal(reply_status, 200);
	return reply;
}

static double
counted_metric(const char *sample)
{
	return metrics_value(counted_page("/metrics"), sample);
}

/* ---- fixtures ------------------------------------------------------------ */

static int
counted_start(void **state)
{
	pair_start(state);
	counted_conf.backends = 4;
	counted_conf.stall_ms = 50;
	npages = 0;
	return shm_init(&shm, (size_t)64 << 20) == -1 ||
			       counters_init(&counters, &shm) == -1
		       ? -1
		       : 0;
}

static int
counted_stop(void **state)
{
	pair_stop(state);
	if (counted.state != NULL)
		ext_stats.stop(&counted);
	free(counted.state);
	counted = (struct weir_service){ .type = NULL };
	observers_done(&observers);
	free(reply);
	reply = NULL;
	counters_done(&counters);
	shm_done(&shm);
	return 0;
}

/* Has this process count for a server with the stages that the rig has; before
 * rig_start(). */
static void
counted_begin(const char *name)
{
	rig.server.name = name;
	plan_servers[0] = rig.server;
	rig.stages[rig.server.stages.n] =
		(struct conf_stage){ .mw = &rig_dial, .name = "witness" };
	plan_servers[0].stages.v = rig.stages;
	plan_servers[0].stages.n++;
	counted_plan.servers.v = plan_servers;
	counted_plan.servers.n = 1;
	counted = (struct weir_service){ .type = &ext_stats,
		.name = "stats",
		.conf = &counted_conf,
		.state = calloc(1, ext_stats.state_size),
		.plan = conf_plan(&counted_plan),
		.counters = &counters };
	assert_int_equal(
		ext_stats.count(&counted_conf, counted.plan, &counters), 0);
	counters_own(&counters, owner_begin(shm_owners(&shm)));
	assert_int_equal(ext_stats.start(&counted), 0);
	/* The rig's engine is at another place than that of the plan. */
	assert_int_equal(
		observers_init(&observers, &counted, 1, &rig.server), 0);
	rig.observers = &observers;
}

/* ---- channels --------------------------------------------------------- */

static void
join(void)
{
	rig_add(&rig, &rig_dial, &dial);
	counted_begin("web");
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
}

static void
end(void)
{
	rig_close(&client);
	rig_hear_end(&rig, server);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == rig.opened);
}

static char *
backend_sample(char *to, size_t size, const char *name, const char *backend,
	const char *more)
{
	snprintf(to, size, "weir_backend_%s{backend=\"%s\"%s}", name, backend,
		more);
	return to;
}

static double
backend(const char *name, const struct weir_addr *addr, const char *more)
{
	char sample[512], text[WEIR_ADDR_TEXT] = "other";

	if (addr != NULL)
		weir_addr_text(addr, text);
	return counted_metric(
		backend_sample(sample, sizeof(sample), name, text, more));
}

#endif
