/* frail.c - tables of a weir under trial, whose workers die or stop amid a
 * change of them.
 *
 * TRIAL_FRAIL names a file with an int64_t: n > 0 kills whoever comes to the
 * n-th point from now on, n < 0 stops it there; both leave 0. */
#define SHM_CRASHES

#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* With the points, in the place of those without. */
#include "shm/cells.c"
#include "shm/period.c"
#include "shm/place.c"
#include "shm/row.c"
#include "shm/shm.c"
#include "shm/stripe.c"
#include "shm/table.c"
#include "shm/tokens.c"

static int64_t *frail_left;
static pid_t frail_master;

static void __attribute__((constructor)) frail_start(void)
{
	const char *path = getenv("TRIAL_FRAIL");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	frail_master = getpid();
	if (fd == -1)
		return;
	p = mmap(NULL, sizeof(*frail_left), PROT_READ | PROT_WRITE, MAP_SHARED,
		fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		frail_left = p;
}

void
shm_crash(void)
{
	int64_t left, step;

	if (frail_left == NULL || getpid() == frail_master)
		return;
	left = __atomic_load_n(frail_left, __ATOMIC_SEQ_CST);
	if (left == 0)
		return;
	step = left > 0 ? -1 : 1;
	if (__atomic_compare_exchange_n(frail_left, &left, left + step, false,
		    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
		left + step == 0)
		raise(left > 0 ? SIGKILL : SIGSTOP);
}
