/* relay.c - a weir that forwards to a backend of the test's own. */
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/relay.h"

void
relay_start_with(struct relay *r, const char *chain, const char *settings)
{
	const char *trial = getenv("WEIR_TRIAL");

	assert_non_null(trial);
	setenv("WEIR", trial, 1);
	r->backend = peer_listen(&r->backend_port);
	r->d = daemon_start("process = { workers = 1; };\n"
			    "servers = ( { name = \"r\";\n"
			    "  listen = \"127.0.0.1:0\"; %s\n"
			    "  middlewares = ( %s\n"
			    "    { type = \"forward\";"
			    " to = \"127.0.0.1:%u\"; },\n"
			    "    { type = \"log\"; } ); } );\n",
		settings, chain, r->backend_port);
}

void
relay_start(struct relay *r, const char *chain)
{
	relay_start_with(r, chain, "");
}

uint16_t
relay_port(const struct relay *r)
{
	return daemon_port(r->d, "r", 0);
}

void
relay_join(struct relay *r, int *client, int *server)
{
	*client = peer_connect(relay_port(r));
	*server = peer_accept(r->backend);
}

void
relay_direct(struct relay *r, int *client, int *server)
{
	*client = peer_connect(r->backend_port);
	*server = peer_accept(r->backend);
}

void
relay_wait_line(struct relay *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	daemon_wait_log(r->d, text, DAEMON_MS);
}

int
relay_unacked(int fd)
{
	int n = 0;

	assert_int_equal(ioctl(fd, SIOCOUTQ, &n), 0);
	return n;
}

void
relay_stop(struct relay *r)
{
	daemon_stop(r->d);
	close(r->backend);
}
