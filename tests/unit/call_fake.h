/* call_fake.h - a call whose channel is a struct weir_facts; include it once in
 * a test that has no engine. */
#ifndef CALL_FAKE_H
#define CALL_FAKE_H

#include <string.h>

#include "base/addr.h"
#include "conf/reading.h"

static struct weir_facts fake_facts;
static struct weir_addr fake_locals[2];
static const char *fake_contexts[CONF_STAGES_MAX]; /* of each stage */
static const struct conf_server *fake_server;
static unsigned fake_asked; /* how often facts were asked for */

static const struct weir_call fake_call __attribute__((unused));

void
weir_facts(const struct weir_call *c, struct weir_facts *facts)
{
	(void)c;
	fake_asked++;
	*facts = fake_facts;
}

void
weir_local(const struct weir_call *c, enum weir_side side, struct weir_addr *a)
{
	(void)c;
	*a = fake_locals[side];
}

void
reading_ask(const struct weir_call *c, unsigned stage,
	const struct weir_variable *row, struct weir_value *v)
{
	struct weir_call own = *c;

	own.ctx = &fake_contexts[stage];
	row->get(&own, v);
}

const struct conf_server *
reading_server(const struct weir_call *c)
{
	(void)c;
	return fake_server;
}

static inline struct weir_addr
fake_addr(const char *text)
{
	struct weir_addr a;
	const char *why;

	assert_int_equal(addr_parse(&a, text, &why), 0);
	return a;
}

#endif
