/* reload.c - a new generation, prepared beside the one that runs. */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/change.h"
#include "conf/conf.h"
#include "conf/texts.h"
#include "master/generation.h"
#include "master/probe.h"
#include "master/reload.h"
#include "master/rights.h"
#include "master/rlimits.h"
#include "master/signals.h"

#define RELOAD_LOAD_MS	10000 /* that loading may take */
#define RELOAD_BIND_MS	500   /* for those who leave to let go of a port */
#define RELOAD_RETRY_MS 20    /* between two tries */

static bool loader_fork(struct reload *r);
_Noreturn static void loader_child(struct reload *r, pid_t master);
static bool reload_loaded(struct reload *r, uint64_t now_ms);
static struct conf *reload_conf(struct reload *r);
static bool reload_prepare(struct reload *r, struct conf *conf);
static bool reload_fits(const struct reload *r, size_t more);
static bool reload_bind(struct reload *r, uint64_t now_ms);
static void reload_enter(struct reload *r, enum reload_state state);
static void reload_kill(struct reload *r);
static void reload_note(struct reload *r, const struct workers *ws);
static bool dying_reaped(struct reload *r, pid_t pid);
static void said_line(const char *line);

static const char *const words[] = {
#define X(id, word) [RELOAD_##id] = word,
	RELOAD_STATES(X)
#undef X
};

void
reload_init(struct reload *r)
{
	r->state = RELOAD_IDLE;
	r->said_fd = r->texts_fd = -1;
	r->deadline_ms = UINT64_MAX;
}

void
reload_start(struct reload *r, const struct generation *current,
	unsigned number, uint64_t now_ms)
{
	r->current = current;
	r->number = number;
	r->status = -1;
	r->said_len = 0;
	r->deadline_ms = now_ms + RELOAD_LOAD_MS;
	reload_enter(r, RELOAD_LOAD);
	log_notice("loading %s as generation %u", r->file, number);
	if (!loader_fork(r)) {
		log_error("cannot load %s: %s", r->file, strerror(errno));
		r->deadline_ms = now_ms;
	}
}

void
reload_read(struct reload *r)
{
	char *nl;
	ssize_t n;

	do {
		n = read(r->said_fd, r->said + r->said_len,
			sizeof(r->said) - 1 - r->said_len);
		if (n <= 0)
			break;
		r->said_len += (size_t)n;
		r->said[r->said_len] = '\0';
		while ((nl = strchr(r->said, '\n')) != NULL) {
			*nl = '\0';
			said_line(r->said);
			r->said_len -= (size_t)(nl + 1 - r->said);
			memmove(r->said, nl + 1, r->said_len + 1);
		}
		if (r->said_len == sizeof(r->said) - 1) {
			said_line(r->said);
			r->said_len = 0;
		}
	} while (n > 0);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		fd_close(&r->said_fd);
}

bool
reload_reaped(struct reload *r, pid_t pid, int status)
{
	if (r->loader == 0 || pid != r->loader)
		return dying_reaped(r, pid);
	/* What it said last is heard before what became of it. */
	if (r->said_fd != -1)
		reload_read(r);
	r->loader = 0;
	r->status = status;
	return true;
}

bool
reload_turn(struct reload *r, uint64_t now_ms)
{
	bool good = true;

	if (r->state == RELOAD_LOAD)
		good = reload_loaded(r, now_ms);
	if (good && r->state == RELOAD_BIND)
		good = reload_bind(r, now_ms);
	if (good && r->state == RELOAD_START) {
		generation_turn(r->next, now_ms);
		good = !generation_failed(r->next);
		if (!good)
			log_error("generation %u: its workers cannot start",
				r->number);
		else if (generation_is_ready(r->next))
			reload_enter(r, RELOAD_READY);
	}
	if (!good)
		reload_cancel(r);
	return good;
}

uint64_t
reload_next(const struct reload *r)
{
	uint64_t next = r->deadline_ms, due = UINT64_MAX;

	if (r->state == RELOAD_BIND)
		due = r->retry_ms;
	else if (r->state == RELOAD_START)
		due = generation_next(r->next);
	return due < next ? due : next;
}

struct generation *
reload_take(struct reload *r)
{
	struct generation *g = r->next;

	r->next = NULL;
	reload_enter(r, RELOAD_IDLE);
	return g;
}

