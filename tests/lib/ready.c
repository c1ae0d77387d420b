/* ready.c - the lines that weir writes to its ready descriptor. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/procs.h"
#include "lib/ready.h"

#define READY_MAX 65536

char *
ready_read(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = procs_now() + ms;
	char *lines = calloc(1, READY_MAX);
	size_t len = 0;
	ssize_t n = -1;

	while (lines != NULL && len < READY_MAX - 1) {
		n = -1;
		ms = (int)(end - procs_now());
		if (ms < 0 || poll(&pfd, 1, ms) != 1)
			break;
		n = read(fd, lines + len, READY_MAX - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	if (n == 0)
		return lines;
	free(lines);
	return NULL;
}

const char *
ready_address(const char *lines, const char *server, unsigned index,
	char address[static READY_ADDRESS])
{
	char name[READY_ADDRESS];
	const char *line;

	for (line = lines; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "listen gen=1 server=%255s address=%255s",
			    name, address) == 2 &&
			strcmp(name, server) == 0 && index-- == 0)
			return address;
	}
	return NULL;
}

pid_t
ready_worker(const char *log, unsigned slot)
{
	int pid = 0, got, end;
	char head[32];

	snprintf(head, sizeof(head), "worker %u (pid ", slot);
	for (; (log = strstr(log, head)) != NULL; log++) {
		end = 0;
		if (sscanf(log + strlen(head), "%d) is ready%n", &got, &end) ==
				1 &&
			end > 0)
			pid = got;
	}
	return pid;
}
