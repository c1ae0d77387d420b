/* snapshot.c - a table in a file, over a restart.
 *
 * A head, rows, and a sum of all bytes before it.  Times are how long ago or
 * how long from the moment of the file, as the clock begins anew. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "shm/siphash.h"
#include "shm/snapshot.h"
#include "shm/table.h"

#define MAGIC	  "weirtab2"
#define NEVER	  UINT64_MAX
#define FILE_MOST ((off_t)1 << 32)

struct head {
	char magic[8];
	uint64_t layout;
	uint64_t saved_s; /* since 1970 */
	uint64_t rows;
};

/* What stands before key and cells of a row. */
struct line {
	uint64_t age_ms;  /* since its last use */
	uint64_t left_ms; /* until its own end; NEVER */
	uint32_t key_len;
	uint32_t zero;
};

/* ---- writing ------------------------------------------------------------- */

struct writer {
	FILE *out;
	const struct shape *shape;
	uint64_t now_ms;
	uint64_t rows;
};

static void
number_write(FILE *out, uint64_t n)
{
	fwrite(&n, sizeof(n), 1, out);
}

static bool
row_write(void *arg, const struct row *row)
{
	struct writer *w = arg;
	struct line line = { .age_ms = w->now_ms - row->used_ms,
		.left_ms = row->ends_ms == 0 ? NEVER : row->ends_ms - w->now_ms,
		.key_len = row->key_len };
	uint8_t value[WEIR_CELL_MOST];
	unsigned i;

	fwrite(&line, sizeof(line), 1, w->out);
	fwrite(row->bytes, row->key_len, 1, w->out);
	for (i = 0; i < w->shape->n; i++) {
		enum weir_column_type type = w->shape->columns[i].type;

		if (type == WEIR_COLUMN_RATE || type == WEIR_COLUMN_HELD)
			continue;
		number_write(
			w->out, row_own(w->shape, row, i, NULL, w->now_ms));
		if (type == WEIR_COLUMN_PERIOD)
			number_write(w->out,
				period_left_ms(row_period(w->shape, row, i),
					w->now_ms));
		if (type == WEIR_COLUMN_VALUE)
			fwrite(value,
				row_get(w->shape, row, i, value, sizeof(value)),
				1, w->out);
	}
	w->rows++;
	return true;
}

/* All rows as bytes, the caller's to free; NULL with errno. */
static char *
rows_write(struct weir_table *t, uint64_t *rows, size_t *size)
{
	struct writer w = { .shape = &t->shape };
	char *p = NULL;

	w.out = open_memstream(&p, size);
	if (w.out == NULL)
		return NULL;
	w.now_ms = clock_ms();
	table_walk(t, row_write, &w);
	*rows = w.rows;
	if (fclose(w.out) == 0)
		return p;
	free(p);
	errno = ENOMEM;
	return NULL;
}

static uint64_t
sum_of(const struct head *head, const void *rows, size_t size)
{
	static const uint64_t secret[2] = { 0 };
	uint64_t next[2] = { siphash(secret, head, sizeof(*head)), size };

	return siphash(next, rows, size);
}

/* The file beside it takes its place; -1 with errno. */
static int
file_write(FILE *f, const char *beside, const char *path)
{
	int err = 0;

	if (fflush(f) == EOF || ferror(f) || fsync(fileno(f)) == -1)
		err = errno != 0 ? errno : EIO;
	if (fclose(f) == EOF && err == 0)
		err = errno;
	if (err == 0 && rename(beside, path) == 0)
		return 0;
	err = err != 0 ? err : errno;
	unlink(beside);
	errno = err;
	return -1;
}

int
snapshot_save(struct weir_table *t, const char *path)
{
	struct head head = { .layout = t->shape.layout,
		.saved_s = (uint64_t)time(NULL) };
	char *rows, *beside;
	size_t size;
	FILE *f;
	int fd, rc = -1;

	memcpy(head.magic, MAGIC, sizeof(head.magic));
	rows = rows_write(t, &head.rows, &size);
	if (rows == NULL)
		return -1;
	if (asprintf(&beside, "%s.new", path) == -1) {
		free(rows);
		return -1;
	}
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		0600);
	f = fd == -1 ? NULL : fdopen(fd, "w");
	if (f != NULL) {
		errno = 0;
		fwrite(&head, sizeof(head), 1, f);
		fwrite(rows, size, 1, f);
		number_write(f, sum_of(&head, rows, size));
		rc = file_write(f, beside, path);
	} else if (fd != -1) {
		close(fd);
	}
	free(beside);
	free(rows);
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

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

/* Adds one cell to a row of t, unless t is NULL; false: there is none. */
static bool
cell_read(struct reader *r, struct weir_table *t, const struct shape *shape,
	struct weir_bytes key, unsigned column)
{
	const struct weir_column *c = &shape->columns[column];
	struct weir_bytes value;
	uint64_t n, left_ms;

	if (!number_read(r, &n))
		return false;
	if (c->type == WEIR_COLUMN_PERIOD) {
		if (!number_read(r, &left_ms))
			return false;
		if (t != NULL && left_ms > r->passed_ms)
			(void)table_resume(
				t, key, column, n, left_ms - r->passed_ms);
	} else if (c->type == WEIR_COLUMN_VALUE) {
		value = (struct weir_bytes){ .p = bytes_read(r, n), .len = n };
		if (value.p == NULL || n > c->size)
			return false;
		if (t != NULL)
			(void)weir_table_set(t, key, column, value);
	} else if (t != NULL && c->type == WEIR_COLUMN_TOKENS) {
		if (n < c->burst)
			(void)weir_table_draw(
				t, key, column, NULL, c->burst - n, NULL);
	} else if (t != NULL) {
		(void)weir_table_add(t, key, column, n, NULL);
	}
	return true;
}

/* Reads one row; t is NULL to look only whether it is one. */
static bool
row_load(struct reader *r, struct weir_table *t, const struct shape *shape,
	uint64_t ttl_ms)
{
	const void *p = bytes_read(r, sizeof(struct line));
	struct weir_bytes key;
	struct line line;
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
		(line.left_ms == NEVER && ttl_ms != 0 &&
			(line.age_ms >= ttl_ms ||
				r->passed_ms >= ttl_ms - line.age_ms)))
		t = NULL;
	for (i = 0; i < shape->n; i++)
		if (shape->columns[i].type != WEIR_COLUMN_RATE &&
			shape->columns[i].type != WEIR_COLUMN_HELD &&
			!cell_read(r, t, shape, key, i))
			return false;
	if (t != NULL && line.left_ms != NEVER)
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
	struct head *head)
{
	uint64_t sum;

	if (size < sizeof(*head) + sizeof(sum))
		return "it is too short";
	memcpy(head, p, sizeof(*head));
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0)
		return "it is not a snapshot of a table, or of another version";
	memcpy(&sum, p + size - sizeof(sum), sizeof(sum));
	if (sum != sum_of(head, p + sizeof(*head),
			   size - sizeof(*head) - sizeof(sum)))
		return "it is damaged: its sum is wrong";
	if (head->layout != t->shape.layout)
		return "it is of a table with other columns or keys";
	return NULL;
}

/* Reads all rows, into t unless that is NULL. */
static bool
rows_load(const struct reader *from, const struct head *head,
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
	struct head head;
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
