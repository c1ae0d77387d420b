/* control.c - a child's end of its control pair. */
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/control.h"

static void
control_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct msg m;
	int got = 1, attached, i;

	(void)what;
	clock_update();
	for (i = 0; i < CONTROL_A_TURN && got == 1; i++) {
		got = msg_recv_fd(fd, &m, &attached);
		if (got == 1)
			c->told(c->arg, &m, attached);
	}
	if (got == 1 || (got == -1 && errno == EAGAIN))
		return;
	if (got == -1 && errno == EPROTO) {
		log_alert("the master sent what is no message of ours");
		return;
	}
	log_notice("the master is gone: this process finishes and leaves");
	event_del(c->event);
	c->told(c->arg, &(struct msg){ .type = MSG_QUIT }, -1);
}

int
control_init(struct control *c, struct event_base *base, int fd,
	control_told *told, void *arg)
{
	*c = (struct control){ .fd = fd, .told = told, .arg = arg };
	c->event =
		event_new(base, fd, EV_READ | EV_PERSIST, control_readable, c);
	if (c->event != NULL && event_add(c->event, NULL) == 0)
		return 0;
	control_done(c);
	errno = ENOMEM;
	return -1;
}

void
control_done(struct control *c)
{
	if (c->event != NULL)
		event_free(c->event);
	c->event = NULL;
}

int
control_ready(struct control *c)
{
	return msg_send(c->fd, MSG_READY, 0);
}

int
control_leaving(struct control *c)
{
	return msg_send(c->fd, MSG_LEAVING, 0);
}

int
control_unlinked(struct control *c, int32_t pid)
{
	return msg_send(c->fd, MSG_LINK, (uint32_t)pid);
}

int
control_reopened(struct control *c, uint32_t index)
{
	return msg_send(c->fd, MSG_REOPENED, index);
}
