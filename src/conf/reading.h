/* reading.h - the values of variables, for one channel. */
#ifndef CONF_READING_H
#define CONF_READING_H

#include "conf/variable.h"

/* Starts as { .c = the call }; values that it gave are borrowed from it. */
struct reading {
	const struct weir_call *c;
	bool has_facts;
	struct weir_facts facts;
};

/* The engine's: asks a stage of the chain for its variable, and tells whose
 * chain it is. */
void reading_ask(const struct weir_call *c, unsigned stage,
	const struct weir_variable *row, struct weir_value *v);
const struct conf_server *reading_server(const struct weir_call *c);

/* Value of the variable now, of its type or NONE. */
void reading_get(
	struct reading *r, const struct variable *var, struct weir_value *v);
/* The IP address of a as IPv6, v4-mapped if it is an IPv4 one; false when it
 * has none. */
bool reading_ip(const struct weir_addr *a, struct in6_addr *ip);
/* The port of one that has an IP address. */
in_port_t reading_port(const struct weir_addr *a);
/* An address or IP address as text; returns text. */
const char *
reading_addr_text(const struct weir_value *v, char text[static WEIR_ADDR_TEXT]);

#endif
