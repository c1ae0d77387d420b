/* logdir.c - a directory of log files, and a weir that writes to them. */
#include <sys/stat.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/logdir.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/traces.h"

char logdir[64];

int
logdir_setup(void **state)
{
	(void)state;
	snprintf(logdir, sizeof(logdir), "/tmp/weir-logs-XXXXXX");
	if (mkdtemp(logdir) == NULL)
		return -1;
	return chmod(logdir, 0755);
}

int
logdir_teardown(void **state)
{
	int rc = daemon_teardown(state);

	traces_remove(logdir);
	return rc;
}

const char *
logdir_at(const char *fmt, ...)
{
	static char paths[4][256];
	static unsigned n;
	char name[128];
	va_list ap;

	n = (n + 1) % 4;
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", logdir, name);
	return paths[n];
}

char *
logdir_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	if (f != NULL) {
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

unsigned
logdir_count(const char *path, const char *text)
{
	char *all = logdir_read(path), *p = all;
	unsigned n = 0;

	for (; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	free(all);
	return n;
}

void
logdir_wait(const char *path, const char *text)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (logdir_count(path, text) == 0) {
		if (procs_now() > end)
			fail_msg("no \"%s\" in %s", text, path);
		/* No event tells what another process has written. */
		poll(NULL, 0, 2);
	}
}

struct daemon *
logdir_daemon(unsigned workers, const char *fmt, ...)
{
	struct daemon *d = daemon_new();
	char options[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(options, sizeof(options), fmt, ap);
	va_end(ap);
	daemon_write(d,
		"process = { workers = %u; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"echo\"; },\n"
		"    { type = \"log\"; %s } ); } );\n",
		workers, options);
	return d;
}

void
logdir_visit(struct daemon *d, const char *text)
{
	int fd = peer_connect(daemon_port(d, "e", 0));

	peer_send_text(fd, text);
	peer_expect_text(fd, text);
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
}

void
logdir_reopen(struct daemon *d)
{
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, LOGDIR_AGAIN, DAEMON_MS);
}
