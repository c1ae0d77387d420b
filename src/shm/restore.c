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

static const char damaged[] = "it is damaged";

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
	if (t == NULL)
		return true;
	if (line.left_ms != SNAPSHOT_NEVER)
		(void)weir_table_expire(t, key, line.left_ms - r->passed_ms);
	(void)table_age(t, key, line.age_ms + r->passed_ms);
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
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
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

/* What is wrong with the head; NULL: nothing. */
static const char *
head_check(const struct weir_table *t, const struct snapshot_head *head)
{
	if (memcmp(head->magic, SNAPSHOT_MAGIC, sizeof(head->magic)) != 0)
		return "it is not a snapshot of a table, or of another version";
	if (head->layout != t->shape.layout)
		return "it is of a table with other columns or keys";
	return NULL;
}

bool
snapshot_fits(const struct weir_table *t, const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct snapshot_head head;
	ssize_t n;

	*why = NULL;
	if (fd == -1) {
		*why = errno == ENOENT ? NULL : strerror(errno);
		return false;
	}
	n = read(fd, &head, sizeof(head));
	close(fd);
	*why = n == sizeof(head) ? head_check(t, &head) : "it is too short";
	return *why == NULL;
}

/* Where a row is in the file, and since when it was not used. */
struct found {
	const uint8_t *p;
	uint64_t age_ms;
};

struct found_rows {
	struct found *v;
	size_t n, most;
};

static int
found_add(struct found_rows *f, const uint8_t *p)
{
	size_t most = f->most == 0 ? 1024 : f->most * 2;
	struct snapshot_line line;
	struct found *v;

	if (f->n == f->most) {
		v = reallocarray(f->v, most, sizeof(*v));
		if (v == NULL)
			return -1;
		f->v = v;
		f->most = most;
	}
	memcpy(&line, p, sizeof(line));
	f->v[f->n++] = (struct found){ .p = p, .age_ms = line.age_ms };
	return 0;
}

/* Who was used longest ago comes first, so that it is the first to leave. */
static int
found_order(const void *a, const void *b)
{
	uint64_t x = ((const struct found *)a)->age_ms;
	uint64_t y = ((const struct found *)b)->age_ms;

	return x == y ? 0 : x > y ? -1 : 1;
}

/* What is wrong with the rows of one part; NULL: nothing. */
static const char *
part_read(const struct weir_table *t, struct reader rows, uint64_t n,
	struct found_rows *found)
{
	const uint8_t *p;
	uint64_t i;

	for (i = 0; i < n; i++) {
		p = rows.p;
		if (!row_load(&rows, NULL, &t->shape, t->options.ttl_ms))
			return damaged;
		if (found_add(found, p) == -1)
			return strerror(ENOMEM);
	}
	return rows.left == 0 ? NULL : damaged;
}

/* Reads all parts up to the last; *sum is then that of all that was read. */
static const char *
parts_read(const struct weir_table *t, struct reader *r, uint64_t *sum,
	struct found_rows *found)
{
	struct snapshot_part part;
	struct reader rows;
	const char *why = NULL;
	const void *p;

	while (why == NULL && (p = bytes_read(r, sizeof(part))) != NULL) {
		memcpy(&part, p, sizeof(part));
		*sum = snapshot_sum(*sum, p, sizeof(part));
		if (part.size == 0)
			return part.rows == 0 ? NULL : damaged;
		p = bytes_read(r, part.size);
		if (p == NULL)
			return damaged;
		*sum = snapshot_sum(*sum, p, part.size);
		rows = (struct reader){ .p = p, .left = part.size };
		why = part_read(t, rows, part.rows, found);
	}
	return why == NULL ? damaged : why;
}

/* What is wrong with the bytes; NULL: nothing, and *found is where rows are. */
static const char *
file_check(
	const struct weir_table *t, struct reader *r, struct found_rows *found)
{
	uint64_t now_ms = snapshot_now_ms(), wanted, sum;
	struct snapshot_head head;
	const char *why;

	if (r->left < sizeof(head))
		return "it is too short";
	memcpy(&head, bytes_read(r, sizeof(head)), sizeof(head));
	why = head_check(t, &head);
	if (why != NULL)
		return why;
	sum = snapshot_sum(0, &head, sizeof(head));
	/* A wall clock that was set back says nothing. */
	if (now_ms > head.saved_ms)
		r->passed_ms = now_ms - head.saved_ms;
	why = parts_read(t, r, &sum, found);
	if (why != NULL)
		return why;
	return number_read(r, &wanted) && wanted == sum && r->left == 0
		       ? NULL
		       : damaged;
}

int
snapshot_load(struct weir_table *t, const char *path, const char **why)
{
	struct found_rows found = { .n = 0 };
	struct reader r = { .p = NULL }, row;
	const uint8_t *p = file_read(path, &r.left), *end;
	size_t i;

	*why = NULL;
	if (p == NULL) {
		*why = strerror(errno);
		return -1;
	}
	r.p = p;
	end = p + r.left;
	*why = file_check(t, &r, &found);
	if (*why == NULL) {
		if (found.n > 0)
			qsort(found.v, found.n, sizeof(*found.v), found_order);
		for (i = 0; i < found.n; i++) {
			row = (struct reader){ .p = found.v[i].p,
				.left = (size_t)(end - found.v[i].p),
				.passed_ms = r.passed_ms };
			(void)row_load(&row, t, &t->shape, t->options.ttl_ms);
		}
	}
	free(found.v);
	free((void *)(uintptr_t)p);
	return *why == NULL ? 0 : -1;
}
