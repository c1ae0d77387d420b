/* pair.c - a rig with one client and one backend. */
#include <stddef.h>

#include "lib/mode.h"
#include "lib/pair.h"
#include "lib/stream.h"

struct rig rig;
struct rig_dial dial;
int listener, client, server;

int
pair_start(void **state)
{
	mode_start(state);
	client = server = -1;
	dial = (struct rig_dial){ .n = 1 };
	listener = rig_backend(&dial.to[0]);
	rig_init(&rig);
	return 0;
}

int
pair_stop(void **state)
{
	mode_end(state);
	rig_close(&client);
	rig_close(&server);
	rig_stop(&rig);
	rig_close(&listener);
	return 0;
}

void
pair_join(void)
{
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
}

struct flow *
pair_flow(enum weir_dir dir)
{
	return &rig_channel(&rig)->flows[dir];
}

void
pair_carry(int from, int to, uint64_t offset, uint64_t n)
{
	uint64_t sent = 0, got = 0;
	int left = RIG_TURNS;

	while (got < n && left-- > 0) {
		uint64_t came;

		sent += stream_pour(from, offset + sent, n - sent);
		came = stream_drink(to, offset + got, n - got);
		got += came;
		if (came > 0)
			left = RIG_TURNS;
		else
			rig_turn_wait(&rig);
	}
	assert_int_equal(got, n);
}
