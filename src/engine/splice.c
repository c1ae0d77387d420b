/* splice.c - bytes of a flow that nobody looks at, past us: splice(2).
 *
 * A pipe is read into only when it is empty.  So EAGAIN says that the socket is
 * empty; but a short read does not, since small segments fill the slots of a
 * pipe long before its bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "engine/aside.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/hold.h"
#include "engine/pipe.h"
#include "engine/splice.h"
#include "engine/stage.h"

#define BIG_BYTES   16384 /* reads like that are worth two system calls */
#define BIG_READS   2	  /* so many in a row, and it splices */
#define TURN_BYTES  (4 * 1024 * 1024) /* of which each may have a lot */
#define SMALL_BYTES 4096
#define SMALL_READS 3 /* so many in a row, and it copies again */

bool splice_dices;

/* How many bytes may pass before somebody looks again; 0: somebody does. */
static uint64_t
splice_room(const struct weir_channel *ch, enum weir_dir dir)
{
	const struct flow *fl = &ch->flows[dir];

	if (fl->active == 0)
		return UINT64_MAX;
	if ((fl->active & ~fl->skipping) != 0 ||
		(chain_barred(ch, dir) & fl->active) != 0)
		return 0;
	return hold_skip_left(ch, dir, fl->active);
}

bool
splice_is_due(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	int how = ch->engine->server->splice;

	if (how == CONF_SPLICE_OFF || ch->state != CHANNEL_JOINED ||
		fl->state != FLOW_OPEN || fl->held != 0 ||
		(dir == WEIR_UP && ch->served) || aside_cut(ch, dir) != 0)
		return false;
	if (splice_dices)
		fl->splices = random() & 1;
	else if (how == CONF_SPLICE_ON)
		fl->splices = true;
	/* splice(2) does not get past an urgent byte. */
	if (!fl->splices || fl->recv_next || fl->recv_only ||
		(channel_source(ch, dir)->mask & ENDPOINT_PRI) ||
		splice_room(ch, dir) == 0)
		return false;
	fl->pipe = pipes_take(&ch->engine->loop->pipes);
	return fl->pipe != NULL;
}

/* Is this no error of the socket, but of this way to read it? */
static bool
splice_is_refused(int err)
{
	return err == EINVAL || err == ENOSYS || err == EBADF || err == ESPIPE;
}

/* Books n bytes that have passed those who skip. */
static void
splice_pass(struct weir_channel *ch, enum weir_dir dir, size_t n)
{
	uint64_t left = ch->flows[dir].active;

	for (; left != 0; left &= left - 1)
		hold_skipped(ch, dir, (unsigned)__builtin_ctzll(left), n);
}

static void
splice_judge(struct flow *fl, size_t n)
{
	fl->streak = n < SMALL_BYTES ? (uint8_t)(fl->streak + 1) : 0;
	if (fl->streak < SMALL_READS)
		return;
	fl->splices = false;
	fl->streak = 0;
}

ssize_t
splice_read(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	uint64_t room = splice_room(ch, dir);
	ssize_t got;

	/* Many at once get what a read may have: a turn is to end. */
	if (ch->engine->loop->turn_bytes > TURN_BYTES &&
		room > ch->engine->server->read_max)
		room = ch->engine->server->read_max;
	if (room > fl->pipe->size)
		room = fl->pipe->size;
	got = splice(channel_source(ch, dir)->fd, NULL, fl->pipe->to, NULL,
		(size_t)room, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (got > 0) {
		fl->pipe->len = (size_t)got;
		ch->engine->loop->spliced_bytes += (uint64_t)got;
		ch->engine->loop->turn_bytes += (size_t)got;
		weir_cell_add(&ch->engine->moved->spliced[dir], (uint64_t)got);
		splice_judge(fl, (size_t)got);
		splice_pass(ch, dir, (size_t)got);
		return got;
	}
	if (got == 0 || splice_is_refused(errno)) {
		/* An end, or no socket for it: recv knows. */
		fl->recv_next = true;
		fl->recv_only = got != 0;
		got = 0;
	}
	splice_drop(ch, dir);
	return got;
}

ssize_t
splice_write(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	ssize_t n = splice(fl->pipe->from, NULL, channel_sink(ch, dir)->fd,
		NULL, fl->pipe->len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n <= 0)
		return n;
	fl->pipe->len -= (size_t)n;
	if (fl->pipe->len == 0)
		splice_drop(ch, dir);
	return n;
}

void
splice_watch(struct weir_channel *ch, enum weir_dir dir, size_t n)
{
	struct flow *fl = &ch->flows[dir];

	ch->engine->loop->copied_bytes += n;
	weir_cell_add(&ch->engine->moved->copied[dir], n);
	fl->recv_next = false;
	if (n < BIG_BYTES) {
		fl->streak = 0;
	} else if (++fl->streak >= BIG_READS) {
		fl->splices = true;
		fl->streak = 0;
	}
}

void
splice_drop(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	int err = errno;

	if (fl->pipe == NULL)
		return;
	pipes_give(&ch->engine->loop->pipes, fl->pipe);
	fl->pipe = NULL;
	errno = err; /* of the splice that has failed */
}
