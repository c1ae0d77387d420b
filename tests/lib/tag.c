/* tag.c - streams of bytes that name their connection. */
#include <string.h>

#include "lib/tag.h"

#define TAG_WORD  sizeof(uint64_t)
#define TAG_WORDS 0x10000000u /* more than any connection of a test sends */

static uint64_t tag_mix(uint64_t z);
static uint64_t tag_unmix(uint64_t z);

void
tag_make(uint64_t key, uint32_t id, uint64_t at, void *p, size_t n)
{
	uint8_t *to = p;
	size_t skip, part;
	uint64_t word;

	for (; n > 0; n -= part, to += part, at += part) {
		word = tag_mix(((uint64_t)id << 32 | at / TAG_WORD) ^ key);
		skip = at % TAG_WORD;
		part = TAG_WORD - skip < n ? TAG_WORD - skip : n;
		memcpy(to, (const uint8_t *)&word + skip, part);
	}
}

size_t
tag_same(uint64_t key, uint32_t id, uint64_t at, const void *p, size_t n)
{
	const uint8_t *got = p;
	uint8_t want[4096];
	size_t done, part, i;

	for (done = 0; done < n; done += part) {
		part = n - done < sizeof(want) ? n - done : sizeof(want);
		tag_make(key, id, at + done, want, part);
		if (memcmp(want, got + done, part) == 0)
			continue;
		for (i = 0; want[i] == got[done + i];)
			i++;
		return done + i;
	}
	return n;
}

bool
tag_find(uint64_t key, const void *p, size_t n, uint32_t ids, uint32_t *id,
	uint64_t *at)
{
	const uint8_t *from = p;
	uint64_t word;
	size_t i;

	/* They may begin anywhere in a word. */
	for (i = 0; i < TAG_WORD && i + TAG_WORD <= n; i++) {
		memcpy(&word, from + i, TAG_WORD);
		word = tag_unmix(word) ^ key;
		if (word >> 32 >= ids || (uint32_t)word >= TAG_WORDS ||
			(uint32_t)word * TAG_WORD < i)
			continue;
		*id = (uint32_t)(word >> 32);
		*at = (uint32_t)word * TAG_WORD - i;
		if (tag_same(key, *id, *at, p, i + TAG_WORD) == i + TAG_WORD)
			return true;
	}
	return false;
}

/* The end of splitmix64: each word becomes another one. */
static uint64_t
tag_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The factors are the inverses of those above, modulo 2^64. */
static uint64_t
tag_unmix(uint64_t z)
{
	z = (z ^ (z >> 31) ^ (z >> 62)) * UINT64_C(0x319642b2d24d8ec3);
	z = (z ^ (z >> 27) ^ (z >> 54)) * UINT64_C(0x96de1b173f119089);
	return z ^ (z >> 30) ^ (z >> 60);
}