void
reload_cancel(struct reload *r)
{
	reload_kill(r);
	fd_close(&r->said_fd);
	fd_close(&r->texts_fd);
	if (r->next != NULL) {
		listeners_undo(&r->next->listeners);
		logs_undo(&r->next->logs);
		generation_free(r->next);
	}
	r->next = NULL;
	reload_enter(r, RELOAD_IDLE);
}

void
reload_done(struct reload *r)
{
	free(r->dying);
	r->dying = NULL;
	r->ndying = 0;
}

void
reload_shed(struct reload *r)
{
	fd_close(&r->said_fd);
	fd_close(&r->texts_fd);
}

const char *
reload_word(enum reload_state state)
{
	return words[state];
}

/* The only place where the state changes. */
static void
reload_enter(struct reload *r, enum reload_state state)
{
	if (state == RELOAD_IDLE || state == RELOAD_READY ||
		state == RELOAD_START)
		r->deadline_ms = UINT64_MAX;
	r->state = state;
}

/* Kills the loader and the workers, and notes them: the master does not leave
 * before they have. */
static void
reload_kill(struct reload *r)
{
	struct generation *g = r->next;
	size_t n = r->ndying + 1 + (g != NULL ? g->workers.n + g->keeper.n : 0);
	pid_t *dying = reallocarray(r->dying, n, sizeof(*dying));

	if (dying != NULL)
		r->dying = dying;
	if (r->loader != 0) {
		kill(r->loader, SIGKILL);
		if (dying != NULL)
			dying[r->ndying++] = r->loader;
	}
	r->loader = 0;
	if (g == NULL)
		return;
	generation_leave(g, MSG_STOP, 0);
	generation_kill(g, "was not wanted any more");
	if (dying == NULL)
		return;
	reload_note(r, &g->workers);
	reload_note(r, &g->keeper);
}

/* There is room for all of them. */
static void
reload_note(struct reload *r, const struct workers *ws)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++)
		if (ws->v[slot].pid != 0)
			r->dying[r->ndying++] = ws->v[slot].pid;
}

static bool
dying_reaped(struct reload *r, pid_t pid)
{
	size_t i;

	for (i = 0; i < r->ndying; i++)
		if (r->dying[i] == pid) {
			r->dying[i] = r->dying[--r->ndying];
			return true;
		}
	return false;
}

static bool
loader_fork(struct reload *r)
{
	pid_t master = getpid();
	int fds[2];

	r->texts_fd = memfd_create("texts", MFD_CLOEXEC);
	if (r->texts_fd == -1 || pipe2(fds, O_CLOEXEC) == -1)
		return false;
	/* Only our end: stdio of the child may wait. */
	r->loader = fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1 ? -1 : fork();
	if (r->loader == 0) {
		fd_close(&fds[0]);
		r->said_fd = fds[1];
		loader_child(r, master);
	}
	fd_close(&fds[1]);
	r->said_fd = fds[0];
	if (r->loader != -1)
		return true;
	r->loader = 0;
	return false;
}

/* Loads as the master will: what crashes or hangs does it here. */
_Noreturn static void
loader_child(struct reload *r, pid_t master)
{
	struct texts texts = { .first = NULL };
	int said_fd = r->said_fd, texts_fd = r->texts_fd;
	struct conf *conf;
	FILE *err;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have died before it was asked for. */
	if (getppid() != master)
		_exit(0);
	r->said_fd = r->texts_fd = -1; /* they are ours here */
	r->runs.shed(r->arg, NULL);
	signals_child();
	signals_through();
	setproctitle("loader %s", r->file);
	err = fdopen(said_fd, "w");
	if (err == NULL)
		_exit(1);
	conf = conf_load_texts(r->file, r->over, &texts, err);
	if (conf != NULL && texts_write(&texts, texts_fd) == -1) {
		fprintf(err, "%s: cannot keep its text: %s\n", r->file,
			strerror(errno));
		conf = NULL;
	}
	fflush(err);
	_exit(conf != NULL ? 0 : 1);
}

