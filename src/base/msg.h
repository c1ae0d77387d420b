/* msg.h - fixed messages on the control pair of master and worker. */
#ifndef BASE_MSG_H
#define BASE_MSG_H

#include <stdint.h>

/* id, log word, who sends it and what it means. */
#define MSG_TYPES(X)                                                           \
	X(READY, "ready") /* worker: able to accept */                         \
	X(STOP, "stop")	  /* master: reset every channel and leave */          \
	X(QUIT, "quit")	  /* master: stop accepting, let channels finish */    \
	X(GO, "go")	  /* master: accept now */                             \
	X(DRAIN, "drain") /* master: as quit, but arg is how many ms they have \
			   */                                                  \
	X(REOPEN, "reopen") /* master: the fd is the log file of index arg */  \
	X(REOPENED, "reopened") /* worker: that is done, or cannot be */       \
	X(LEAVING, "leaving")	/* worker: was told to drain, not by you */    \
	X(ADOPT, "adopt")   /* master: serve the sockets of slot arg, too */   \
	X(RETURN, "return") /* master: leave them to that slot again */        \
	X(LINK, "link")	    /* master: the fd leads to the keeper, or to the   \
			     * worker of pid arg; they: that one is lost */    \
	X(CALL, "call") /* keeper: a socket to call you by; master: here it is \
			 */

enum msg_type {
#define X(id, word) MSG_##id,
	MSG_TYPES(X)
#undef X
		MSG_COUNT
};

/* To a keeper, with MSG_QUIT: another one has taken over; or, close your
 * sockets only, as the workers have not left yet. */
#define KEEPER_RETIRES 1
#define KEEPER_STAYS   2

struct msg {
	uint32_t type;
	uint32_t arg;
};

/* A SOCK_SEQPACKET pair, both ends non-blocking and close-on-exec. */
int msg_pair(int fds[2]);
/* 0, or -1 with errno (EAGAIN: full; EPIPE: the other side is gone). */
int msg_send(int fd, enum msg_type type, uint32_t arg);
/* The same with a descriptor (unix(7): SCM_RIGHTS), which stays the caller's;
 * -1: none. */
int msg_send_fd(int fd, enum msg_type type, uint32_t arg, int attached);
/* 1 and *m filled, 0 at the end of the pair, or -1 with errno (EAGAIN: none,
 * EPROTO: not one of ours).  A descriptor that comes with it is closed. */
int msg_recv(int fd, struct msg *m);
/* The same; *attached is -1, or a descriptor that is the caller's now. */
int msg_recv_fd(int fd, struct msg *m, int *attached);
/* Log word of a message. */
const char *msg_word(uint32_t type);

#endif
