/* shm.c - the shared segment: extents, and a directory of zones. */
#include <sys/mman.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "shm/crash.h"
#include "shm/owner.h"
#include "shm/shm.h"

#define FULL_MS 100 /* until room is looked for again */

struct shm_head {

	uint64_t secret[2];
	uint32_t extents;      /* in all, with those of this head */
	_Atomic uint32_t hint; /* where the last one was taken */
	struct owners owners;
	struct shm_zone zones[SHM_ZONES];
	_Atomic uint32_t owner[]; /* of each extent; 0: nobody */
};

int
shm_init(struct shm *shm, size_t most)
{
	uint32_t extents = (uint32_t)(most / SHM_EXTENT);
	size_t head = sizeof(*shm->head) + extents * sizeof(uint32_t), i;
	void *p;

	*shm = (struct shm){ .fd = -1 };
	shm->size = (size_t)extents * SHM_EXTENT;
	if (head > shm->size) {
		errno = EINVAL;
		return -1;
	}
	shm->fd = memfd_create("weir", MFD_CLOEXEC);
	if (shm->fd == -1 || ftruncate(shm->fd, (off_t)shm->size) == -1 ||
		posix_fallocate(shm->fd, 0, (off_t)head) != 0) {
		shm_done(shm);
		errno = ENOSPC;
		return -1;
	}
	p = mmap(NULL, shm->size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE, shm->fd, 0);
	if (p == MAP_FAILED) {
		shm_done(shm);
		errno = ENOMEM;
		return -1;
	}
	shm->head = p;

	shm->head->extents = extents;
	for (i = 0; i * SHM_EXTENT < head; i++)
		shm->head->owner[i] = UINT32_MAX;
	arc4random_buf(shm->head->secret, sizeof(shm->head->secret));
	return 0;
}

void
shm_done(struct shm *shm)
{
	if (shm->head != NULL)
		munmap(shm->head, shm->size);
	if (shm->fd != -1)
		close(shm->fd);
	*shm = (struct shm){ .fd = -1 };
}

struct owners *
shm_owners(const struct shm *shm)
{
	return &shm->head->owners;
}

/* ---- extents ------------------------------------------------------------- */

/* Memory for some of them, zeroed: they were empty, or given back. */
static int
extents_fill(struct shm *shm, uint32_t first, uint32_t n)
{
	int rc;

	do
		rc = fallocate(shm->fd, 0, (off_t)first * SHM_EXTENT,
			(off_t)n * SHM_EXTENT);
	while (rc == -1 && errno == EINTR);
	return rc;
}

static void
extents_empty(struct shm *shm, uint32_t first, uint32_t n)
{
	/* What cannot be given back must be zeroed at least. */
	if (fallocate(shm->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    (off_t)first * SHM_EXTENT, (off_t)n * SHM_EXTENT) == -1)
		memset(shm_extent(shm, first), 0, (size_t)n * SHM_EXTENT);
}

/* It is not looked for room again at once. */
static void
shm_is_full(struct shm *shm)
{
	if (clock_ms() >= shm->full_until_ms)
		shm->full_until_ms = clock_ms() + FULL_MS;
	errno = ENOSPC;
}

uint32_t
shm_reserve(struct shm *shm, uint32_t owner)
{
	struct shm_head *head = shm->head;
	uint32_t start = head->hint, i, at, nobody;

	for (i = 0; clock_ms() >= shm->full_until_ms && i < head->extents;
		i++) {
		at = (start + i) % head->extents;
		nobody = 0;
		if (head->owner[at] == 0 &&
			atomic_compare_exchange_strong(
				&head->owner[at], &nobody, owner)) {
			head->hint = at + 1;
			return at;
		}
	}
	shm_is_full(shm);
	return 0;
}

uint32_t
shm_take(struct shm *shm, uint32_t owner)
{
	uint32_t at = shm_reserve(shm, owner);

	if (at == 0)
		return 0;
	shm_crash();
	if (extents_fill(shm, at, 1) == 0)
		return at;
	shm->head->owner[at] = 0;
	shm_is_full(shm);
	return 0;
}

bool
shm_back(struct shm *shm, uint32_t extent)
{
	return extents_fill(shm, extent, 1) == 0;
}

uint32_t
shm_whose(const struct shm *shm, uint32_t extent)
{
	return shm->head->owner[extent];
}

uint32_t
shm_next(const struct shm *shm, uint32_t owner, uint32_t after)
{
	uint32_t at;

	for (at = after + 1; at < shm->head->extents; at++)
		if (shm->head->owner[at] == owner)
			return at;
	return 0;
}

