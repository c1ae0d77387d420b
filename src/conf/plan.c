/* plan.c - the servers of a configuration, as extensions may see them. */
#include "api/observer.h"
#include "conf/conf.h"
#include "conf/plan.h"

const struct weir_plan *
conf_plan(const struct conf *conf)
{
	return (const void *)conf;
}

static const struct conf *
plan_conf(const struct weir_plan *p)
{
	return (const void *)p;
}

const char *
weir_plan_server(const struct weir_plan *p, unsigned i)
{
	const struct conf *conf = plan_conf(p);

	return i < conf->servers.n ? conf_server_at(conf, i)->name : NULL;
}

const char *
weir_plan_stage(const struct weir_plan *p, unsigned server, unsigned i,
	const struct weir_middleware **mw)
{
	const struct conf_server *s = conf_server_at(plan_conf(p), server);

	if (i >= s->stages.n)
		return NULL;
	*mw = conf_stage_at(s, i)->mw;
	return conf_stage_at(s, i)->name;
}
