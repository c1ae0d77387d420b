/* link.c - packets between keeper and worker. */
#include <string.h>

#include "base/link.h"

#define WHOLE(n) (((n) + 7) & ~(size_t)7)

static const char *const sorts[] = {
#define X(id, word) word,
	LINK_SORTS(X)
#undef X
};

static const char *const states[] = {
#define X(id, word) word,
	LINK_STATES(X)
#undef X
};

/* Of the worker's answers, or of what the keeper asks: the least that each has.
 */
static size_t
packet_least(enum link_type type)
{
	switch (type) {
	case LINK_HELLO:
		return sizeof(struct link_hello);
	case LINK_LIST:
		return sizeof(struct link_rows);
	case LINK_TRACE:
		return sizeof(struct link_events);
	case LINK_FIGURES:
		return sizeof(struct link_figures);
	case LINK_LISTENERS:
		return sizeof(struct link_listeners);
	case LINK_DONE:
		return sizeof(struct link_done);
	default:
		return sizeof(struct link_head);
	}
}

bool
link_fits(const void *p, size_t n, enum link_type type)
{
	const struct link_head *head = p;

	return n >= sizeof(*head) && head->type == type &&
	       n >= packet_least(type) && n <= LINK_PACKET;
}

size_t
link_row_size(const char *const texts[static LINK_TEXT_COUNT])
{
	size_t n = sizeof(struct link_row), i;

	for (i = 0; i < LINK_TEXT_COUNT; i++)
		n += strlen(texts[i]) + 1;
	return WHOLE(n);
}

void
link_row_write(struct link_row *to, size_t size, const struct link_row *row,
	const char *const texts[static LINK_TEXT_COUNT])
{
	char *p = to->texts;
	size_t i, n;

	memset(to, 0, size);
	*to = *row;
	to->size = (uint32_t)size;
	for (i = 0; i < LINK_TEXT_COUNT; i++) {
		n = strlen(texts[i]) + 1;
		memcpy(p, texts[i], n);
		p += n;
	}
}

bool
link_row_texts(const struct link_row *row, size_t n,
	const char *texts[static LINK_TEXT_COUNT])
{
	const char *p = row->texts, *end;
	size_t i;

	if (n < sizeof(*row) || row->size > n || row->size < sizeof(*row) ||
		row->size % 8 != 0)
		return false;
	end = (const char *)row + row->size;
	for (i = 0; i < LINK_TEXT_COUNT; i++) {
		size_t len = strnlen(p, (size_t)(end - p));

		if (p + len == end)
			return false;
		texts[i] = p;
		p += len + 1;
	}
	return true;
}

static int
number_compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int
link_row_compare(
	const struct link_row *a, const struct link_row *b, bool reverse)
{
	int order = number_compare(a->key, b->key);

	if (order == 0)
		order = number_compare(a->generation, b->generation);
	if (order == 0)
		order = number_compare(a->slot, b->slot);
	if (order == 0)
		order = number_compare(a->id, b->id);
	return reverse ? -order : order;
}

int
link_sort_find(const char *word)
{
	int i;

	for (i = 0; i < LINK_SORT_COUNT; i++)
		if (strcmp(sorts[i], word) == 0)
			return i;
	return -1;
}

const char *
link_state_word(uint32_t state)
{
	return state < LINK_STATE_COUNT ? states[state] : "unknown";
}
