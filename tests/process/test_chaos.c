/* test_chaos.c - clients and servers that do anything at any moment cost only
 * their own channels: one that behaves is served all the while. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/relay.h"

#define ROUNDS 3000
#define CROWD  64

struct guest {
	int client, server; /* -1: gone */
};

static struct peer_data chance;

static unsigned
chance_of(unsigned n)
{
	uint32_t word;

	peer_data_make(&chance, &word, sizeof(word));
	return word % n;
}

/* Does one thing to one end. */
static void
guest_act(int *fd)
{
	static uint8_t garbage[100000];
	size_t n = 1 + chance_of(chance_of(2) ? 100 : sizeof(garbage));

	if (*fd == -1)
		return;
	switch (chance_of(8)) {
	case 0:
		peer_abort(*fd);
		*fd = -1;
		break;
	case 1:
		close(*fd);
		*fd = -1;
		break;
	case 2:
		shutdown(*fd, SHUT_WR);
		break;
	case 3:
		recv(*fd, garbage, n, MSG_DONTWAIT);
		break;
	default:
		peer_data_make(&chance, garbage, n);
		send(*fd, garbage, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

static void
guest_leave(struct guest *g)
{
	if (g->client != -1)
		close(g->client);
	if (g->server != -1)
		close(g->server);
	*g = (struct guest){ -1, -1 };
}

static void
run_crowd(const char *chain, const char *first)
{
	const char *given = getenv("CHAOS_SEED");
	struct guest crowd[CROWD];
	struct pollfd waiting;
	int client, server;
	struct relay r;
	unsigned i;

	peer_data_init(&chance, given == NULL ? (uint64_t)time(NULL)
					      : strtoull(given, NULL, 0));
	print_message("# CHAOS_SEED=%llu\n", (unsigned long long)chance.seed);
	relay_start(&r, chain);
	for (i = 0; i < CROWD; i++)
		crowd[i] = (struct guest){ -1, -1 };
	client = peer_connect(relay_port(&r));
	peer_send_text(client, first);
	server = peer_accept(r.backend);
	waiting = (struct pollfd){ .fd = r.backend, .events = POLLIN };
	for (i = 0; i < ROUNDS; i++) {
		struct guest *g = &crowd[chance_of(CROWD)];

		if (g->client == -1 && g->server == -1)
			g->client = peer_connect(relay_port(&r));
		else if (g->server == -1 && poll(&waiting, 1, 0) == 1)
			g->server = accept(r.backend, NULL, NULL);
		guest_act(chance_of(2) ? &g->client : &g->server);
		if (i % 10 == 0) {
			peer_send_text(client, "question");
			peer_expect_text(server, "question");
			peer_send_text(server, "answer");
			peer_expect_text(client, "answer");
		}
	}
	for (i = 0; i < CROWD; i++)
		guest_leave(&crowd[i]);
	close(client);
	close(server);
	/* Whoever was connected to, but never taken, is reset here. */
	close(r.backend);
	daemon_fds_settle(r.d);
	daemon_stop(r.d);
}

static void
test_anything_at_any_moment(void **state)
{
	(void)state;
	run_crowd("", "");
}

static void
test_anything_through_middlewares(void **state)
{
	(void)state;
	run_crowd("{ type = \"gate\"; }, { type = \"chop\"; }, "
		  "{ type = \"copy\"; }, { type = \"leave\"; },",
		"g");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_anything_at_any_moment),
		relay_tests(test_anything_through_middlewares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
