/* workers.c - the worker processes: one slot each, kept filled. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/board.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/drop.h"
#include "master/listeners.h"
#include "master/logs.h"
#include "master/pin.h"
#include "master/rlimits.h"
#include "master/signals.h"
#include "master/tables.h"
#include "master/workers.h"
#include "master/workers_private.h"
#include "shm/owner.h"

#define WORKERS_READS	      64 /* messages of one in a turn */
#define WORKERS_EXIT_NO_START 2	 /* of a worker: a respawn would not help */

/* Why those are killed who have nothing to finish. */
static const char workers_unready[] = "was not ready when it had to leave";

static void worker_fork(struct workers *ws, unsigned slot, uint64_t now_ms);
_Noreturn static void
worker_child(struct workers *ws, unsigned slot, int control_fd);
static void
worker_died(struct workers *ws, unsigned slot, int status, uint64_t now_ms);
static void worker_report(struct workers *ws, unsigned slot, int status);
static int worker_own(struct workers *ws, struct worker *w);
static void worker_disown(struct workers *ws, struct worker *w);
static unsigned workers_cpus(void);

int
workers_init(struct workers *ws, int64_t n)
{
	unsigned slot;

	ws->n = n > 0 ? (unsigned)n : workers_cpus();
	ws->v = calloc(ws->n, sizeof(*ws->v));
	if (ws->v == NULL)
		return -1;
	for (slot = 0; slot < ws->n; slot++)
		ws->v[slot].control_fd = -1;
	ws->mode = WORKERS_FIRST;
	ws->failed = false;
	ws->once_ready = false;
	ws->going = false;
	ws->master_pid = getpid();
	return 0;
}

void
workers_done(struct workers *ws)
{
	unsigned slot;

	for (slot = 0; ws->v != NULL && slot < ws->n; slot++) {
		fd_close(&ws->v[slot].control_fd);
		/* Of one that was killed, but is not reaped yet. */
		worker_disown(ws, &ws->v[slot]);
	}
	free(ws->v);
	ws->v = NULL;
	ws->n = 0;
}

void
workers_turn(struct workers *ws, uint64_t now_ms)
{
	struct worker *w;
	unsigned slot;

	if (ws->mode == WORKERS_LEAVING)
		return;
	for (slot = 0; slot < ws->n; slot++) {
		w = &ws->v[slot];
		if (w->due_ms > now_ms)
			continue;
		if (w->state == WORKER_NONE) {
			worker_fork(ws, slot, now_ms);
		} else if (w->state == WORKER_STARTING && w->killed == NULL) {
			w->killed = "was not ready within start_timeout";
			ws->failed = ws->mode == WORKERS_FIRST;
			kill(w->pid, SIGKILL);
		}
	}
}

uint64_t
workers_next(const struct workers *ws)
{
	const struct worker *w;
	uint64_t next = UINT64_MAX;

	if (ws->mode == WORKERS_LEAVING)
		return next;
	for (w = ws->v; w < ws->v + ws->n; w++)
		if ((w->state == WORKER_NONE || (w->state == WORKER_STARTING &&
							w->killed == NULL)) &&
			w->due_ms < next)
			next = w->due_ms;
	return next;
}

/* Takes messages that the worker of that slot sent, so many at most. */
static void
worker_read(struct workers *ws, unsigned slot, unsigned most)
{
	struct worker *w = &ws->v[slot];
	char name[WORKER_NAME];
	struct msg m;
	int rc = 1;

	while (most-- > 0 && (rc = msg_recv(w->control_fd, &m)) == 1) {
		if (m.type == MSG_READY && w->state == WORKER_STARTING) {
			w->state = WORKER_READY;
			w->failures = 0;
			ws->once_ready = true;
			if (ws->going && !ws->keeper)
				(void)msg_send(w->control_fd, MSG_GO, 0);
			log_info("%s (pid %d) is ready",
				worker_name(ws, slot, name), (int)w->pid);
			workers_cover(ws);
		} else if (m.type == MSG_REOPENED && m.arg == w->nreopened &&
			   m.arg < ws->logs->n) {
			w->nreopened++;
			worker_reopen(ws, slot);
		} else if (m.type == MSG_LEAVING) {
			w->leaves = true;
			workers_cover(ws);
		} else if (m.type == MSG_CALL && ws->keeper) {
			ws->called(ws->shed_arg, w);
		} else if (m.type == MSG_LINK && ws->unlinked != NULL) {
			ws->unlinked(ws->shed_arg, w,
				ws->keeper ? (pid_t)m.arg : w->pid);
		} else {
			log_alert("%s (pid %d) sent \"%s\" out of turn",
				worker_name(ws, slot, name), (int)w->pid,
				msg_word(m.type));
		}
	}
	if (rc == 1 || (rc == -1 && errno == EAGAIN))
		return;
	if (rc == -1)
		log_alert("%s (pid %d): control socket: %s",
			worker_name(ws, slot, name), (int)w->pid,
			strerror(errno));
	/* It is leaving; its death says why. */
	fd_close(&w->control_fd);
}

