/* control.h - the worker's end of its control pair. */
#ifndef WORKER_CONTROL_H
#define WORKER_CONTROL_H

#include "base/msg.h"

struct event;
struct event_base;

struct control {
	int fd;
	struct event *event;
	/* A message of the master; MSG_QUIT too when the master is gone. */
	void (*told)(void *arg, enum msg_type type);
	void *arg;
};

/* -1 with errno.  fd stays the caller's. */
int control_init(struct control *c, struct event_base *base, int fd,
	void (*told)(void *arg, enum msg_type type), void *arg);
void control_done(struct control *c);
/* Tells the master that this worker is able to accept. */
int control_ready(struct control *c);

#endif
