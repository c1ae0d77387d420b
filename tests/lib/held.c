/* held.c - a weir with a channel in each state in which one may stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/held.h"
#include "lib/peer.h"
#include "lib/relay.h"

#define FULL ((size_t)64 << 20)

#define X(word, chain) static void held_##word(struct held *h);
HELD_STATES(X)
#undef X

static const struct {
	const char *word, *chain;
	void (*hold)(struct held *h);
} held_rows[] = {
#define X(word, chain) { #word, chain, held_##word },
	HELD_STATES(X)
#undef X
};

size_t
held_states(void)
{
	return sizeof(held_rows) / sizeof(held_rows[0]);
}

const char *
held_word(size_t state)
{
	return held_rows[state].word;
}

void
held_start(struct held *h, size_t state, const char *wait)
{
	size_t i, size = 0;
	char *servers = NULL;
	FILE *f;

	*h = (struct held){ .backend = -1 };
	relay_use_trial();
	h->d = daemon_new();
	f = open_memstream(&servers, &size);
	assert_non_null(f);
	for (i = 0; i < held_states(); i++)
		fprintf(f,
			"%s{ name = \"%s\"; listen = \"127.0.0.1:0\";"
			" close_wait = \"%s\"; dumb_connect_timeout = 60;"
			" middlewares = ( %s ); }",
			i > 0 ? ",\n" : "", held_rows[i].word, wait,
			held_rows[i].chain);
	fclose(f);
	daemon_write(h->d,
		"process = { workers = 1; drain_timeout = \"%s\"; };\n"
		"log = { level = \"debug\"; };\nservers = ( %s );\n",
		wait, servers);
	free(servers);
	h->backend = peer_listen(&h->hole.port);
	snprintf(h->variables[0], sizeof(h->variables[0]),
		"BACKEND=127.0.0.1:%u", h->hole.port);
	hole_dig(&h->hole);
	snprintf(h->variables[1], sizeof(h->variables[1]), "HOLE=127.0.0.1:%u",
		h->hole.port);
	daemon_env(h->d, h->variables[0]);
	daemon_env(h->d, h->variables[1]);
	daemon_launch(h->d);
	for (i = 0; i < held_states(); i++)
		if (state == HELD_ALL || state == i)
			held_rows[i].hold(h);
}

void
held_done(struct held *h)
{
	while (h->nfds > 0)
		close(h->fds[--h->nfds]);
	close(h->backend);
	hole_fill(&h->hole);
}

static int
held_fd(struct held *h, int fd)
{
	assert_true(h->nfds < HELD_FDS);
	h->fds[h->nfds++] = fd;
	return fd;
}

static int
held_client(struct held *h, const char *server)
{
	return held_fd(h, peer_connect(daemon_port(h->d, server, 0)));
}

static int
held_server(struct held *h)
{
	return held_fd(h, peer_accept(h->backend));
}

/* A channel through which bytes have gone. */
static void
held_join(struct held *h, const char *server, int fds[2])
{
	fds[0] = held_client(h, server);
	fds[1] = held_server(h);
	peer_send_text(fds[1], "hello");
	peer_expect_text(fds[0], "hello");
}

static void
held_open(struct held *h)
{
	held_client(h, "open");
	daemon_wait_log(h->d, "its open waits", DAEMON_MS);
}

static void
held_route(struct held *h)
{
	held_client(h, "route");
	daemon_wait_log(h->d, "open -> route", DAEMON_MS);
}

static void
held_race(struct held *h)
{
	held_client(h, "race");
	held_server(h);
	daemon_wait_log(h->d, "-> race", DAEMON_MS);
}

static void
held_connect(struct held *h)
{
	held_client(h, "connect");
	daemon_wait_log(h->d, "route -> connect", DAEMON_MS);
}

static void
held_relay(struct held *h)
{
	int fds[2];

	held_join(h, "relay", fds);
}

/* Neither weir nor the sender can get rid of any more bytes. */
static void
held_unread(struct held *h)
{
	int fds[2];

	held_join(h, "unread", fds);
	assert_true(peer_send_until_full(fds[1], FULL, 100) < FULL);
}

static void
held_half(struct held *h)
{
	int fds[2];

	held_join(h, "half", fds);
	peer_half_close(fds[0]);
	peer_read_eof(fds[1]);
}

/* Bytes are under way when the client ends. */
static void
held_delayed(struct held *h)
{
	int fds[2];

	held_join(h, "delayed", fds);
	peer_send_text(fds[0], "late");
	peer_half_close(fds[0]);
	daemon_wait_log(h->d, "flow up", DAEMON_MS);
}

/* Both sides are gone, but a close callback waits. */
static void
held_closing(struct held *h)
{
	int fds[2];

	held_join(h, "closing", fds);
	peer_half_close(fds[0]);
	peer_half_close(fds[1]);
	daemon_wait_log(h->d, "its close is called", DAEMON_MS);
}

/* The client, which is refused, does not end its side. */
static void
held_linger(struct held *h)
{
	char word[4096];
	int fd = held_client(h, "linger");

	peer_read_exact(fd, word, sizeof(word));
	peer_read_eof(fd);
}