bool
workers_hear(struct workers *ws, int fd)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++)
		if (ws->v[slot].control_fd == fd) {
			worker_read(ws, slot, WORKERS_READS);
			return true;
		}
	return false;
}

bool
workers_reaped(struct workers *ws, pid_t pid, int status, uint64_t now_ms)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++)
		if (ws->v[slot].pid == pid) {
			worker_died(ws, slot, status, now_ms);
			return true;
		}
	return false;
}

/* One that does not read its messages is killed when its time is up. */
static void
workers_tell(struct workers *ws, enum msg_type type, uint32_t arg)
{
	struct worker *w;

	for (w = ws->v; w < ws->v + ws->n; w++)
		if (w->control_fd != -1 &&
			msg_send(w->control_fd, type, arg) == 0 &&
			type == MSG_DRAIN && ws->board != NULL)
			ws->board->lines[w - ws->v].told = true;
}

void
workers_go(struct workers *ws)
{
	ws->mode = WORKERS_KEPT;
	ws->going = true;
	if (!ws->keeper)
		workers_tell(ws, MSG_GO, 0);
}

void
workers_shed(struct workers *ws)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++)
		fd_close(&ws->v[slot].control_fd);
}

void
workers_leave(struct workers *ws, enum msg_type type, uint32_t arg)
{
	struct worker *w;

	ws->mode = WORKERS_LEAVING;
	workers_tell(ws, type, arg);
	/* Nobody looks at start_timeout any more, and the time that others get
	 * is for channels. */
	for (w = ws->v; type != MSG_STOP && w < ws->v + ws->n; w++)
		if (w->state == WORKER_STARTING && w->killed == NULL) {
			w->killed = workers_unready;
			kill(w->pid, SIGKILL);
		}
}

void
workers_kill(struct workers *ws, const char *why)
{
	struct worker *w;

	for (w = ws->v; w < ws->v + ws->n; w++)
		if (w->pid != 0 && w->killed == NULL) {
			w->killed = why;
			kill(w->pid, SIGKILL);
		}
}

unsigned
workers_count(const struct workers *ws, enum worker_state state)
{
	unsigned slot, n = 0;

	for (slot = 0; slot < ws->n; slot++)
		n += ws->v[slot].state == state;
	return n;
}

unsigned
workers_alive(const struct workers *ws)
{
	unsigned slot, n = 0;

	for (slot = 0; slot < ws->n; slot++)
		n += ws->v[slot].pid != 0;
	return n;
}

static void
worker_fork(struct workers *ws, unsigned slot, uint64_t now_ms)
{
	struct worker *w = &ws->v[slot];
	char name[WORKER_NAME];
	int fds[2];

	w->starts[w->nstarts++ % WORKERS_BURST] = now_ms;
	if (worker_own(ws, w) == -1 || msg_pair(fds) == -1) {
		log_error("%s: cannot make its control sockets: %s",
			worker_name(ws, slot, name), strerror(errno));
		worker_disown(ws, w);
		ws->failed = ws->mode == WORKERS_FIRST;
		worker_again(ws, slot, now_ms);
		return;
	}
	w->pid = fork();
	if (w->pid == 0) {
		fd_close(&fds[0]);
		worker_child(ws, slot, fds[1]);
	}
	fd_close(&fds[1]);
	if (w->pid == -1) {
		log_error("%s: cannot fork: %s", worker_name(ws, slot, name),
			strerror(errno));
		w->pid = 0;
		worker_disown(ws, w);
		fd_close(&fds[0]);
		ws->failed = ws->mode == WORKERS_FIRST;
		worker_again(ws, slot, now_ms);
		return;
	}
	w->control_fd = fds[0];
	w->state = WORKER_STARTING;
	w->killed = NULL;
	w->leaves = false;
	w->nreopened = ws->logs->n;
	w->reopen_again = false;
	w->due_ms = now_ms + ws->conf->process.start_timeout_ms;
	w->linked = 0;
	w->link_ms = 0;
	w->admitted = false;
	log_info("%s (pid %d) started", worker_name(ws, slot, name),
		(int)w->pid);
}

