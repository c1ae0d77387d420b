/* procs.c - processes as /proc shows them, and waiting for them to end. */
#include <sys/resource.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/procs.h"

#define PROCS_MAX  1024 /* children */
#define PROCS_FDS  64
#define PROCS_LINK 4096

static char procs_text[PROCS_LINK];

int64_t
procs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

size_t
procs_children(pid_t pid, pid_t *pids, size_t max)
{
	char path[64];
	size_t n = 0;
	FILE *f;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
		(int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (n < max && fscanf(f, "%d", &child) == 1)
		pids[n++] = child;
	fclose(f);
	return n;
}

int
procs_fds(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	/* A zombie's directory can be opened and has nothing in it. */
	return n == 0 ? -1 : n;
}

const char *
procs_fd(pid_t pid, int fd)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, procs_text, sizeof(procs_text) - 1);
	if (n == -1)
		return NULL;
	procs_text[n] = '\0';
	return procs_text;
}

int
procs_spare_fds(pid_t pid, int more)
{
	struct rlimit files;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &files) == -1)
		return -1;
	files.rlim_cur = (rlim_t)(procs_fds(pid) + more);
	return prlimit(pid, RLIMIT_NOFILE, &files, NULL);
}

unsigned
procs_fds_shared(pid_t a, pid_t b)
{
	char one[PROCS_LINK];
	const char *to;
	unsigned n = 0;
	int i, j;

	for (i = STDERR_FILENO + 1; i < PROCS_FDS; i++) {
		to = procs_fd(a, i);
		/* All of anon_inode have the same name. */
		if (to == NULL || strncmp(to, "anon_inode:", 11) == 0)
			continue;
		snprintf(one, sizeof(one), "%s", to);
		for (j = STDERR_FILENO + 1; j < PROCS_FDS; j++) {
			to = procs_fd(b, j);
			n += to != NULL && strcmp(to, one) == 0;
		}
	}
	return n;
}

bool
procs_is_keeper(pid_t pid)
{
	char path[64], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	(void)fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	return strstr(text, ": keeper ") != NULL;
}

const char *
procs_status(pid_t pid, const char *field)
{
	size_t len = strlen(field);
	const char *found = NULL;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && found == NULL &&
		fgets(procs_text, sizeof(procs_text), f) != NULL)
		if (strncmp(procs_text, field, len) == 0 &&
			procs_text[len] == ':') {
			procs_text[strcspn(procs_text, "\n")] = '\0';
			found = procs_text + len + 1;
			found += strspn(found, " \t");
		}
	if (f != NULL)
		fclose(f);
	return found;
}

int64_t
procs_cpu_ms(pid_t pid)
{
	unsigned long user = 0, kernel = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	/* Behind the name, in which there may be anything but a last ')'. */
	if (f == NULL ||
		fscanf(f,
			"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
			"%*u %*u %lu %lu",
			&user, &kernel) != 2)
		user = kernel = 0;
	if (f != NULL)
		fclose(f);
	return (int64_t)((user + kernel) * 1000 /
			 (unsigned long)sysconf(_SC_CLK_TCK));
}

bool
procs_wait_end(pid_t pid, int ms)
{
	struct pollfd pfd = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int64_t end = procs_now() + ms;
	int rc;

	if (pfd.fd == -1)
		return errno == ESRCH;
	do {
		ms = (int)(end - procs_now());
		rc = poll(&pfd, 1, ms > 0 ? ms : 0);
	} while (rc == -1 && errno == EINTR);
	close(pfd.fd);
	return rc == 1;
}

bool
procs_reap(pid_t pid, int *status, int ms)
{
	if (!procs_wait_end(pid, ms))
		return false;
	while (waitpid(pid, status, 0) == -1)
		if (errno != EINTR)
			return false;
	return true;
}

void
procs_kill_all(void)
{
	pid_t pids[PROCS_MAX];
	size_t i, n;
	int status;

	while ((n = procs_children(getpid(), pids, PROCS_MAX)) > 0)
		for (i = 0; i < n; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], &status, 0);
		}
}
