/* cut.c - the same bytes must mean the same, however they are cut. */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"

#define UP_MOST 256

/* Reads what came up to the end of it; -1 when nobody connects. */
static long
cut_hear(char *up)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	long n, got = 0;

	if (poll(&p, 1, 0) != 1)
		return -1;
	server = rig_take(&rig, listener);
	while ((n = rig_read(server, up + got, UP_MOST - (size_t)got)) != 0) {
		if (n == -1 && errno != EAGAIN)
			break;
		got += n > 0 ? n : 0;
		rig_turn_wait(&rig);
	}
	up[got] = '\0';
	return got;
}

static void
cut_one(const char *text, unsigned long cuts, const struct cut_seen *want)
{
	size_t n = strlen(text), from = 0, i;
	char up[UP_MOST + 1] = "";
	unsigned before = rig_ends.n;

	client = rig_client(&rig);
	rig_quiet(&rig);
	for (i = 1; i <= n; i++) {
		if (i < n && !(cuts >> (i - 1) & 1))
			continue;
		/* Who was refused in the middle may not want the rest. */
		send(client, text + from, i - from, MSG_NOSIGNAL);
		from = i;
		rig_turn(&rig);
	}
	shutdown(client, SHUT_WR);
	rig_quiet(&rig);
	if (cut_hear(up) == -1)
		assert_null(want->up);
	else
		assert_string_equal(up, want->up == NULL ? "" : want->up);
	rig_close(&server);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == before + 1);
	assert_string_equal(weir_reason_word(rig_ends.reason), want->why);
}

void
each_cut(const struct weir_middleware *mw, const void *conf, const char *text,
	const struct cut_seen *want)
{
	size_t n = strlen(text);
	unsigned long cuts, all = n > 1 ? 1UL << (n - 1) : 1;

	pair_start(NULL);
	rig_add(&rig, mw, conf);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	for (cuts = 0; cuts < all; cuts++)
		cut_one(text, cuts, want);
	pair_stop(NULL);
}
