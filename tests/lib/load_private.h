/* load_private.h - what the parts of the load generator share. */
#ifndef LIB_LOAD_PRIVATE_H
#define LIB_LOAD_PRIVATE_H

#include <sys/types.h>

#include "lib/load.h"

#define LOAD_ECHOES 4

struct load {
	struct load *next; /* of those that run */
	struct load_plan plan;
	struct load_result *result; /* shared by parent and child */
	struct echo echoes[LOAD_ECHOES];
	unsigned nechoes;
	pid_t pid;
	int stop_fds[2];     /* the child stops when [1] is closed */
	int progress_fds[2]; /* the child writes to [1] from time to time */
};

enum client_state {
	CLIENT_NONE,
	CLIENT_CONNECTING,
	CLIENT_TALKING, /* a request is not yet answered */
	CLIENT_HELD,	/* all is answered, nothing sent */
	CLIENT_ENDING,	/* our FIN is out, the other one is due */
};

struct run;

/* One place for a connection after another. */
struct client {
	struct echo_wire wire;
	struct run *run;
	enum load_sort sort;
	enum client_state state;
	uint32_t id;
	unsigned lives;		  /* connections so far */
	bool stands, shut;	  /* answered once; our FIN is out */
	uint64_t sent, got, goal; /* offsets in its stream */
	int err;		  /* of writing */
	int64_t since_us;	  /* of what its state waits for */
	int64_t due_us;		  /* not connected again before */
};

/* The child. */
struct run {
	const struct load_plan *plan;
	struct load_result *result;
	struct client *clients[LOAD_SORTS_N];
	unsigned free[LOAD_SORTS_N]; /* in CLIENT_NONE */
	unsigned connecting;
	unsigned nports;
	int epoll;
	uint64_t key; /* of its streams */
	uint32_t ids;
	bool stopping;
	int64_t start_us, now_us, stop_us;
	int64_t connected_us, answered_us; /* when one last was */
	int64_t next_us[LOAD_SORTS_N];	   /* when the rate allows one more */
	unsigned cursor[LOAD_SORTS_N];
};

_Noreturn void run_main(struct load *l);

/* Begins a connection, a request of a held one, the end of a held one. */
void client_connect(struct client *c);
void client_request(struct client *c);
void client_finish(struct client *c);
/* It has failed, and is closed. */
void client_fail(struct client *c, enum load_kind kind, int err,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A success: the gap since the one before, in *gap_us if it is the longest. */
void run_mark(struct run *run, int64_t *last_us, uint64_t *gap_us);

#endif
