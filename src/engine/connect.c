/* connect.c - reaching a backend. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/engine.h"

#define TRIES_PER_TURN 16
#define WORD_EVERY_MS  1000

/* A socket that connects; -1 with errno. */
static int
connect_socket(const struct dial *dial)
{
	static const int on = 1;
	int fd = socket(dial->to.sa.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd == -1)
		return -1;
	if (dial->to.sa.sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (dial->source.len == 0)
		return fd;
	/* Ports are chosen at connect(2), when the whole tuple is known. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, &dial->source.sa, dial->source.len) == -1) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static bool
connect_error_is_ours(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM || err == EADDRNOTAVAIL || err == EACCES ||
	       err == EPERM;
}

static void
connect_report(const struct weir_channel *ch, int err)
{
	struct loop *loop = ch->engine->loop;
	struct weir_addr to;
	char text[WEIR_ADDR_TEXT];

	endpoint_peer(&ch->ends[WEIR_BACKEND], &to);
	/* What the peer or the net does is no error of ours; lack of
	 * descriptors, ports or memory is, and lacks for many at once. */
	if (!connect_error_is_ours(err)) {
		log_info("%s: #%llu: %s did not accept: %s",
			ch->engine->server->name, (unsigned long long)ch->id,
			weir_addr_text(&to, text), strerror(err));
	} else if (clock_ms() >= loop->next_word_ms) {
		loop->next_word_ms = clock_ms() + WORD_EVERY_MS;
		log_error("%s: #%llu: cannot connect to %s: %s",
			ch->engine->server->name, (unsigned long long)ch->id,
			weir_addr_text(&to, text), strerror(err));
	}
}

void
connect_start(struct weir_channel *ch, const struct dial *dial, unsigned stage)
{
	struct endpoint *back = &ch->ends[WEIR_BACKEND];

	if (ch->state == CHANNEL_ROUTE)
		channel_state(ch, CHANNEL_CONNECT);
	ch->dial_stage = (uint8_t)stage;
	ch->dial_err = 0;
	ch->dialed = false;
	if (endpoint_set_peer(back, &dial->to) == -1) {
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
		return;
	}
	channel_wait(ch, TIMEOUT_CONNECT,
		dial->timeout_ms != 0 ? dial->timeout_ms
				      : ch->engine->server->connect_timeout_ms);
	back->fd = connect_socket(dial);
	back->mask = 0;
	back->err = 0;
	if (back->fd == -1 ||
		(connect(back->fd, &dial->to.sa, dial->to.len) == -1 &&
			errno != EINPROGRESS && errno != EINTR) ||
		poller_add_endpoint(&ch->engine->loop->poller, back) == -1) {
		/* Told by connect_run(): no callback inside another. */
		ch->dial_err = errno;
		ch->dialed = true;
	}
}

void
connect_finish(struct weir_channel *ch, int err)
{
	struct endpoint *back = &ch->ends[WEIR_BACKEND];

	if (err == 0) {
		channel_state(ch, CHANNEL_JOINED);
		chain_connected(ch, 0);
		return;
	}
	connect_report(ch, err);
	endpoint_close(back, false);
	ch->dial_err = err;
	ch->dialed = false;
	chain_connected(ch, err);
	if (!channel_is_ending(ch) && ch->dial_err != 0 && !ch->dialed)
		channel_close(ch, WEIR_R_CONNECT, WEIR_BACKEND, err,
			ch->flows[WEIR_DOWN].out.len > 0 ? ENDING_LINGER
							 : ENDING_RESET);
}

/* The outcome of the connect under way is known: takes it from the socket. */
static void
connect_outcome(struct weir_channel *ch)
{
	struct endpoint *back = &ch->ends[WEIR_BACKEND];
	int err = 0;

	if (back->mask & (ENDPOINT_ERR | ENDPOINT_HUP))
		err = endpoint_take_error(back);
	if (err != ECONNRESET && err != EPIPE) {
		connect_finish(ch, err);
		return;
	}
	/* It did accept; what it sent may still be there. */
	back->mask |= ENDPOINT_OUT;
	connect_finish(ch, 0);
	if (ch->state == CHANNEL_JOINED)
		channel_side_failed(ch, WEIR_BACKEND, err);
}

void
connect_run(struct weir_channel *ch)
{
	const struct endpoint *back = &ch->ends[WEIR_BACKEND];

	int i;

	/* As addresses fail at once, others are tried; but the turn ends. */
	for (i = 0; i < TRIES_PER_TURN && ch->state == CHANNEL_CONNECT; i++) {
		if (ch->dialed)
			connect_finish(ch, ch->dial_err);
		else if (back->mask &
			 (ENDPOINT_OUT | ENDPOINT_ERR | ENDPOINT_HUP))
			connect_outcome(ch);
		else
			break;
	}
}
