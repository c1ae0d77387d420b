/* pause.c - servers that are paused. */
#include <errno.h>
#include <string.h>

#include "shm/pause.h"
#include "shm/siphash.h"

#define LAYOUT 1

static uint64_t
pause_number(const struct shm *shm, const char *server)
{
	uint64_t number = siphash(shm_secret(shm), server, strlen(server));

	return number == 0 ? 1 : number;
}

struct pauses *
pauses_open(struct shm *shm)
{
	struct shm_zone *zone;
	bool fresh;

	zone = shm_zone_open(
		shm, "/pauses", LAYOUT, sizeof(struct pauses), &fresh);
	return zone == NULL ? NULL : shm_zone_data(shm, zone);
}

bool
pauses_have(const struct pauses *ps, const struct shm *shm, const char *server)
{
	uint64_t number = pause_number(shm, server);
	unsigned i;

	for (i = 0; i < PAUSES; i++)
		if (ps->names[i] == number)
			return true;
	return false;
}

int
pauses_set(struct pauses *ps, const struct shm *shm, const char *server,
	bool paused)
{
	uint64_t number = pause_number(shm, server), none;
	unsigned i;

	if (paused && pauses_have(ps, shm, server))
		return 0;
	/* Two keepers may have added it at once: both are taken away. */
	for (i = 0; i < PAUSES; i++) {
		none = paused ? 0 : number;
		if (atomic_compare_exchange_strong(
			    &ps->names[i], &none, paused ? number : 0) &&
			paused)
			return 0;
	}
	if (!paused)
		return 0;
	errno = ENOSPC;
	return -1;
}
