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

void
clock_update(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 +
		 ahead_ms;
	if (attached != NULL)
		now_ms += (uint64_t)*attached;
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
