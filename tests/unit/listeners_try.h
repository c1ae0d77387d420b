/* listeners_try.h - listeners of a configuration that a test makes. */
#ifndef UNIT_LISTENERS_TRY_H
#define UNIT_LISTENERS_TRY_H

#include "base/addr.h"
#include "conf/conf.h"
#include "master/listeners.h"

#define MOST 4

static struct conf_listen listens[MOST];
static struct conf_server server = { .name = "pg", .listen.v = listens };
static struct conf conf = { .servers = { 1, &server } };
static struct listeners ls;

static void
listen_on(const char *address)
{
	struct conf_listen *l = &listens[server.listen.n++];
	const char *why;

	assert_true(server.listen.n <= MOST);
	*l = (struct conf_listen){ .text = address, .backlog = 16 };
	sockopts_add(&l->options, SOCKOPT_NODELAY, 1);
	assert_int_equal(addr_parse(&l->address, address, &why), 0);
}

#endif
