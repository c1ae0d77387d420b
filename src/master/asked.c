/* asked.c - what callers of the control socket ask of the master. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/master_private.h"
#include "master/signals.h"

static const char *const words[] = {
#define X(id, word) [MASTER_##id] = word,
	MASTER_STATES(X)
#undef X
};

static void
master_status(struct master *m, struct caller *c)
{
	const struct generation *g;
	char text[GENERATION_TEXT];
	uint64_t copied, spliced;

	caller_say(c, CALLER_SAYS_INFO, "state: %s, reload: %s",
		words[m->state], reload_word(m->reload.state));
	TAILQ_FOREACH(g, &m->all, link)
	{
		generation_text(g, m->now_ms, text);
		caller_say(c, CALLER_SAYS_INFO, "%s", text);
		board_bytes(&g->board, &copied, &spliced);
		caller_say(c, CALLER_SAYS_INFO,
			"generation %u: %llu bytes copied, %llu spliced",
			g->number, (unsigned long long)copied,
			(unsigned long long)spliced);
	}
	caller_end(c, 0, "%s", "");
}

void
master_called(void *arg, struct worker *w)
{
	struct master *m = arg;
	int fds[2];

	if (msg_pair(fds) == -1) {
		log_error("cannot hear the keeper: %s", strerror(errno));
		return;
	}
	if (msg_send_fd(w->control_fd, MSG_CALL, 0, fds[1]) == 0)
		callers_keep(&m->callers, fds[0]);
	else
		fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* A caller has said its word: the words of -s do what their signals do, which
 * have to wait for their turn. */
void
master_told(void *arg, struct caller *c, enum caller_word word)
{
	const struct signal_row *row = signals_find(caller_rows[word].word);
	struct master *m = arg;

	if (c->keeper && (word == CALLER_STOP || word == CALLER_QUIT))
		caller_end(c, 1, "the keeper may not say that");
	else if (word == CALLER_STATUS)
		master_status(m, c);
	else if (row == NULL || !row->built)
		caller_end(c, 1, "not built in yet");
	else if ((word == CALLER_RELOAD || word == CALLER_DRAIN) &&
		 m->state > MASTER_DRAIN)
		caller_end(c, 1, "weir is stopping");
	else if (word == CALLER_RELOAD)
		m->reload_wanted = true;
	else if (word == CALLER_DRAIN)
		m->drain_wanted |= master_may_drain(m);
	else if (kill(getpid(), row->signo) == -1)
		caller_end(c, 1, "%s", strerror(errno));
	else
		caller_end(c, 0, "%s: begun", row->word);
}

void
master_told_more(void *arg, const char *text)
{
	struct master *m = arg;

	callers_text(&m->callers, CALLER_RELOAD, CALLER_SAYS_ERROR, text);
}

void
master_outcome(struct master *m, int code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	log_tap(NULL, NULL);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	callers_end(&m->callers, CALLER_RELOAD, code, "%s", text);
}
