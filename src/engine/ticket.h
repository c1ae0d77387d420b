/* ticket.h - names of channels that may outlive them. */
#ifndef ENGINE_TICKET_H
#define ENGINE_TICKET_H

#include <stdint.h>

struct weir_channel;

struct ticket_slot {
	struct weir_channel *ch; /* NULL: free */
	uint32_t age;		 /* how often it was given back */
	uint32_t next_free;	 /* number from 1; 0: the last */
};

struct tickets {
	struct ticket_slot *slots;
	uint32_t n;
	uint32_t first_free; /* number from 1; 0: none */
};

void tickets_done(struct tickets *ts);
/* Number of a slot that is the channel's from now on, from 1; 0 with ENOMEM. */
uint32_t ticket_take(struct tickets *ts, struct weir_channel *ch);
/* Its owner is gone; number 0 is nobody's. */
void ticket_give_back(struct tickets *ts, uint32_t number);
/* How often the slot had other owners before. */
uint32_t ticket_age(const struct tickets *ts, uint32_t number);
/* The owner at that age, or NULL when it is gone. */
struct weir_channel *
ticket_owner(const struct tickets *ts, uint32_t number, uint32_t age);

#endif
