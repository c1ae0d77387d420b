/* relay.h - a weir that forwards to a backend of the test's own. */
#ifndef LIB_RELAY_H
#define LIB_RELAY_H

#include <stdint.h>

struct daemon;

struct relay {
	struct daemon *d;
	int backend; /* listens */
	uint16_t backend_port;
};

/* Starts one with a server "r": chain, then forward and log; the binary is the
 * one with the tests' own middlewares. */
void relay_start(struct relay *r, const char *chain);
/* The same with more settings of the server ("idle_timeout = 5;"). */
void relay_start_with(struct relay *r, const char *chain, const char *settings);
uint16_t relay_port(const struct relay *r);
/* Opens a channel: both of its far ends. */
void relay_join(struct relay *r, int *client, int *server);
/* A plain connection from client to server, for comparison. */
void relay_direct(struct relay *r, int *client, int *server);
/* Waits until the log has that text behind what was waited for before. */
void relay_wait_line(struct relay *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Bytes written to a socket that the other side's kernel does not have yet. */
int relay_unacked(int fd);
void relay_stop(struct relay *r);

#endif
