/* board.c - what each worker of a generation says of itself. */
#include <sys/mman.h>

#include "base/board.h"

#define AHEAD_PART   16 /* of the mean, above which one is ahead */
#define UNEVEN_LEAST 10 /* channels between two that nobody minds */

int
board_init(struct board *b, unsigned n)
{
	void *p = mmap(NULL, n * sizeof(*b->lines), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	b->lines = p;
	b->n = n;
	return 0;
}

void
board_done(struct board *b)
{
	if (b->lines != NULL)
		munmap(b->lines, b->n * sizeof(*b->lines));
	*b = (struct board){ .lines = NULL };
}

void
board_clear(struct board *b, unsigned slot)
{
	struct board_line *line = &b->lines[slot];

	line->serves = line->told = false;
	line->channels = 0;
	line->oldest_ms = 0;
}

void
board_bytes(const struct board *b, uint64_t *copied, uint64_t *spliced)
{
	unsigned i;

	*copied = *spliced = 0;
	for (i = 0; i < b->n; i++) {
		*copied += b->lines[i].copied_bytes;
		*spliced += b->lines[i].spliced_bytes;
	}
}

uint64_t
board_total(const struct board *b)
{
	uint64_t total = 0;
	unsigned i;

	for (i = 0; i < b->n; i++)
		total += b->lines[i].channels;
	return total;
}

uint64_t
board_oldest(const struct board *b)
{
	uint64_t oldest_ms = 0;
	unsigned i;

	for (i = 0; i < b->n; i++) {
		uint64_t ms = b->lines[i].oldest_ms;

		if (ms != 0 && (oldest_ms == 0 || ms < oldest_ms))
			oldest_ms = ms;
	}
	return oldest_ms;
}

void
board_look(const struct board *b, struct board_spread *s)
{
	unsigned i;

	*s = (struct board_spread){ .least = UINT32_MAX };
	for (i = 0; i < b->n; i++) {
		const struct board_line *line = &b->lines[i];
		uint32_t channels = line->channels;

		if (!line->serves)
			continue;
		s->n++;
		s->total += channels;
		if (channels < s->least) {
			s->least = channels;
			s->least_slot = i;
		}
		if (channels >= s->most) {
			s->most = channels;
			s->most_slot = i;
		}
	}
}

/* What is left of the accepts of that line. */
static uint32_t
line_accepts(const struct board_line *line, uint64_t now_ms)
{
	uint64_t since_ms = line->accepts_ms;
	uint64_t seconds = now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0;

	return seconds < 32 ? line->accepts >> seconds : 0;
}

void
board_accepted(struct board_line *line, uint64_t now_ms)
{
	uint32_t left = line_accepts(line, now_ms);

	/* The part of a second that is left over is kept. */
	if (now_ms - line->accepts_ms >= 1000)
		line->accepts_ms = now_ms - (now_ms - line->accepts_ms) % 1000;
	if (left < UINT32_MAX - BOARD_ACCEPT)
		left += BOARD_ACCEPT;
	line->accepts = left;
}

bool
board_is_ahead(const struct board *b, unsigned slot, struct board_watch *w,
	uint64_t now_ms)
{
	uint64_t channels = 0, accepts = 0;
	const struct board_line *own = &b->lines[slot];
	unsigned n = 0, i;

	for (i = 0; i < b->n; i++) {
		const struct board_line *line = &b->lines[i];

		w[i].hangs = w[i].hangs && line->turns == w[i].turns;
		if (!line->serves || w[i].hangs)
			continue;
		n++;
		channels += line->channels;
		accepts += line_accepts(line, now_ms);
	}
	return (uint64_t)own->channels * n * AHEAD_PART >
		       channels * (AHEAD_PART + 1) &&
	       (uint64_t)line_accepts(own, now_ms) * n >= accepts;
}

void
board_watch(const struct board *b, struct board_watch *w)
{
	unsigned i;

	for (i = 0; i < b->n; i++)
		if (!w[i].hangs)
			w[i].turns = b->lines[i].turns;
}

void
board_blame(const struct board *b, struct board_watch *w)
{
	unsigned i;

	for (i = 0; i < b->n; i++)
		w[i].hangs = b->lines[i].serves;
}

bool
board_is_uneven(const struct board_spread *s)
{
	return s->n > 1 && s->most - s->least > UNEVEN_LEAST &&
	       s->most * 2 > s->least * 3;
}
