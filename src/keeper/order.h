/* order.h - what the keeper asks of the master, as weir -s does. */
#ifndef KEEPER_ORDER_H
#define KEEPER_ORDER_H

#include <sys/queue.h>

#include <jansson.h>

struct event;
struct weir_keeper;

struct order {
	TAILQ_ENTRY(order) link;
	struct weir_keeper *keeper;
	int fd; /* -1: the master has not sent it yet */
	struct event *event;
	const char *word;
	json_t *messages; /* what it said so far */
	/* It has ended: code 0 is success, -1: the master did not answer.  The
	 * call is freed then. */
	void (*over)(
		void *arg, int code, const char *outcome, json_t *messages);
	void *arg;
};

TAILQ_HEAD(order_head, order);

/* Says a word (borrowed for ever) to the master; over() is called later, never
 * from in here, after ms at the latest.  NULL with errno. */
struct order *order_begin(struct weir_keeper *k, const char *word, uint32_t ms,
	void (*over)(void *, int, const char *, json_t *), void *arg);
/* Nobody waits for it any more: frees it, over() is not called. */
void order_end(struct order *c);
/* The master has sent a socket to call it by, which is taken. */
void orders_answered(struct weir_keeper *k, int fd);
void orders_done(struct weir_keeper *k);

#endif
