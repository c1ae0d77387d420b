/* saver.c - a child that writes tables to their files, as that may take long.
 *
 * It shares the tables, so what it writes is of the moment, and it takes their
 * locks part by part, as everybody does. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "heritage.h"
#include "keeper/saver.h"
#include "shm/snapshot.h"
#include "shm/table.h"

#define LATE_MS 30000u

void
saver_write(const struct heritage_table *t)
{
	if (snapshot_save(t->table, t->file) == -1)
		log_error("table \"%s\": cannot be kept in %s: %s", t->name,
			t->file,
			errno == EBUSY ? "another process writes it"
			: errno == ETIMEDOUT
				? "a process hangs while it changes the table"
				: strerror(errno));
}

/* Clients of the keeper would wait for the end of what this child has. */
static void
files_keep(int shm, int over)
{
	int kept[] = { log_file(), shm, over }, first = 3, next;
	size_t i;

	for (;;) {
		next = INT_MAX;
		for (i = 0; i < 3; i++)
			if (kept[i] >= first && kept[i] < next)
				next = kept[i];
		if (next == INT_MAX)
			break;
		if (next > first)
			close_range((unsigned)first, (unsigned)next - 1, 0);
		first = next + 1;
	}
	close_range((unsigned)first, UINT_MAX, 0);
}

/* The other end of its pipe is open as long as it lives. */
static _Noreturn void
saver_main(const struct heritage_table *tables, size_t n, const bool *wanted,
	pid_t keeper, int over)
{
	size_t i;

	files_keep(tables[0].table->shm->fd, over);
	setproctitle("keeper writes tables");
	signal(SIGTERM, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != keeper)
		_exit(1);
	for (i = 0; i < n; i++) {
		if (!wanted[i])
			continue;
		table_own(tables[i].table, tables[i].table->me);
		saver_write(&tables[i]);
	}
	_exit(0);
}

static void
saver_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	saver_done(arg);
}

bool
saver_works(struct saver *s)
{
	if (s->pid != 0 && clock_ms() >= s->late_ms) {
		s->late_ms = UINT64_MAX;
		log_error("the files of tables have been written for %u s, and "
			  "not to an end",
			LATE_MS / 1000);
	}
	return s->pid != 0;
}

void
saver_start(struct saver *s, const struct heritage_table *tables, size_t n,
	const bool *wanted)
{
	pid_t keeper = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1) {
		log_error("cannot write tables to files: %s", strerror(errno));
		return;
	}
	s->over = event_new(s->base, ends[0], EV_READ, saver_over, s);
	if (s->over != NULL && event_add(s->over, NULL) == 0)
		s->pid = fork();
	else
		s->pid = -1;
	if (s->pid == 0) {
		saver_main(tables, n, wanted, keeper, ends[1]);
	}
	close(ends[1]);
	s->late_ms = clock_ms() + LATE_MS;
	if (s->pid != -1)
		return;
	log_error("cannot write tables to files: %s", strerror(errno));
	if (s->over != NULL)
		event_free(s->over);
	close(ends[0]);
	s->over = NULL;
	s->pid = 0;
}

void
saver_done(struct saver *s)
{
	int fd;

	if (s->pid == 0)
		return;
	/* Over already, or of no use any more. */
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) == -1 && errno == EINTR)
		;
	s->pid = 0;
	fd = event_get_fd(s->over);
	event_free(s->over);
	close(fd);
	s->over = NULL;
}
