/* restore.c - a table out of a file. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shm/snapshot.h"
#include "shm/snapshot_file.h"
#include "shm/table.h"
#include "shm/tokens.h"

#define FILE_MOST ((off_t)1 << 32)

struct reader {
	const uint8_t *p;
	size_t left;
	uint64_t passed_ms; /* since it was written */
};

/* The next n bytes; NULL: there are fewer. */
static const void *
bytes_read(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n > r->left)
		return NULL;
	r->p += n;
	r->left -= n;
	return p;
}

static bool
number_read(struct reader *r, uint64_t *n)
{
	const void *p = bytes_read(r, sizeof(*n));

	if (p == NULL)
		return false;
	memcpy(n, p, sizeof(*n));
	return true;
}

static bool
tokens_read(struct reader *r, struct weir_table *t, struct weir_bytes key,
	unsigned column)
{
	struct weir_tokens tokens = { 0 };
	struct weir_bucket *b = &tokens.last;
	uint64_t per_ms, used;

	if (!number_read(r, &tokens.used) || !number_read(r, &b->rate) ||
		!number_read(r, &per_ms) || !number_read(r, &b->burst) ||
		per_ms > UINT32_MAX || b->burst > UINT64_MAX / 1000)
		return false;
	b->per_ms = (uint32_t)per_ms;
	used = per_ms == 0 ? 0 : tokens_used(&tokens, b, r->passed_ms);
	if (t != NULL && used != 0)
		(void)table_resume_tokens(t, key, column, b, used);
	return true;
}

static bool
value_read(struct reader *r, struct weir_table *t, const struct weir_column *c,
	struct weir_bytes key, unsigned column)
{
	struct weir_bytes value;
	uint64_t n;

	if (!number_read(r, &n) || n > c->size)
		return false;
	value = (struct weir_bytes){ .p = bytes_read(r, n), .len = n };
	if (value.p == NULL)
		return false;
	if (t != NULL)
		(void)weir_table_set(t, key, column, value);
	return true;
}

/* Adds one cell to a row of t, unless t is NULL; false: there is none. */
static bool
cell_read(struct reader *r, struct weir_table *t, const struct weir_column *c,
	struct weir_bytes key, unsigned column)
{
	uint64_t n, left_ms;

	switch (c->type) {
	case WEIR_COLUMN_COUNT:
		if (!number_read(r, &n))
			return false;
		/* A key is one, whatever it has. */
		if (t != NULL)
			(void)weir_table_add(t, key, column, n, NULL);
		break;
	case WEIR_COLUMN_PERIOD:
		if (!number_read(r, &n) || !number_read(r, &left_ms))
			return false;
		if (t != NULL && left_ms > r->passed_ms)
			(void)table_resume_period(
				t, key, column, n, left_ms - r->passed_ms);
		break;
	case WEIR_COLUMN_TOKENS:
		return tokens_read(r, t, key, column);
	case WEIR_COLUMN_VALUE:
		return value_read(r, t, c, key, column);
	case WEIR_COLUMN_RATE:
	case WEIR_COLUMN_HELD:
		break;
	}
	return true;
}

/* Reads one row; t is NULL to look only whether it is one. */
static bool
row_load(struct reader *r, struct weir_table *t, const struct shape *shape,
	uint64_t ttl_ms)
{
	const void *p = bytes_read(r, sizeof(struct snapshot_line));
	struct weir_bytes key;
	struct snapshot_line line;
	unsigned i;

	if (p == NULL)
		return false;
	memcpy(&line, p, sizeof(line));
	key = (struct weir_bytes){ .p = bytes_read(r, line.key_len),
		.len = line.key_len };
	if (key.p == NULL || key.len > shape->key_most)
		return false;
	/* What has ended since is read past. */
	if (line.left_ms <= r->passed_ms ||
		(line.left_ms == SNAPSHOT_NEVER && ttl_ms != 0 &&
			(line.age_ms >= ttl_ms ||
				r->passed_ms >= ttl_ms - line.age_ms)))
		t = NULL;
	for (i = 0; i < shape->n; i++)
		if (!cell_read(r, t, &shape->columns[i], key, i))
			return false;
	if (t != NULL && line.left_ms != SNAPSHOT_NEVER)
		(void)weir_table_expire(t, key, line.left_ms - r->passed_ms);
	return true;
}

/* All bytes of a file, the caller's to free; NULL with errno. */
static uint8_t *
file_read(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	uint8_t *p = NULL;
	struct stat st;
	ssize_t n = 0;

	*size = 0;
	if (fd == -1)
		return NULL;
	errno = EINVAL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_size < FILE_MOST)
		p = malloc((size_t)st.st_size + 1);
	while (p != NULL &&
		(n = read(fd, p + *size, (size_t)st.st_size + 1 - *size)) > 0 &&
		*size + (size_t)n <= (size_t)st.st_size)
		*size += (size_t)n;
	err = errno;
	close(fd);
	if (p != NULL && n == 0)
		return p;
	free(p);
	errno = n > 0 ? EBUSY : err;
	return NULL;
}

/* What is wrong with the bytes; NULL: nothing, and the head is filled in. */
static const char *
file_check(const struct weir_table *t, const uint8_t *p, size_t size,
	struct snapshot_head *head)
{
	uint64_t sum;

	if (size < sizeof(*head) + sizeof(sum))
		return "it is too short";
	memcpy(head, p, sizeof(*head));
	if (memcmp(head->magic, SNAPSHOT_MAGIC, sizeof(head->magic)) != 0)
		return "it is not a snapshot of a table, or of another version";
	memcpy(&sum, p + size - sizeof(sum), sizeof(sum));
	if (sum != snapshot_sum(head, p + sizeof(*head),
			   size - sizeof(*head) - sizeof(sum)))
		return "it is damaged: its sum is wrong";
	if (head->layout != t->shape.layout)
		return "it is of a table with other columns or keys";
	return NULL;
}

/* Reads all rows, into t unless that is NULL. */
static bool
rows_load(const struct reader *from, const struct snapshot_head *head,
	struct weir_table *t, const struct shape *shape, uint64_t ttl_ms)
{
	struct reader r = *from;
	uint64_t i;

	for (i = 0; i < head->rows; i++)
		if (!row_load(&r, t, shape, ttl_ms))
			return false;
	return r.left == 0;
}

int
snapshot_load(struct weir_table *t, const char *path, const char **why)
{
	uint64_t now_s = (uint64_t)time(NULL);
	struct reader r = { .p = NULL };
	struct snapshot_head head;
	size_t size;
	uint8_t *p = file_read(path, &size);

	*why = NULL;
	if (p == NULL) {
		*why = strerror(errno);
		return -1;
	}
	*why = file_check(t, p, size, &head);
	if (*why == NULL) {
		r.p = p + sizeof(head);
		r.left = size - sizeof(head) - sizeof(uint64_t);
		/* A wall clock that was set back says nothing. */
		if (now_s > head.saved_s)
			r.passed_ms = (now_s - head.saved_s) * 1000;
		if (!rows_load(&r, &head, NULL, &t->shape, t->options.ttl_ms))
			*why = "it is damaged: its rows are not whole";
	}
	if (*why == NULL)
		(void)rows_load(&r, &head, t, &t->shape, t->options.ttl_ms);
	free(p);
	return *why == NULL ? 0 : -1;
}
