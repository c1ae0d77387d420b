/* pair.c - a rig with one client and one backend. */
#include <stddef.h>

#include "lib/mode.h"
#include "lib/pair.h"

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
