/* plan.h - the servers of a configuration, as extensions may see them. */
#ifndef CONF_PLAN_H
#define CONF_PLAN_H

struct conf;
struct weir_plan;

/* Lasts as long as the configuration. */
const struct weir_plan *conf_plan(const struct conf *conf);

#endif