static void
worker_child(struct workers *ws, unsigned slot, int control_fd)
{
	char name[WORKER_NAME];
	struct heritage h = { .conf = ws->conf,
		.listeners = ws->listeners->v,
		.nlisteners = ws->listeners->n,
		.logs = ws->logs->fds,
		.control_fd = control_fd,
		.slot = slot,
		.workers = ws->board->n,
		.board = ws->board,
		.shm = ws->tables->shm,
		.owner = ws->v[slot].owner,
		.pauses = ws->tables->pauses,
		.tables = ws->tables->v,
		.ntables = ws->tables->n,
		.counters = ws->tables->counters,
		.generation = ws->generation,
		.master_pid = ws->master_pid,
		.background = ws->conf->process.daemon };

	/* First of all: while any child holds the master's end of a pair, its
	 * worker never sees that the master is gone. */
	workers_shed(ws);
	ws->shed(ws->shed_arg, ws);
	signals_child();
	worker_name(ws, slot, name);
	log_process("%s", name);
	setproctitle("%s generation %u: starts", name, ws->generation);
	listeners_divide(ws->listeners, ws->keeper);
	if (logs_use(ws->logs) == -1)
		_exit(WORKERS_EXIT_NO_START);
	if (!ws->keeper)
		pin_worker(ws->conf, slot);
	if (rlimits_worker(ws->conf, ws->listeners->n, ws->board->n) == -1 ||
		drop_now(ws->drop, ws->needs, ws->conf->process.core != 0) ==
			-1)
		_exit(WORKERS_EXIT_NO_START);
	/* After setuid(2), which clears it; the master may be gone already.
	 * A worker that can drain asks for a milder signal. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != ws->master_pid)
		_exit(0);
	ws->run(&h);
	abort();
}

static void
worker_died(struct workers *ws, unsigned slot, int status, uint64_t now_ms)
{
	struct worker *w = &ws->v[slot];
	bool was_ready;

	/* What it said last must be heard first: READY may be among it. */
	if (w->control_fd != -1)
		worker_read(ws, slot, UINT_MAX);
	was_ready = w->state == WORKER_READY;
	worker_report(ws, slot, status);
	fd_close(&w->control_fd);
	w->pid = 0;
	worker_disown(ws, w);
	if (!ws->keeper)
		board_clear(ws->board, slot);
	if (ws->mode != WORKERS_KEPT) {
		ws->failed |= ws->mode == WORKERS_FIRST;
		w->state = WORKER_GONE;
		return;
	}
	if (!was_ready)
		w->failures++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKERS_EXIT_NO_START) {
		w->state = WORKER_GONE;
	} else {
		worker_again(ws, slot, now_ms);
	}
	if (ws->once_ready && workers_alive(ws) == 0)
		workers_hurry(ws, now_ms);
	workers_cover(ws);
}

/* Says how a worker ended; [alert] unless somebody wanted it to. */
static void
worker_report(struct workers *ws, unsigned slot, int status)
{
	const struct worker *w = &ws->v[slot];
	bool leaving = ws->mode == WORKERS_LEAVING;
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	int pid = (int)w->pid;
	char text[WORKER_NAME];
	const char *name = worker_name(ws, slot, text);

	if (w->killed == workers_unready && signo == SIGKILL)
		log_notice(
			"%s (pid %d) was killed: it %s", name, pid, w->killed);
	else if (w->killed != NULL && signo == SIGKILL)
		log_alert(
			"%s (pid %d) was killed: it %s", name, pid, w->killed);
	else if (leaving && (signo == SIGTERM || signo == SIGQUIT))
		log_notice("%s (pid %d) ended by signal %d", name, pid, signo);
	else if (signo != 0)
		log_alert("%s (pid %d) was killed by signal %d", name, pid,
			signo);
	else if (code == WORKERS_EXIT_NO_START)
		log_error("%s (pid %d) could not start", name, pid);
	else if (code != 0 || !leaving)
		log_alert("%s (pid %d) exited with code %d", name, pid, code);
	else
		log_info("%s (pid %d) left", name, pid);
}

/* An id for what it is going to hold in shared memory. */
static int
worker_own(struct workers *ws, struct worker *w)
{
	struct shm *shm = ws->tables->shm;

	if (shm == NULL)
		return 0;
	w->owner = owner_begin(shm_owners(shm));
	return w->owner == 0 ? -1 : 0;
}

/* What it held is nobody's. */
static void
worker_disown(struct workers *ws, struct worker *w)
{
	if (w->owner != 0)
		owner_end(shm_owners(ws->tables->shm), w->owner);
	w->owner = 0;
}

const char *
worker_name(const struct workers *ws, unsigned slot, char text[WORKER_NAME])
{
	if (ws->keeper)
		snprintf(text, WORKER_NAME, "keeper");
	else
		snprintf(text, WORKER_NAME, "worker %u", slot);
	return text;
}

static unsigned
workers_cpus(void)
{
	cpu_set_t set;
	long n;

	/* It fails where there are more than CPU_SETSIZE of them. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}
