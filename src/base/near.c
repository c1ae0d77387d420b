/* near.c - the known word that was probably meant. */
#include <string.h>

#include "base/near.h"

#define NEAR_MAX 64 /* longer words are never near */

static size_t distance(const char *a, const char *b);
static size_t least(size_t a, size_t b, size_t c);

void
near_try(struct near *n, const char *candidate)
{
	size_t limit = strnlen(n->word, NEAR_MAX) / 3 + 1, d;

	if (strnlen(n->word, NEAR_MAX) == NEAR_MAX ||
		strnlen(candidate, NEAR_MAX) == NEAR_MAX)
		return;
	d = distance(n->word, candidate);
	if (d > limit || d >= strlen(candidate))
		return;
	if (n->best == NULL || d < n->distance) {
		n->best = candidate;
		n->distance = d;
	}
}

/* Insertions, deletions, replacements and swaps of neighbours. */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][NEAR_MAX + 1], i, j, n = strlen(b);
	size_t *two = rows[0], *one = rows[1], *now = rows[2], *spare;

	for (j = 0; j <= n; j++)
		one[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		now[0] = i;
		for (j = 1; j <= n; j++) {
			now[j] = least(one[j] + 1, now[j - 1] + 1,
				one[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] && two[j - 2] + 1 < now[j])
				now[j] = two[j - 2] + 1;
		}
		spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[n];
}

static size_t
least(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}
