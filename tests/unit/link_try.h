/* link_try.h - a keeper and a worker with a rig, for tests of their link. */
#ifndef LINK_TRY_H
#define LINK_TRY_H

#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/link.h"
#include "base/msg.h"
#include "heritage.h"
#include "lib/rig.h"
#include "worker/accept.h"
#include "worker/link.h"

#define CLIENTS 300

static struct rig rig;
static struct rig_dial dial = { .n = 1 };
static struct acceptor acceptor;
static struct heritage heritage;
static struct links links;
static int listener, keeper;
static int clients[CLIENTS], servers[CLIENTS];
static _Alignas(8) uint8_t packet[LINK_PACKET];
static size_t packet_len;

static int
start(void **state)
{
	int i, fds[2];

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		clients[i] = servers[i] = -1;
	rig_init(&rig);
	listener = rig_backend(&dial.to[0]);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	heritage = (struct heritage){ .generation = 3, .slot = 1 };
	acceptor = (struct acceptor){ .open = true };
	links_init(&links, &rig.loop, &heritage, &acceptor, &rig.engine, 1);
	assert_int_equal(msg_pair(fds), 0);
	keeper = fds[0];
	links_add(&links, fds[1]);
	return 0;
}

static int
stop(void **state)
{
	int i;

	(void)state;
	links_done(&links);
	rig_close(&keeper);
	for (i = 0; i < CLIENTS; i++) {
		rig_close(&clients[i]);
		rig_close(&servers[i]);
	}
	rig_stop(&rig);
	rig_close(&listener);
	return 0;
}

static void
join(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		clients[i] = rig_client(&rig);
		servers[i] = rig_take(&rig, listener);
	}
	rig_quiet(&rig);
}

static bool
comes(void)
{
	return recv(keeper, packet, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

/* The next packet is of that type. */
static const void *
answer(enum link_type type)
{
	ssize_t n;

	rig_until(&rig, comes());
	n = recv(keeper, packet, sizeof(packet), 0);
	assert_true(n > 0);
	packet_len = (size_t)n;
	assert_true(link_fits(packet, packet_len, type));
	return packet;
}

static void
ask(const void *q, size_t n)
{
	assert_int_equal(send(keeper, q, n, MSG_NOSIGNAL), n);
}

static void
ask_head(enum link_type type, uint32_t number)
{
	ask(&(struct link_head){ type, number }, sizeof(struct link_head));
}

#define link_test(f) cmocka_unit_test_setup_teardown(f, start, stop)

#endif
