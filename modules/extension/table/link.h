/* link.h - a connection to a Redis, made again whenever it is lost. */
#ifndef TABLE_LINK_H
#define TABLE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "weir.h"

#define LINK_WHY 200

struct bufferevent;
struct event;
struct evdns_base;
struct redisReader;
struct redisReply;

struct link {
	struct weir_service *service;
	struct address address;
	const char *script;	 /* that it has to know */
	void (*up)(void *arg);	 /* it can be asked */
	void (*down)(void *arg); /* and cannot any more: no answer comes */
	void (*answer)(void *arg, const struct redisReply *reply);
	void *arg;

	struct bufferevent *bev; /* NULL: no connection */
	struct redisReader *reader;
	struct evdns_base *dns;
	struct event *timer; /* until it is tried again, or too late */
	unsigned awaited;    /* answers */
	size_t bytes;	     /* of an answer, so far */
	char sha[41];	     /* of the script */
	uint32_t wait_ms;    /* before the next try */
	bool is_up;
	bool works;	   /* as was said last */
	uint64_t failures; /* how often it was lost, or could not be had */
	char why[LINK_WHY], said[LINK_WHY];
};

/* Fields above the blank line are filled in.  -1 with errno. */
int link_init(struct link *l);
/* Begins to connect, once. */
void link_begin(struct link *l);
void link_done(struct link *l);
/* Runs the script with these arguments, one at a time; the answer may be an
 * error. */
void link_ask(struct link *l, int argc, const char **argv, const size_t *lens);
/* All is well, as far as who asks can see. */
void link_works(struct link *l, const char *how);
/* Gives up this connection, and says why, if that is news; another is made
 * later. */
void link_fail(struct link *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with the error that it has answered. */
void link_refused(struct link *l, const struct redisReply *reply);
/* Gives up this connection for another in ms, without a word. */
void link_again(struct link *l, uint32_t ms);
/* Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)). */
uint64_t link_now_ms(void);

#endif