void
shm_empty(struct shm *shm, uint32_t extent)
{
	extents_empty(shm, extent, 1);
}

void
shm_give(struct shm *shm, uint32_t extent)
{
	extents_empty(shm, extent, 1);
	shm_crash();
	shm->head->owner[extent] = 0;
	shm->full_until_ms = 0;
	if (extent < shm->head->hint)
		shm->head->hint = extent;
}

uint32_t
shm_taken(const struct shm *shm)
{
	uint32_t at, n = 0;

	for (at = 0; at < shm->head->extents; at++)
		n += shm->head->owner[at] != 0;
	return n;
}

uint32_t
shm_extents(const struct shm *shm)
{
	return shm->head->extents;
}

const uint64_t *
shm_secret(const struct shm *shm)
{
	return shm->head->secret;
}

/* ---- zones --------------------------------------------------------------- */

unsigned
shm_zone_index(const struct shm *shm, const struct shm_zone *zone)
{
	return (unsigned)(zone - shm->head->zones);
}

void *
shm_zone_data(const struct shm *shm, const struct shm_zone *zone)
{
	return shm_extent(shm, zone->first);
}

/* So many extents in a row that are nobody's; 0: there are none. */
static uint32_t
extents_find(const struct shm *shm, uint32_t n)
{
	uint32_t at, free = 0;

	for (at = 1; at < shm->head->extents; at++) {
		free = shm->head->owner[at] == 0 ? free + 1 : 0;
		if (free == n)
			return at - n + 1;
	}
	return 0;
}

/* Takes n extents in a row: workers may take one of them meanwhile. */
static uint32_t
extents_take(struct shm *shm, uint32_t owner, uint32_t n)
{
	uint32_t first, i, nobody;

	while ((first = extents_find(shm, n)) != 0) {
		for (i = 0; i < n; i++) {
			nobody = 0;
			if (!atomic_compare_exchange_strong(
				    &shm->head->owner[first + i], &nobody,
				    owner))
				break;
		}
		if (i == n && extents_fill(shm, first, n) == 0)
			return first;
		n = i == n ? 0 : n;
		while (i-- > 0)
			shm->head->owner[first + i] = 0;
		if (n == 0)
			break;
	}
	errno = ENOSPC;
	return 0;
}

static struct shm_zone *
zone_find(struct shm *shm, const char *name, uint64_t layout)
{
	struct shm_zone *zone = shm->head->zones;

	for (; zone < shm->head->zones + SHM_ZONES; zone++)
		if (strcmp(zone->name, name) == 0 && zone->layout == layout)
			return zone;
	return NULL;
}

struct shm_zone *
shm_zone_open(struct shm *shm, const char *name, uint64_t layout, size_t n,
	bool *fresh)
{
	uint32_t extents = (uint32_t)((n + SHM_EXTENT - 1) / SHM_EXTENT);
	struct shm_zone *zone;

	if (*name == '\0' || strlen(name) >= SHM_NAME) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	zone = zone_find(shm, name, layout);
	*fresh = zone == NULL;
	if (!*fresh)
		return zone;
	zone = zone_find(shm, "", 0);
	if (zone == NULL) {
		errno = ENOSPC;
		return NULL;
	}
	zone->first = extents_take(
		shm, SHM_OWNER(shm_zone_index(shm, zone), UINT16_MAX), extents);
	if (zone->first == 0)
		return NULL;
	zone->n = extents;
	zone->layout = layout;
	memcpy(zone->name, name, strlen(name) + 1);
	return zone;
}

struct shm_zone *
shm_zone_at(const struct shm *shm, unsigned i)
{
	return i < SHM_ZONES ? &shm->head->zones[i] : NULL;
}

bool
shm_zone_other(const struct shm *shm, const struct shm_zone *zone)
{
	const struct shm_zone *z = shm->head->zones;

	for (; z < shm->head->zones + SHM_ZONES; z++)
		if (z != zone && strcmp(z->name, zone->name) == 0)
			return true;
	return false;
}

void
shm_zone_drop(struct shm *shm, struct shm_zone *zone)
{
	uint32_t first = SHM_OWNER(shm_zone_index(shm, zone), 0), at;

	*zone = (struct shm_zone){ .layout = 0 };
	for (at = 1; at < shm->head->extents; at++)
		if ((shm->head->owner[at] & 0xffff0000u) == first)
			shm_give(shm, at);
}
