/* stream.h - one known stream of bytes, poured into a socket and drunk from one
 * as the test likes; neither ever waits. */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stdint.h>

/* Sends the stream from offset on, at most n bytes; how many the socket took.
 */
uint64_t stream_pour(int fd, uint64_t offset, uint64_t n);
/* Reads what is there, at most n bytes, and fails unless they are those of the
 * stream from offset on; how many. */
uint64_t stream_drink(int fd, uint64_t offset, uint64_t n);
/* Fails unless p has n bytes of the stream from offset on. */
void stream_check(uint64_t offset, const void *p, uint64_t n);

#endif
