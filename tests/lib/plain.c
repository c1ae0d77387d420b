/* plain.c - a weir without sanitizers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/plain.h"

static struct daemon *
plain_launch(unsigned workers, const char *middlewares)
{
	const char *plain = getenv("WEIR_PLAIN");
	struct daemon *d = daemon_new();

	assert_non_null(plain);
	setenv("WEIR", plain, 1);
	daemon_keep_clock(d);
	daemon_write(d,
		"process = { workers = %u; };\n"
		"servers = ( { name = \"r\";\n"
		"  listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( %s ); } );\n",
		workers, middlewares);
	daemon_launch(d);
	return d;
}

struct daemon *
plain_start(const char *middlewares)
{
	return plain_launch(1, middlewares);
}

struct daemon *
plain_forward(unsigned workers, uint16_t port)
{
	char text[128];

	snprintf(text, sizeof(text),
		"{ type = \"forward\"; to = \"127.0.0.1:%u\"; }", port);
	return plain_launch(workers, text);
}
