/* notify.h - tells a service manager how weir is: sd_notify(3), without it. */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdint.h>

#define NOTIFY_TEXT  256 /* bytes of a message, at most; more is cut */
#define NOTIFY_QUEUE 8

struct notify {
	struct sockaddr_un to;
	socklen_t len;	   /* 0: nobody wants to know */
	uint64_t retry_ms; /* UINT64_MAX: nothing waits */
	size_t n;
	char queue[NOTIFY_QUEUE][NOTIFY_TEXT]; /* not sent yet */
};

/* Takes NOTIFY_SOCKET out of the environment; when it is not set, or useless
 * (which is logged), all others do nothing.  No descriptor is kept. */
void notify_init(struct notify *n);
/* READY=1 after the start and after a reload, with MAINPID and a STATUS. */
void notify_ready(struct notify *n, pid_t master, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* RELOADING=1 with MONOTONIC_USEC: whatever comes of it, notify_ready() has to
 * follow. */
void notify_reloading(struct notify *n);
/* STOPPING=1. */
void notify_stopping(struct notify *n);
/* STATUS: one line for people; left out while others wait. */
void notify_status(struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* When notify_turn() has something to do; UINT64_MAX: never. */
uint64_t notify_next(const struct notify *n);
/* Sends again what a full socket did not take. */
void notify_turn(struct notify *n, uint64_t now_ms);

#endif
