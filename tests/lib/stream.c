/* stream.c - one known stream of bytes. */
#include <sys/socket.h>

#include "lib/peer.h"
#include "lib/stream.h"

#define STREAM_SEED 7

uint64_t
stream_pour(int fd, uint64_t offset, uint64_t n)
{
	static uint8_t p[65536];
	uint64_t done = 0;

	while (done < n) {
		struct peer_data data = { .seed = STREAM_SEED,
			.at = offset + done };
		size_t part = n - done < sizeof(p) ? n - done : sizeof(p);
		ssize_t k;

		peer_data_make(&data, p, part);
		k = send(fd, p, part, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k == -1)
			break;
		done += (uint64_t)k;
	}
	return done;
}

uint64_t
stream_drink(int fd, uint64_t offset, uint64_t n)
{
	static uint8_t p[65536];
	uint64_t done = 0;

	while (done < n) {
		size_t part = n - done < sizeof(p) ? n - done : sizeof(p);
		ssize_t k = recv(fd, p, part, MSG_DONTWAIT);

		if (k <= 0)
			break;
		stream_check(offset + done, p, (uint64_t)k);
		done += (uint64_t)k;
	}
	return done;
}

void
stream_check(uint64_t offset, const void *p, uint64_t n)
{
	struct peer_data data = { .seed = STREAM_SEED, .at = offset };

	peer_data_check(&data, p, n);
}
