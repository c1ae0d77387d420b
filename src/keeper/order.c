/* order.c - what the keeper asks of the master, as weir -s does. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/msg.h"
#include "heritage.h"
#include "keeper/order.h"
#include "keeper/keeper.h"
#include "keeper/page.h"

#define PACKET	     4096 /* of an answer, at most */
#define READS_A_TURN 16	  /* packets */
#define ORDERS_MOST  8	  /* at a time: the master has places for others, too */

void
order_end(struct order *c)
{
	TAILQ_REMOVE(&c->keeper->orders, c, link);
	c->keeper->norders--;
	if (c->event != NULL)
		event_free(c->event);
	fd_close(&c->fd);
	json_decref(c->messages);
	free(c);
}

static void
order_over(struct order *c, int code, const char *outcome)
{
	c->over(c->arg, code, outcome, c->messages);
	order_end(c);
}

/* One line of the answer: "info TEXT", "error TEXT" or "end CODE TEXT".  True:
 * it was the last. */
static bool
order_line(struct order *c, char *line)
{
	char *text = strchr(line, ' '), *end;
	long code;

	if (text == NULL)
		return false;
	*text++ = '\0';
	if (strcmp(line, "end") != 0) {
		(void)json_array_append_new(c->messages,
			json_pack("{s:o,s:o}", "kind",
				text_json(line, strlen(line)), "text",
				text_json(text, strlen(text))));
		return false;
	}
	code = strtol(text, &end, 10);
	order_over(c, (int)code, *end == ' ' ? end + 1 : end);
	return true;
}

/* True: the answer has ended. */
static bool
order_packet(struct order *c, char *p)
{
	char *line;

	while ((line = strsep(&p, "\n")) != NULL)
		if (*line != '\0' && order_line(c, line))
			return true;
	return false;
}

static void
order_heard(evutil_socket_t fd, short what, void *arg)
{
	struct order *c = arg;
	char packet[PACKET + 1];
	ssize_t n;
	int i;

	clock_update();
	if (what & EV_TIMEOUT) {
		order_over(c, -1, "the master does not answer in time");
		return;
	}
	for (i = 0; i < READS_A_TURN; i++) {
		n = recv(fd, packet, PACKET, MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			order_over(c, -1, "the master hung up");
			return;
		}
		packet[n] = '\0';
		if (order_packet(c, packet))
			return;
	}
}

struct order *
order_begin(struct weir_keeper *k, const char *word, uint32_t ms,
	void (*over)(void *, int, const char *, json_t *), void *arg)
{
	const struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };
	struct order *c;

	if (k->norders >= ORDERS_MOST) {
		errno = EBUSY;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	*c = (struct order){ .keeper = k,
		.fd = -1,
		.word = word,
		.over = over,
		.arg = arg,
		.messages = json_array() };
	TAILQ_INSERT_TAIL(&k->orders, c, link);
	k->norders++;
	c->event = event_new(k->base, -1, 0, order_heard, c);
	if (c->event == NULL || event_add(c->event, &tv) == -1 ||
		msg_send(k->heritage->control_fd, MSG_CALL, 0) == -1) {
		int err = errno;

		order_end(c);
		errno = err;
		return NULL;
	}
	return c;
}

/* From here on its answer is waited for, for the rest of its time. */
static int
order_listen(struct order *c, int fd)
{
	struct timeval due, now, left;

	if (!event_pending(c->event, EV_TIMEOUT, &due))
		return -1;
	(void)gettimeofday(&now, NULL);
	evutil_timersub(&due, &now, &left);
	if (left.tv_sec < 0)
		evutil_timerclear(&left);
	c->fd = fd;
	(void)event_del(c->event);
	if (event_assign(c->event, c->keeper->base, fd, EV_READ | EV_PERSIST,
		    order_heard, c) == -1)
		return -1;
	return event_add(c->event, &left);
}

void
orders_answered(struct weir_keeper *k, int fd)
{
	struct order *c;

	TAILQ_FOREACH(c, &k->orders, link)
	{
		if (c->fd == -1)
			break;
	}
	if (c == NULL) {
		fd_close(&fd);
	} else if (fd == -1) {
		order_over(c, -1, "the master takes no more callers now");
	} else if (order_listen(c, fd) == -1) {
		c->fd = fd;
		order_over(c, -1, strerror(ENOMEM));
	} else if (send(fd, c->word, strlen(c->word),
			   MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
		order_over(c, -1, "the master hung up");
	}
}

void
orders_done(struct weir_keeper *k)
{
	while (!TAILQ_EMPTY(&k->orders))
		order_over(TAILQ_FIRST(&k->orders), -1, "weir stops");
}
