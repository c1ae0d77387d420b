/* siphash.c - a hash of keys that strangers choose. */
#include <endian.h>
#include <string.h>

#include "shm/siphash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

/* Less than 8 bytes, the first the least. */
static uint64_t
word_of(const uint8_t *p, size_t n)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < n; i++)
		word |= (uint64_t)p[i] << 8 * i;
	return word;
}

uint64_t
siphash(const uint64_t secret[2], const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	struct sip s = { .v0 = 0x736f6d6570736575ull ^ secret[0],
		.v1 = 0x646f72616e646f6dull ^ secret[1],
		.v2 = 0x6c7967656e657261ull ^ secret[0],
		.v3 = 0x7465646279746573ull ^ secret[1] };
	size_t left = n;
	uint64_t word;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, sizeof(word));
		sip_word(&s, le64toh(word));
	}
	sip_word(&s, word_of(p, left) | (uint64_t)n << 56);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
