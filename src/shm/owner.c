/* owner.c - who holds things in shared memory. */
#include <errno.h>

#include "shm/owner.h"

#define TURN_BITS 28 /* of an id; the others are the place */
#define TURNS	  (1u << TURN_BITS)

static uint64_t
owner_id(unsigned place, uint32_t turn)
{
	return (uint64_t)place << TURN_BITS | (turn & (TURNS - 1));
}

uint64_t
owner_begin(struct owners *owners)
{
	unsigned i;

	for (i = 0; i < OWNERS; i++)
		if (owners->turns[i] % 2 == 0)
			return owner_id(i, ++owners->turns[i]);
	errno = EAGAIN;
	return 0;
}

void
owner_end(struct owners *owners, uint64_t id)
{
	if (owner_lives(owners, id))
		owners->turns[id >> TURN_BITS]++;
}

bool
owner_lives(const struct owners *owners, uint64_t id)
{
	uint64_t place = id >> TURN_BITS;

	return id % 2 == 1 && place < OWNERS &&
	       owner_id((unsigned)place, owners->turns[place]) == id;
}

unsigned
owner_place(uint64_t id)
{
	return (unsigned)(id >> TURN_BITS) % OWNERS;
}
