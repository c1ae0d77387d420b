/* keeper.h - the one process that does what must be done once. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/control.h"
#include "engine/services.h"
#include "keeper/ask.h"
#include "keeper/order.h"
#include "keeper/members.h"
#include "keeper/upkeep.h"
#include "keeper/web.h"

struct event;
struct event_base;
struct heritage;
struct page;

struct weir_keeper {
	const struct heritage *heritage;
	struct event_base *base;
	struct control control;
	struct event *signals[2];
	struct event *looks; /* looks, while it drains, whether all is said */
	uint64_t since_ms;
	uint64_t drain_ms; /* when it leaves in any case; 0: it does not */
	struct member_head members;
	struct ask_head asks;
	unsigned nasks;
	unsigned ntraces;
	size_t nrows; /* of channels, of lists that are being made */
	uint32_t last_ask;
	struct order_head orders;
	unsigned norders;
	struct web web;
	struct services services;
	struct upkeep upkeep;
	SLIST_HEAD(, page) pages; /* of extensions */
	bool serves;		  /* extensions know */
	bool leaving;
};

#endif
