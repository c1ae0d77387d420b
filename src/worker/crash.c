/* crash.c - a worker that breaks says in whose hands it was. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "worker/crash.h"

#define CRASH_SECONDS 5 /* then it is killed by SIGALRM, whatever it does */

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
	SIGSYS };

#define NSIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))

static struct sigaction crash_before[NSIGNALS];
static const struct loop *crash_loop;
/* Whoever has used up the stack needs another one for the last words. */
static char crash_stack[65536];

static void
crash_say(int signo)
{
	const struct loop *loop = crash_loop;
	const struct weir_call *call = loop->calling;
	const struct weir_channel *ch = call != NULL ? call->ch : loop->running;
	char client[WEIR_ADDR_TEXT];
	struct weir_addr a;

	if (ch == NULL) {
		log_error("this worker breaks (signal %d), in no channel's "
			  "turn",
			signo);
		return;
	}
	endpoint_peer(&ch->ends[WEIR_FRONTEND], &a);
	log_error("%s: #%llu: this worker breaks (signal %d)%s%s, client %s",
		ch->engine->server->name, (unsigned long long)ch->id, signo,
		call != NULL ? " in middleware " : "",
		call != NULL ? ch->engine->chain.stages[call->stage].name : "",
		weir_addr_text(&a, client));
}

/* What is called here is not all safe in a handler (signal-safety(7)); but
 * nothing is left that could go wrong, but the line. */
static void
crash_handler(int signo)
{
	sigset_t alarm_only;
	size_t i;

	/* A second one in here ends it. */
	for (i = 0; i < NSIGNALS; i++)
		sigaction(crash_signals[i], &crash_before[i], NULL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(CRASH_SECONDS);
	crash_say(signo);
	/* It comes again when this returns. */
	raise(signo);
}

void
crash_watch(const struct loop *loop)
{
	struct sigaction sa = { .sa_handler = crash_handler,
		.sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = crash_stack,
		.ss_size = sizeof(crash_stack) };
	size_t i;

	crash_loop = loop;
	(void)sigaltstack(&stack, NULL);
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < NSIGNALS; i++)
		sigaction(crash_signals[i], &sa, &crash_before[i]);
}
