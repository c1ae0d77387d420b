/* stream.h - checked random bytes over many sockets at once, without storing
 * them: any byte follows from the seed and its offset. */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One socket: what it sends and what must come. */
struct stream {
	int fd; /* non-blocking from the first stream_run() on */
	uint64_t send_seed, get_seed;
	uint64_t send_bytes; /* then SHUT_WR, unless keep_open */
	uint64_t get_bytes;  /* then EOF must follow, unless keep_open */
	bool keep_open;
	bool idle_read;	  /* never reads */
	size_t chunk_max; /* of one read or write; 0: 64k; else random sizes */
	/* How far it is: */
	uint64_t sent, got;
	bool shut, ended;
	int err; /* errno of a failed read or write, or 0 */
	uint64_t chance;
};

/* Fills p with the bytes of a seed from an offset on. */
void stream_fill(uint64_t seed, uint64_t offset, uint8_t *p, size_t n);
/* Do p's bytes stand there? */
bool stream_match(uint64_t seed, uint64_t offset, const uint8_t *p, size_t n);
/* Has it sent, got and seen all it wanted? */
bool stream_done(const struct stream *s);
/* Moves all until every one is done or has failed, or, with ms of silence,
 * nothing moves any more; a wrong byte fails the test.  True: all are done. */
bool stream_run(struct stream *s, size_t n, int ms);

#endif
