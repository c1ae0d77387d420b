/* page.c - pages of weir's API, as a client of its unix socket gets them. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/metrics.h"
#include "lib/page.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define PAGE_MOST ((size_t)4 << 20)
#define AGAIN_MS  10

char *
page_get(struct daemon *d, const char *socket, const char *path)
{
	static const char begins[] = "HTTP/1.0 200 ", other[] = "HTTP/1.1 200 ";
	int fd = peer_connect_unix(daemon_path(d, socket));
	char *got = calloc(1, PAGE_MOST), *body, request[512];
	size_t n;

	assert_non_null(got);
	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	peer_send_text(fd, request);
	n = peer_read_to_eof(fd, got, PAGE_MOST - 1);
	assert_true(n < PAGE_MOST - 1);
	close(fd);
	if (strncmp(got, begins, sizeof(begins) - 1) != 0 &&
		strncmp(got, other, sizeof(other) - 1) != 0)
		fail_msg("GET %s: %.500s", path, got);
	body = strstr(got, "\r\n\r\n");
	assert_non_null(body);
	memmove(got, body + 4, strlen(body + 4) + 1);
	return got;
}

double
page_metric(struct daemon *d, const char *socket, const char *sample)
{
	char *page = page_get(d, socket, "/metrics");
	double value = metrics_value(page, sample);

	free(page);
	return value;
}

void
page_wait_metric(
	struct daemon *d, const char *socket, const char *sample, double value)
{
	int64_t until = procs_now() + DAEMON_MS;
	double now;

	while ((now = page_metric(d, socket, sample)) != value) {
		if (procs_now() > until)
			fail_msg("%s is %g, not %g", sample, now, value);
		poll(NULL, 0, AGAIN_MS);
	}
}
