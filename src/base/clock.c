/* clock.c - monotonic milliseconds, read once a turn, movable by tests. */
#include <sys/mman.h>

#include <fcntl.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t now_ms;
static uint64_t ahead_ms;
static const volatile int64_t *attached;

uint64_t
clock_ms(void)
{
	return now_ms;
}

static uint64_t
clock_read(clockid_t id)
{
	struct timespec ts;
	uint64_t ms = ahead_ms;

	clock_gettime(id, &ts);
	if (attached != NULL)
		ms += (uint64_t)*attached;
	return ms + (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_wall_ms(void)
{
	return clock_read(CLOCK_REALTIME);
}

void
clock_update(void)
{
	now_ms = clock_read(CLOCK_MONOTONIC);
}

void
clock_advance(uint64_t ms)
{
	ahead_ms += ms;
	clock_update();
}

int
clock_attach(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd == -1)
		return -1;
	p = mmap(NULL, sizeof(*attached), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -1;
	attached = p;
	return 0;
}

bool
clock_is_movable(void)
{
	return attached != NULL;
}
