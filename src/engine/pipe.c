/* pipe.c - pipes that splice(2) needs: a pool, bounded, of empty ones. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/pipe.h"

#define PIPE_BIG      (1024 * 1024) /* what anybody may ask for (pipe(7)) */
#define PIPE_LEAST    (64 * 1024)   /* below that, copying is cheaper */
#define PIPES_BIG     8 /* not more, for all pipes of a user share a limit */
#define PIPES_KEPT    PIPES_BIG
#define PIPE_RETRY_MS 1000

static void
pipe_close(struct pipes *ps, struct pipe *p)
{
	close(p->from);
	close(p->to);
	free(p);
	ps->open--;
}

/* Who has too many pipes gets small ones (pipe(7), pipe-user-pages-soft). */
static struct pipe *
pipe_new(struct pipes *ps)
{
	struct pipe *p = malloc(sizeof(*p));
	int fds[2], size = -1;

	if (p == NULL)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1) {
		free(p);
		return NULL;
	}
	if (ps->open < PIPES_BIG)
		size = fcntl(fds[1], F_SETPIPE_SZ, PIPE_BIG);
	if (size == -1)
		size = fcntl(fds[1], F_GETPIPE_SZ);
	*p = (struct pipe){ .from = fds[0],
		.to = fds[1],
		.size = size < 0 ? 0 : (size_t)size };
	ps->open++;
	if (p->size >= PIPE_LEAST)
		return p;
	pipe_close(ps, p);
	return NULL;
}

struct pipe *
pipes_take(struct pipes *ps)
{
	struct pipe *p = ps->empty;

	if (p != NULL) {
		ps->empty = p->next;
		if (--ps->kept < ps->least)
			ps->least = ps->kept;
		return p;
	}
	if (ps->open >= ps->most || clock_ms() < ps->retry_ms)
		return NULL;
	p = pipe_new(ps);
	if (p == NULL)
		ps->retry_ms = clock_ms() + PIPE_RETRY_MS;
	return p;
}

void
pipes_give(struct pipes *ps, struct pipe *p)
{
	/* What is left in it would come out in another channel. */
	if (p->len > 0 || ps->kept >= PIPES_KEPT) {
		pipe_close(ps, p);
		return;
	}
	p->next = ps->empty;
	ps->empty = p;
	ps->kept++;
}

bool
pipes_trim(struct pipes *ps)
{
	struct pipe *p;

	for (; ps->least > 0; ps->least--) {
		p = ps->empty;
		ps->empty = p->next;
		ps->kept--;
		pipe_close(ps, p);
	}
	ps->least = ps->kept;
	return ps->kept > 0;
}

void
pipes_done(struct pipes *ps)
{
	ps->least = ps->kept;
	pipes_trim(ps);
}
