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
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "heritage.h"
#include "keeper/saver.h"
#include "shm/snapshot.h"
#include "shm/table.h"

#define BUSY_MS	     2000u /* that a lock is waited for */
#define BUSY_LAST_MS 200u  /* the same when weir leaves */
#define LATE_MS	     30000u
#define LEAVE_MS     200 /* that the child has to end by itself */
#define FAILED	     1

static void saver_forget(struct saver *s);

static bool
table_write(const struct heritage_table *t, const struct snapshot_way *way)
{
	if (snapshot_save(t->table, t->file, way) == 0)
		return true;
	if (errno != ECANCELED)
		log_error("table \"%s\": cannot be kept in %s: %s", t->name,
			t->file,
			errno == EBUSY ? "another process writes it"
			: errno == ETIMEDOUT
				? "a process hangs while it changes the table"
				: strerror(errno));
	return false;
}

void
saver_write(const struct heritage_table *t)
{
	static const struct snapshot_way last = { .busy_ms = BUSY_LAST_MS };

	(void)table_write(t, &last);
}

/* SIGTERM is blocked, so that nobody dies with a lock. */
static bool
saver_goes_on(void)
{
	sigset_t set;

	return sigpending(&set) == -1 || sigismember(&set, SIGTERM) != 1;
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
	static const struct snapshot_way way = { .busy_ms = BUSY_MS,
		.goes_on = saver_goes_on };
	bool fine = true;
	size_t i;

	files_keep(tables[0].table->shm->fd, over);
	setproctitle("keeper writes tables");
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != keeper)
		_exit(0);
	for (i = 0; i < n && saver_goes_on(); i++) {
		if (!wanted[i])
			continue;
		table_own(tables[i].table, tables[i].table->me);
		fine = table_write(&tables[i], &way) && fine;
	}
	/* What went wrong has been logged. */
	_exit(fine ? 0 : FAILED);
}

static void
saver_over(evutil_socket_t fd, short what, void *arg)
{
	struct saver *s = arg;
	int status;

	(void)fd;
	(void)what;
	while (waitpid(s->pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		log_error("the process that writes tables to files died of "
			  "signal %d; they are as they were before",
			WTERMSIG(status));
	saver_forget(s);
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
	sigset_t term, old;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1) {
		log_error("cannot write tables to files: %s", strerror(errno));
		return;
	}
	s->over = event_new(s->base, ends[0], EV_READ, saver_over, s);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	s->pid = -1;
	if (s->over != NULL && event_add(s->over, NULL) == 0)
		s->pid = fork();
	if (s->pid == 0)
		saver_main(tables, n, wanted, keeper, ends[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	fd_close(&ends[1]);
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

/* Has it ended within ms? */
static bool
saver_reaped(const struct saver *s, int ms)
{
	pid_t rc;

	for (;; ms--) {
		rc = waitpid(s->pid, NULL, WNOHANG);
		if (rc == s->pid || (rc == -1 && errno != EINTR))
			return true;
		if (ms <= 0)
			return false;
		poll(NULL, 0, 1);
	}
}

void
saver_done(struct saver *s)
{
	if (s->pid == 0)
		return;
	(void)kill(s->pid, SIGTERM);
	if (!saver_reaped(s, LEAVE_MS)) {
		/* It waits for a disk, without a lock. */
		(void)kill(s->pid, SIGKILL);
		(void)saver_reaped(s, LEAVE_MS);
	}
	saver_forget(s);
}

static void
saver_forget(struct saver *s)
{
	int fd = event_get_fd(s->over);

	event_free(s->over);
	close(fd);
	s->over = NULL;
	s->pid = 0;
}
