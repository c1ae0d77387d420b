/* killing.c - one channel that somebody ends by hand. */
#include <errno.h>
#include <stdlib.h>

#include "engine/channel.h"
#include "engine/engine.h"
#include "worker/ask.h"

struct killing {
	struct ask ask; /* first */
	uint64_t id;
	struct cursor cursor;
};

static enum ask_turn
killing_turn(struct ask *a, struct packet *out)
{
	struct killing *k = (struct killing *)a;
	struct weir_channel *ch;
	unsigned i;

	if (k->cursor.loop == NULL)
		cursor_begin(&k->cursor, a->loop);
	for (i = 0; i < ASK_LOOKS; i++) {
		ch = cursor_next(&k->cursor);
		if (ch == NULL) {
			ask_say(a, out, ENOENT, 0);
			return ASK_IS_DONE;
		}
		if (ch->id != k->id)
			continue;
		channel_close(ch, WEIR_R_KILLED, WEIR_SELF, 0, ENDING_RESET);
		/* Its sockets may be closed already, but a middleware waits. */
		channel_hurry(ch);
		ask_say(a, out, 0, 1);
		return ASK_IS_DONE;
	}
	return ASK_GOES_ON;
}

static void
killing_end(struct ask *a)
{
	struct killing *k = (struct killing *)a;

	cursor_end(&k->cursor);
	free(k);
}

struct ask *
killing_new(const struct link_name *q)
{
	struct killing *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->ask.turn = killing_turn;
	k->ask.end = killing_end;
	k->id = q->id;
	return &k->ask;
}
