/* low.c - a port that not everybody may bind. */
#include <sys/socket.h>
#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/low.h"

uint16_t
low_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int port = 0, fd, rc;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &port), 1);
	fclose(f);
	if (port <= 1)
		return 1;
	do {
		in.sin_port = htons((uint16_t)--port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = bind(fd, (struct sockaddr *)&in, sizeof(in));
		close(fd);
	} while (rc == -1 && getuid() == 0 && port > 1);
	return (uint16_t)port;
}
