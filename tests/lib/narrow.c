/* narrow.c - a pair whose sockets take little. */
#include <sys/socket.h>

#include "lib/narrow.h"
#include "lib/pair.h"
#include "lib/stream.h"

#define NARROW	 8192	/* bytes of a buffer */
#define WIDE	 200000 /* what anybody may ask for */
#define AT_ONCE	 1000000
#define STILL_IS 20 /* turns in which nothing moves */

static void
set_buffers(int fd, int bytes)
{
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)),
		0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
		0);
}

void
narrow_join(void)
{
	rig.client_rcvbuf = rig.front_sndbuf = NARROW;
	set_buffers(listener, NARROW);
	pair_join();
	set_buffers(rig_channel(&rig)->ends[WEIR_BACKEND].fd, NARROW);
}

uint64_t
narrow_block(int from, enum weir_dir dir)
{
	uint64_t sent = 0, n;
	int still = 0;

	while (still < STILL_IS) {
		n = stream_pour(from, sent, AT_ONCE);
		sent += n;
		still = n == 0 && !rig_channel(&rig)->queued ? still + 1 : 0;
		rig_turn(&rig);
	}
	assert_non_null(pair_flow(dir)->pipe);
	assert_true(pair_flow(dir)->pipe->len > 0);
	return sent;
}

void
narrow_widen(int to, enum weir_dir dir)
{
	set_buffers(to, WIDE);
	set_buffers(rig_channel(&rig)->ends[!dir].fd, WIDE);
}
