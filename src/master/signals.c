/* signals.c - the signals of the master: one table for sigaction and -s. */
#include <stddef.h>
#include <string.h>

#include "master/signals.h"

const struct signal_row signals_rows[] = {
#define X(id, word, built, help) { SIG##id, #id, word, built, help },
	SIGNALS(X)
#undef X
		{ 0, NULL, NULL, false, NULL }
};

static volatile sig_atomic_t signals_came[NSIG];
static sigset_t signals_before;
static bool signals_held;
static sigset_t signals_waiting;

static void signals_handler(int signo, siginfo_t *info, void *context);
static void signals_catch(int signo);
static void signals_set(int signo, void (*handler)(int));

void
signals_hold(void)
{
	static const int later[] = { SIGHUP, SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		sigaddset(&set, later[i]);
	sigprocmask(SIG_BLOCK, &set, &signals_before);
	signals_held = true;
}

void
signals_open(void)
{
	const struct signal_row *row;
	sigset_t blocked;

	sigemptyset(&blocked);
	for (row = signals_rows; row->name != NULL; row++)
		sigaddset(&blocked, row->signo);
	/* What the parent had blocked must get through all the same. */
	sigprocmask(SIG_BLOCK, &blocked, signals_held ? NULL : &signals_before);
	sigemptyset(&signals_waiting);
	for (row = signals_rows; row->name != NULL; row++)
		signals_catch(row->signo);
	signals_set(SIGPIPE, SIG_IGN);
	signals_set(SIGXFSZ, SIG_IGN);
}

void
signals_child(void)
{
	static const int group[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	const struct signal_row *row;
	sigset_t later;
	size_t i;

	for (row = signals_rows; row->name != NULL; row++)
		signals_set(row->signo, SIG_DFL);
	for (i = 0; i < sizeof(group) / sizeof(group[0]); i++)
		signals_set(group[i], SIG_IGN);
	sigemptyset(&later);
	sigaddset(&later, SIGTERM);
	sigaddset(&later, SIGQUIT);
	sigprocmask(SIG_SETMASK, &later, NULL);
}

void
signals_through(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
signals_close(void)
{
	const struct signal_row *row;

	for (row = signals_rows; row->name != NULL; row++)
		signals_set(row->signo, SIG_DFL);
	sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

const sigset_t *
signals_mask(void)
{
	return &signals_waiting;
}

bool
signals_take(int signo)
{
	bool came = signals_came[signo] != 0;

	signals_came[signo] = 0;
	return came;
}

const struct signal_row *
signals_find(const char *word)
{
	const struct signal_row *row;

	for (row = signals_rows; row->name != NULL; row++)
		if (row->word != NULL && strcmp(row->word, word) == 0)
			return row;
	return NULL;
}

static void
signals_handler(int signo, siginfo_t *info, void *context)
{
	(void)context;
	/* The terminal has another size now; nobody asks for a drain. */
	if (signo == SIGWINCH && info->si_code == SI_KERNEL)
		return;
	signals_came[signo] = 1;
}

static void
signals_catch(int signo)
{
	struct sigaction sa = { .sa_sigaction = signals_handler,
		.sa_flags = SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}

static void
signals_set(int signo, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}
