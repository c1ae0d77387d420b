/* counters.c - series of 64-bit figures in the segment.
 *
 * Cells come in chunks, one extent each, which a process takes when it first
 * counts there.  Only the process that has a place writes its chunks; the next
 * one at that place goes on with them. */
#include <bsd/string.h>
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "shm/counters.h"
#include "shm/crash.h"
#include "shm/owner.h"

#define ZONE_NAME   "/counters"
#define ZONE_LAYOUT 1
#define CELLS	    ((SHM_EXTENT - 64) / sizeof(uint64_t)) /* of a chunk */

/* An entry of the directory. */
struct series {
	uint32_t size;	/* with the texts, in whole 8 bytes */
	uint32_t first; /* cell */
	uint16_t n;
	uint8_t kind;
	uint8_t nlabels;
	char texts[]; /* family, labels, each with its NUL */
};

/* The master alone writes it. */
struct directory {
	_Atomic uint32_t used; /* bytes, of series that are whole */
	uint32_t next;	       /* cell that is nobody's yet */
	alignas(8) uint8_t series[];
};

struct chunk {
	alignas(64) _Atomic uint64_t owner; /* who has made its gauges valid */
	_Atomic uint32_t number;	    /* + 1; 0: none yet */
	alignas(64) _Atomic uint64_t cells[CELLS];
};
_Static_assert(sizeof(struct chunk) == SHM_EXTENT, "a chunk is an extent");
_Static_assert(OWNERS == WEIR_PROCESSES, "each has its place");
_Static_assert(WEIR_SERIES_MOST <= CELLS, "a series is in one chunk");

static void counters_learn(struct weir_counters *);
static int series_store(struct weir_counters *, const struct weir_series *);

int
counters_init(struct weir_counters *c, struct shm *shm)
{
	bool fresh;

	*c = (struct weir_counters){ .shm = shm };
	c->zone = shm_zone_open(
		shm, ZONE_NAME, ZONE_LAYOUT, COUNTERS_DIRECTORY, &fresh);
	if (c->zone == NULL)
		return -1;
	c->directory = shm_zone_data(shm, c->zone);
	counters_learn(c);
	return 0;
}

void
counters_done(struct weir_counters *c)
{
	free(c->all);
	free(c->index);
	free(c->others);
	*c = (struct weir_counters){ .shm = NULL };
}

/* ---- the directory ------------------------------------------------------- */

/* The texts of a series one behind the other, as the directory has them; how
 * many bytes, or 0 when they do not fit. */
static size_t
series_texts(const struct weir_series *s, char *texts, size_t size,
	unsigned *nlabels)
{
	size_t len = strlcpy(texts, s->family, size) + 1;

	*nlabels = 0;
	while (len <= size && *nlabels < WEIR_LABELS &&
		s->labels[*nlabels] != NULL)
		len += strlcpy(texts + len, s->labels[(*nlabels)++],
			       size - len) +
		       1;
	return len <= size ? len : 0;
}

static uint64_t
texts_hash(const char *texts, size_t len)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a: no stranger's keys */

	while (len-- > 0)
		hash = (hash ^ (uint8_t)*texts++) * 1099511628211u;
	return hash ^ hash >> 32;
}

/* How many bytes its texts have. */
static size_t
series_len(const struct series *s)
{
	size_t len = 0;
	int i;

	for (i = 0; i <= s->nlabels; i++)
		len += strlen(s->texts + len) + 1;
	return len;
}

static void
index_put(struct weir_counters *c, uint32_t number)
{
	const struct series *s = c->all[number];
	uint64_t at = texts_hash(s->texts, series_len(s));

	while (c->index[at & (c->nindex - 1)] != 0)
		at++;
	c->index[at & (c->nindex - 1)] = number + 1;
}

/* Makes room for one more that is known; -1 with ENOMEM. */
static int
counters_grow(struct weir_counters *c)
{
	unsigned room = c->room == 0 ? 256 : 2 * c->room, i;
	const struct series **all;
	uint32_t *index;

	if (c->n < c->room)
		return 0;
	all = reallocarray(c->all, room, sizeof(const struct series *));
	if (all == NULL)
		return -1;
	c->all = all;
	index = calloc(2 * (size_t)room, sizeof(*index));
	if (index == NULL)
		return -1;
	free(c->index);
	c->index = index;
	c->nindex = 2 * room;
	c->room = room;
	for (i = 0; i < c->n; i++)
		index_put(c, i);
	return 0;
}

/* Gets to know what the master has added. */
static void
counters_learn(struct weir_counters *c)
{
	uint32_t used =
		atomic_load_explicit(&c->directory->used, memory_order_acquire);

	while (c->seen < used && counters_grow(c) == 0) {
		const struct series *s =
			(const void *)(c->directory->series + c->seen);

		c->all[c->n] = s;
		index_put(c, c->n++);
		c->seen += s->size;
	}
}

