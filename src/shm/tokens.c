/* tokens.c - what was taken out of a bucket.
 *
 * What is kept is what has been used and has not come again: zeros are a bucket
 * that is full, whatever its size is, now or after a reload. */
#include <stdatomic.h>

#include "shm/crash.h"
#include "shm/tokens.h"

#define SLICE_MS 50 /* what one books at once comes in that, at most */

/* Thousandths that come in ms. */
static double
bucket_comes(const struct weir_bucket *b, uint64_t ms)
{
	return (double)ms * (double)b->rate * 1000 / b->per_ms;
}

/* How long it takes until so many thousandths have come. */
static uint64_t
bucket_takes(const struct weir_bucket *b, uint64_t lack)
{
	double ms;

	if (b->rate == 0)
		return UINT64_MAX;
	ms = (double)lack * b->per_ms / ((double)b->rate * 1000);
	return ms < 1e15 ? (uint64_t)(ms + 0.999999) : UINT64_MAX;
}

uint64_t
tokens_used(const struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t now_ms)
{
	uint64_t ms = now_ms > tokens->at_ms ? now_ms - tokens->at_ms : 0;
	double came = bucket_comes(b, ms);

	return came < (double)tokens->used ? tokens->used - (uint64_t)came : 0;
}

/* In that order: who dies between has lost tokens, not got any. */
static void
tokens_take(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t used, uint64_t now_ms)
{
	tokens->last = *b;
	if (tokens->at_ms < now_ms)
		tokens->at_ms = now_ms;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	tokens->used = used;
}

bool
weir_tokens_draw(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t n, uint64_t now_ms, uint64_t *wait_ms)
{
	uint64_t used = tokens_used(tokens, b, now_ms), most;

	if (n > b->burst) {
		if (wait_ms != NULL)
			*wait_ms = UINT64_MAX;
		return false;
	}
	most = (b->burst - n) * 1000;
	if (used > most) {
		if (wait_ms != NULL)
			*wait_ms = bucket_takes(b, used - most);
		return false;
	}
	tokens_take(tokens, b, used + n * 1000, now_ms);
	return true;
}

/* How many of those that have not come one may book, when so many thousandths
 * are booked already.  All who wait see about the same; so they get the same.
 */
static uint64_t
bucket_share(const struct weir_bucket *b, uint64_t late)
{
	double slice = bucket_comes(b, SLICE_MS) / 1000, share;

	share = slice * slice / (slice + (double)late / 1000);
	return share > 1 ? (uint64_t)share : 1;
}

uint64_t
weir_tokens_book(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t *n, uint64_t now_ms)
{
	uint64_t used = tokens_used(tokens, b, now_ms), full = b->burst * 1000;
	uint64_t here = used < full ? (full - used) / 1000 : 0, share;

	share = bucket_share(b, used > full ? used - full : 0);
	if (share < here)
		share = here;
	if (*n > share)
		*n = share;
	used += *n * 1000;
	tokens_take(tokens, b, used, now_ms);
	return used > full ? bucket_takes(b, used - full) : 0;
}

/* More than twice the bucket is too long to be waited for; who has booked more
 * than that waits already. */
void
tokens_lose(struct weir_tokens *tokens, const struct weir_bucket *b, uint64_t n,
	uint64_t now_ms)
{
	uint64_t used = tokens_used(tokens, b, now_ms);
	uint64_t most = b->burst * 2 * 1000;

	if (most < used)
		most = used;
	if (n > (most - used) / 1000)
		n = (most - used) / 1000;
	tokens_take(tokens, &tokens->last, used + n * 1000, now_ms);
}

void
tokens_bound(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t now_ms)
{
	uint64_t used;

	if (tokens->used == 0 || tokens->last.per_ms != 0 ||
		b->burst > UINT64_MAX / 2000)
		return;
	used = tokens_used(tokens, b, now_ms);
	if (used > b->burst * 2 * 1000)
		tokens_take(tokens, b, b->burst * 2 * 1000, now_ms);
}

uint64_t
tokens_left(const struct weir_tokens *tokens, struct weir_bucket own,
	uint64_t now_ms)
{
	uint64_t used;

	if (tokens->last.per_ms != 0)
		own = tokens->last;
	used = tokens_used(tokens, &own, now_ms);
	return used < own.burst * 1000 ? own.burst - (used + 999) / 1000 : 0;
}