/* What became of the loader. */
static bool
reload_loaded(struct reload *r, uint64_t now_ms)
{
	struct conf *conf;
	int signo;

	if (r->loader != 0 && now_ms >= r->deadline_ms) {
		log_error("loading %s took more than %d s", r->file,
			RELOAD_LOAD_MS / 1000);
		return false;
	}
	if (r->loader != 0)
		return true;
	if (r->status == -1)
		return false;
	signo = WIFSIGNALED(r->status) ? WTERMSIG(r->status) : 0;
	/* Sent to all of the group, they may be here before they get to us. */
	if (signo == SIGTERM || signo == SIGQUIT)
		log_error("loading %s was ended by signal %d", r->file, signo);
	else if (signo != 0)
		log_alert("loading %s was ended by signal %d", r->file, signo);
	if (!WIFEXITED(r->status) || WEXITSTATUS(r->status) != 0)
		return false;
	conf = reload_conf(r);
	fd_close(&r->texts_fd);
	fd_close(&r->said_fd);
	if (conf == NULL || !reload_prepare(r, conf))
		return false;
	r->deadline_ms = now_ms + RELOAD_BIND_MS;
	r->retry_ms = now_ms;
	reload_enter(r, RELOAD_BIND);
	return true;
}

/* The same text again, in this process. */
static struct conf *
reload_conf(struct reload *r)
{
	struct texts texts = { .first = NULL };
	char *said = NULL, *rest, *line;
	size_t size = 0;
	FILE *err = open_memstream(&said, &size);
	struct conf *conf = NULL;

	if (err == NULL || texts_read(&texts, r->texts_fd) == -1)
		log_error("cannot load %s: %s", r->file, strerror(errno));
	else
		conf = conf_load_texts(r->file, r->over, &texts, err);
	if (err != NULL)
		fclose(err);
	if (conf == NULL)
		for (rest = said; (line = strsep(&rest, "\n")) != NULL;)
			said_line(line);
	free(said);
	texts_done(&texts);
	return conf;
}

/* Takes conf; nothing is bound yet. */
static bool
reload_prepare(struct reload *r, struct conf *conf)
{
	const struct listeners *old = &r->current->listeners;
	char why[CHANGE_WHY];
	struct generation *g;

	if (change_needs_start(r->current->conf, conf, why)) {
		log_error("%s", why);
		conf_free(conf);
		return false;
	}
	g = generation_new(r->number, conf, true);
	if (g == NULL) {
		log_error("generation %u: %s", r->number, strerror(errno));
		conf_free(conf);
		return false;
	}
	r->next = g;
	generation_staff(g, r->drop, &r->runs, r->arg);
	if (rights_needed(&g->workers.needs, conf) == -1 ||
		probe_backends(conf) == -1 ||
		!reload_fits(r, old->shares ? old->n : 0))
		return false;
	if (listeners_adopt(&g->listeners, old) == -1) {
		log_error("generation %u: %s", r->number, strerror(errno));
		return false;
	}
	/* They may be more now than conf says. */
	return reload_fits(r, 0) &&
	       rlimits_check(conf, g->listeners.n, g->workers.n) == 0 &&
	       logs_open(&g->logs, conf) == 0 &&
	       generation_share(g, r->shm) == 0;
}

/* Has the master room for the next generation beside all others, and perhaps
 * for some descriptors more? */
static bool
reload_fits(const struct reload *r, size_t more)
{
	const struct generation *g = r->next;
	unsigned long long need = r->files(r->arg) + generation_files(g);
	unsigned long long allowed = rlimits_raise(need + more);

	if (allowed >= need)
		return true;
	log_error("generation %u: the reload needs %llu open files, for %u "
		  "workers, %zu listeners and %zu log files beside what "
		  "runs, " RLIMITS_TOO_FEW,
		r->number, need, g->workers.n, g->listeners.n,
		g->conf->logfiles.n, allowed);
	return false;
}

/* Tries to get every new address; others may be leaving. */
static bool
reload_bind(struct reload *r, uint64_t now_ms)
{
	if (now_ms < r->retry_ms && now_ms < r->deadline_ms)
		return true;
	r->retry_ms = now_ms + RELOAD_RETRY_MS;
	if (listeners_bind(&r->next->listeners) == 0) {
		reload_enter(r, RELOAD_START);
		return true;
	}
	if (listeners_busy(&r->next->listeners) && now_ms < r->deadline_ms)
		return true;
	listeners_report(&r->next->listeners);
	return false;
}

static void
said_line(const char *line)
{
	static const char warning[] = "warning: ";

	if (strncmp(line, warning, sizeof(warning) - 1) == 0)
		log_warn("%s", line + sizeof(warning) - 1);
	else if (*line != '\0')
		log_error("%s", line);
}
