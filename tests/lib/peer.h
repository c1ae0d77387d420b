/* peer.h - clients and servers on loopback for tests; every wait is bounded,
 * and whatever is not as expected fails the test. */
#ifndef LIB_PEER_H
#define LIB_PEER_H

#include <sys/types.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_MS	      10000
#define PEER_STALL_MS 2000 /* bytes that can go do not stand so long */

/* All sockets are non-blocking and close-on-exec; the caller closes them. */

/* Listens on 127.0.0.1, port 0; the real port in *port. */
int peer_listen(uint16_t *port);
/* The same with that backlog, which a test may want to fill. */
int peer_listen_backlog(uint16_t *port, int backlog);
/* Keeps a port of 127.0.0.1 from everybody who does not ask for it by number,
 * and does not listen on it (SO_REUSEADDR of socket(7)). */
int peer_hold(uint16_t *port);
int peer_connect(uint16_t port);
/* The same from an address of the loopback, in host order. */
int peer_connect_from(uint32_t address, uint16_t port);
int peer_connect_unix(const char *path);
/* errno of connecting to that port: 0 or, say, ECONNREFUSED. */
int peer_connect_error(uint16_t port);
int peer_accept(int listen_fd);
/* Does nobody want to be accepted within ms? */
bool peer_nobody(int listen_fd, int ms);

void peer_send_all(int fd, const void *p, size_t n);
void peer_send_text(int fd, const char *text);
/* Sends until nothing moved for ms; how many bytes went. */
size_t peer_send_until_full(int fd, size_t max, int ms);
void peer_read_exact(int fd, void *p, size_t n);
void peer_expect_text(int fd, const char *text);
/* Sends text, and expects the same. */
void peer_echo(int fd, const char *text);
/* Expects FIN and nothing before it. */
void peer_read_eof(int fd);
/* Reads to FIN; how many bytes came, the first max of them in p. */
size_t peer_read_to_eof(int fd, void *p, size_t max);
/* Reads on to a reset; how many bytes came before. */
size_t peer_expect_reset(int fd);
/* Does nothing arrive, neither bytes nor an end, within ms? */
bool peer_is_silent(int fd, int ms);
/* FIN; the other direction lives on (shutdown(2)). */
void peer_half_close(int fd);
/* Closes with a reset (SO_LINGER of 0, socket(7)). */
void peer_abort(int fd);

/* A stream of bytes that its seed determines, so that any length of it can be
 * made and checked without being stored. */
struct peer_data {
	uint64_t seed;
	uint64_t at; /* bytes so far */
};

void peer_data_init(struct peer_data *pd, uint64_t seed);
/* The next n bytes of the stream into p. */
void peer_data_make(struct peer_data *pd, void *p, size_t n);
/* Fails, with the offset, unless p has the next n bytes of the stream. */
void peer_data_check(struct peer_data *pd, const void *p, size_t n);

/* One end of a transfer: sends out_total bytes, then FIN if asked; reads and
 * checks in_total bytes, then FIN if asked. */
struct peer_pump {
	int fd;
	struct peer_data out, in;
	uint64_t out_total, in_total;
	size_t out_most, in_most; /* bytes at a time; 0: as many as there are */
	bool out_fin, in_fin;
	bool out_done, in_done;
	size_t kept, kept_at; /* made but not sent yet */
	uint8_t buf[65536];
};

/* Drives all pumps at once until all are done; ms without a byte moving
 * anywhere fails. */
void peer_pump(struct peer_pump *pumps, size_t n, int ms);

#endif
