/* control.h - a child's end of its control pair. */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#include "base/msg.h"

struct event;
struct event_base;

#define CONTROL_A_TURN 64 /* messages, before others have their turn */

/* A message of the master; MSG_QUIT too when the master is gone.  attached is
 * a descriptor that came with it and is taken, or -1. */
typedef void control_told(void *arg, const struct msg *m, int attached);

struct control {
	int fd;
	struct event *event;
	control_told *told;
	void *arg;
};

/* -1 with errno.  fd stays the caller's. */
int control_init(struct control *c, struct event_base *base, int fd,
	control_told *told, void *arg);
void control_done(struct control *c);
/* Tells the master that this process is able to accept. */
int control_ready(struct control *c);
/* Tells it that this process leaves, for reasons of its own. */
int control_leaving(struct control *c);
/* Tells it that a link is lost: of the worker of that pid, or (0) our own. */
int control_unlinked(struct control *c, int32_t pid);
/* Tells it that this worker is done with the log file of that index. */
int control_reopened(struct control *c, uint32_t index);

#endif