/* The number of the series of these texts; -1: there is none. */
static int
texts_find(const struct weir_counters *c, const char *texts, size_t len,
	unsigned nlabels)
{
	uint64_t at = texts_hash(texts, len);
	uint32_t number;

	for (; c->nindex != 0 && (number = c->index[at & (c->nindex - 1)]) != 0;
		at++) {
		const struct series *s = c->all[number - 1];

		if (s->nlabels == nlabels && series_len(s) == len &&
			memcmp(s->texts, texts, len) == 0)
			return (int)number - 1;
	}
	return -1;
}

int
weir_series_find(const struct weir_counters *c, const struct weir_series *s)
{
	char texts[1024];
	unsigned nlabels;
	size_t len = series_texts(s, texts, sizeof(texts), &nlabels);
	int number = len == 0 ? -1 : texts_find(c, texts, len, nlabels);

	if (number == -1)
		errno = ENOENT;
	return number;
}

int
weir_series_add(struct weir_counters *c, const struct weir_series *s)
{
	const struct series *there;
	int number;

	counters_learn(c);
	number = weir_series_find(c, s);
	if (number == -1)
		return series_store(c, s);
	there = c->all[number];
	if (there->kind == s->kind && there->n == s->n)
		return number;
	log_error("counters: %s \"%s\" has been counted in another way since "
		  "weir "
		  "was started: restart it",
		s->family, s->labels[0] == NULL ? "" : s->labels[0]);
	errno = EINVAL;
	return -1;
}

static int
series_full(const struct weir_counters *c, const struct weir_series *s)
{
	log_error("counters: there is no room for %s \"%s\": since weir was "
		  "started, %u series have been counted; a restart forgets "
		  "those that the configuration has no more",
		s->family, s->labels[0] == NULL ? "" : s->labels[0], c->n);
	errno = ENOSPC;
	return -1;
}

static int
series_store(struct weir_counters *c, const struct weir_series *s)
{
	struct directory *d = c->directory;
	size_t room = COUNTERS_DIRECTORY - sizeof(*d) - d->used, len, size;
	uint32_t first = d->next;
	unsigned nlabels;
	struct series *to = (void *)(d->series + d->used);

	if (s->n == 0 || s->n > WEIR_SERIES_MOST) {
		errno = EINVAL;
		return -1;
	}
	if (first % CELLS + s->n > CELLS)
		first += (uint32_t)(CELLS - first % CELLS);
	len = room <= sizeof(*to) ? 0
				  : series_texts(s, to->texts,
					    room - sizeof(*to), &nlabels);
	size = (sizeof(*to) + len + 7) & ~(size_t)7;
	if (len == 0 || size > room || first + s->n > COUNTERS_CHUNKS * CELLS)
		return series_full(c, s);
	to->size = (uint32_t)size;
	to->first = first;
	to->n = (uint16_t)s->n;
	to->kind = (uint8_t)s->kind;
	to->nlabels = (uint8_t)nlabels;
	d->next = first + s->n;
	atomic_store_explicit(
		&d->used, d->used + (uint32_t)size, memory_order_release);
	counters_learn(c);
	if (c->seen == d->used)
		return (int)c->n - 1;
	errno = ENOMEM;
	return -1;
}

bool
weir_series_get(
	const struct weir_counters *c, unsigned i, struct weir_series *series)
{
	const struct series *s;
	const char *text;
	int label;

	if (i >= c->n)
		return false;
	s = c->all[i];
	*series = (struct weir_series){ .family = s->texts,
		.kind = (enum weir_counter_kind)s->kind,
		.n = s->n };
	text = s->texts;
	for (label = 0; label < s->nlabels; label++)
		series->labels[label] = text += strlen(text) + 1;
	return true;
}

/* ---- cells of this process ----------------------------------------------- */

/* Who owns the chunks of the process with that id. */
static uint32_t
counters_owner(const struct weir_counters *c, uint64_t id)
{
	return SHM_OWNER(shm_zone_index(c->shm, c->zone), owner_place(id));
}

void
counters_own(struct weir_counters *c, uint64_t me)
{
	uint32_t owner = counters_owner(c, me), at = 0;
	unsigned i;

	counters_learn(c);
	c->me = me;
	c->spare = 0;
	memset(c->own, 0, sizeof(c->own));
	while ((at = shm_next(c->shm, owner, at)) != 0) {
		const struct chunk *chunk = shm_extent(c->shm, at);

		if (!shm_back(c->shm, at)) {
			shm_give(c->shm, at);
			continue;
		}
		if (chunk->number == 0)
			c->spare = at;
		else
			c->own[chunk->number - 1] = at;
	}
	for (i = 0; i < c->n; i++) {
		const struct series *s = c->all[i];
		struct chunk *chunk;

		at = c->own[s->first / CELLS];
		if (s->kind != WEIR_COUNTER_GAUGE || at == 0)
			continue;
		chunk = shm_extent(c->shm, at);
		memset((void *)&chunk->cells[s->first % CELLS], 0,
			s->n * sizeof(uint64_t));
		shm_crash();
	}
	/* Not before they are zeros. */
	for (i = 0; i < COUNTERS_CHUNKS; i++) {
		if (c->own[i] == 0)
			continue;
		atomic_store_explicit(
			&((struct chunk *)shm_extent(c->shm, c->own[i]))->owner,
			me, memory_order_release);
		shm_crash();
	}
}

