/* table.h - what the parts of the table share. */
#ifndef TABLE_H
#define TABLE_H

#include "weir.h"

struct sync;

struct conf {
	size_t size;
	uint32_t ttl_ms;
	int full; /* enum weir_full */
	int64_t key_max;
	const char *keep; /* a file; NULL: none */
	uint32_t keep_every_ms;
	struct weir_list columns; /* of struct column; none: the standard */
	const char *sync;	  /* where a Redis is; NULL: nowhere */
	uint32_t sync_every_ms, sync_stale_ms;
	const char *sync_prefix; /* of all keys there */
	const char *machine;	 /* NULL: the host's name */
};

/* In the keeper. */
struct state {
	struct sync *sync; /* NULL: none */
};

/* The table that is configured, valid until the next call (table.c). */
bool table_table(const void *conf, unsigned i, struct weir_table_spec *spec);

#endif
