/* spawn.c - one child in a clean surrounding. */
#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/spawn.h"

#define SPAWN_FAILED 126

static int spawn_surround(const struct spawn *sp);
static void spawn_exec(const struct spawn *sp);

pid_t
spawn_start(const struct spawn *sp)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	if (sp->argv != NULL)
		spawn_exec(sp);
	else if (spawn_surround(sp) == 0)
		_exit(sp->run(sp->ready == -1 ? -1 : SPAWN_READY_FD, sp->arg));
	_exit(SPAWN_FAILED);
}

static int
spawn_surround(const struct spawn *sp)
{
	int null, out;
	sigset_t none;

	alarm(0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	/* dup2(2) of a descriptor to itself would leave it close-on-exec. */
	if (sp->ready == SPAWN_READY_FD)
		fcntl(sp->ready, F_SETFD, 0);
	else if (sp->ready != -1 && dup2(sp->ready, SPAWN_READY_FD) == -1)
		return -1;
	/* A function is not rid of the rest by exec. */
	close_range(STDERR_FILENO + 1, SPAWN_READY_FD - 1, 0);
	close_range(SPAWN_READY_FD + (sp->ready != -1), UINT_MAX, 0);
	if (chdir(sp->dir) == -1)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	out = open(sp->out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (null == -1 || out == -1 || dup2(null, STDIN_FILENO) == -1 ||
		dup2(out, STDOUT_FILENO) == -1 ||
		dup2(out, STDERR_FILENO) == -1)
		return -1;
	return 0;
}

static void
spawn_exec(const struct spawn *sp)
{
	const char *weir = getenv("WEIR");
	char *binary = realpath(weir != NULL ? weir : "./weir", NULL);
	size_t i, n = 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = calloc(n + sp->nenv + 1, sizeof(*env));
	if (binary == NULL || env == NULL || spawn_surround(sp) == -1) {
		fprintf(stderr, "cannot run %s: %s\n",
			weir != NULL ? weir : "./weir", strerror(errno));
		return;
	}
	for (n = 0, i = 0; environ[i] != NULL; i++)
		if (strncmp(environ[i], "WEIR_", 5) != 0 &&
			strncmp(environ[i], "WEIR=", 5) != 0)
			env[n++] = environ[i];
	for (i = 0; i < sp->nenv; i++)
		env[n++] = (char *)(uintptr_t)sp->env[i];
	execve(binary, (char **)(uintptr_t)sp->argv, env);
	fprintf(stderr, "cannot run %s: %s\n", binary, strerror(errno));
}