_Atomic uint64_t *
weir_series_cells(struct weir_counters *c, int series)
{
	const struct series *s;
	struct chunk *chunk;
	uint32_t number, at;

	if (c->me == 0 || series < 0 || (unsigned)series >= c->n) {
		errno = EINVAL;
		return NULL;
	}
	s = c->all[series];
	number = (uint32_t)(s->first / CELLS);
	at = c->own[number];
	if (at == 0) {
		at = c->spare != 0 ? c->spare
				   : shm_take(c->shm, counters_owner(c, c->me));
		if (at == 0) {
			log_error("counters: there is no memory for the "
				  "figures of this process: process.shm_max is "
				  "used up");
			errno = ENOSPC;
			return NULL;
		}
		c->spare = 0;
		c->own[number] = at;
		shm_crash();
		chunk = shm_extent(c->shm, at);
		chunk->owner = c->me;
		shm_crash();
		atomic_store_explicit(
			&chunk->number, number + 1, memory_order_release);
	}
	chunk = shm_extent(c->shm, at);
	return &chunk->cells[s->first % CELLS];
}

/* ---- reading ------------------------------------------------------------- */

/* The number of the chunk in that extent, + 1; 0: there is none. */
static uint32_t
chunk_number(const struct weir_counters *c, uint32_t extent)
{
	uint32_t owner = shm_whose(c->shm, extent);
	uint32_t first = SHM_OWNER(shm_zone_index(c->shm, c->zone), 0);

	if (owner < first || owner >= first + OWNERS)
		return 0;
	return atomic_load_explicit(
		&((struct chunk *)shm_extent(c->shm, extent))->number,
		memory_order_acquire);
}

void
weir_counters_look(struct weir_counters *c)
{
	uint32_t most = shm_extents(c->shm), at, n = 0, i, *found, *sorted;

	counters_learn(c);
	found = calloc(most, 2 * sizeof(*found));
	sorted = calloc(most, sizeof(*sorted));
	if (found == NULL || sorted == NULL) {
		free(found);
		free(sorted);
		return;
	}
	memset(c->first, 0, sizeof(c->first));
	/* Those that come meanwhile are seen the next time. */
	for (at = 1; at < most; at++) {
		uint32_t number = chunk_number(c, at);

		if (number == 0)
			continue;
		found[2 * n] = at;
		found[2 * n++ + 1] = number;
		c->first[number]++;
	}
	for (i = 1; i < COUNTERS_CHUNKS + 2; i++)
		c->first[i] += c->first[i - 1];
	for (i = n; i-- > 0;)
		sorted[--c->first[found[2 * i + 1]]] = found[2 * i];
	free(found);
	free(c->others);
	c->others = sorted;
}

const _Atomic uint64_t *
weir_series_next(const struct weir_counters *c, int series, unsigned *at,
	unsigned *process, bool *lives)
{
	const struct series *s = c->all[series];
	uint32_t number = (uint32_t)(s->first / CELLS) + 1;
	const struct chunk *chunk;
	uint64_t owner;

	if (c->others == NULL || *at >= c->first[number + 1] - c->first[number])
		return NULL;
	chunk = shm_extent(c->shm, c->others[c->first[number] + (*at)++]);
	owner = atomic_load_explicit(&chunk->owner, memory_order_acquire);
	*process = owner_place(owner);
	*lives = owner_lives(shm_owners(c->shm), owner);
	return &chunk->cells[s->first % CELLS];
}

void
weir_series_read(const struct weir_counters *c, int series, uint64_t *figures)
{
	const struct series *s = c->all[series];
	const _Atomic uint64_t *cells;
	unsigned at = 0, process, i;
	bool lives;

	memset(figures, 0, s->n * sizeof(*figures));
	while ((cells = weir_series_next(c, series, &at, &process, &lives)) !=
		NULL) {
		if (s->kind == WEIR_COUNTER_GAUGE && !lives)
			continue;
		for (i = 0; i < s->n; i++) {
			uint64_t now = atomic_load_explicit(
				&cells[i], memory_order_relaxed);

			if (s->kind != WEIR_COUNTER_PEAK)
				figures[i] += now;
			else if (now > figures[i])
				figures[i] = now;
		}
	}
}
