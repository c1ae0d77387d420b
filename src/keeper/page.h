/* page.h - what pages share. */
#ifndef KEEPER_PAGE_H
#define KEEPER_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/option.h"
#include "keeper/request.h"

struct member;

/* "2.0.17" */
struct channel_name {
	uint32_t generation, slot;
	uint64_t number;
};

/* False: it is none. */
bool channel_parse(const char *text, struct channel_name *name);
/* The worker of that channel; NULL after an answer. */
struct member *request_channel(
	struct weir_request *r, const char *text, struct channel_name *name);
/* A parameter that is a network; false after an answer. */
bool
request_network(struct weir_request *r, const char *name, struct weir_cidr *c);
/* Text as JSON, also when it is no UTF-8; NULL without memory. */
json_t *text_json(const char *text, size_t n);

#endif
