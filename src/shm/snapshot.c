/* snapshot.c - a table into a file. */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "shm/snapshot.h"
#include "shm/snapshot_file.h"
#include "shm/table.h"
#include "shm/tokens.h"

#define BUSY_MS 2000 /* that a part may be somebody else's */

/* Rows of one part, copied with its lock, and written without. */
struct copy {
	const struct shape *shape;
	uint8_t *rows;
	size_t n, most;
	bool scant; /* there are more */
};

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

/* What has not come again, and of which bucket. */
static void
tokens_write(const struct writer *w, const struct row *row, unsigned column)
{
	const struct weir_tokens *tokens = row_tokens(w->shape, row, column);
	const struct weir_bucket *b = &tokens->last;

	number_write(
		w->out, b->per_ms == 0 ? 0 : tokens_used(tokens, b, w->now_ms));
	number_write(w->out, b->rate);
	number_write(w->out, b->per_ms);
	number_write(w->out, b->burst);
}

static void
cell_write(const struct writer *w, const struct row *row, unsigned column)
{
	uint8_t value[WEIR_CELL_MOST];
	size_t len;

	switch (w->shape->columns[column].type) {
	case WEIR_COLUMN_COUNT:
		number_write(w->out,
			row_read(w->shape, row, column, NULL, w->now_ms));
		break;
	case WEIR_COLUMN_TOKENS:
		tokens_write(w, row, column);
		break;
	case WEIR_COLUMN_PERIOD:
		number_write(w->out, row_period(w->shape, row, column)->n);
		number_write(w->out,
			period_left_ms(
				row_period(w->shape, row, column), w->now_ms));
		break;
	case WEIR_COLUMN_VALUE:
		len = row_get(w->shape, row, column, value, sizeof(value));
		number_write(w->out, len);
		fwrite(value, len, 1, w->out);
		break;
	case WEIR_COLUMN_RATE:
	case WEIR_COLUMN_HELD:
		break;
	}
}

/* Others may have read the clock later than we. */
static void
row_write(struct writer *w, const struct row *row)
{
	struct snapshot_line line = { .left_ms = SNAPSHOT_NEVER,
		.key_len = row->key_len };
	unsigned i;

	if (w->now_ms > row->used_ms)
		line.age_ms = w->now_ms - row->used_ms;
	if (row->ends_ms != 0 && row->ends_ms != UINT64_MAX)
		line.left_ms =
			row->ends_ms > w->now_ms ? row->ends_ms - w->now_ms : 0;
	fwrite(&line, sizeof(line), 1, w->out);
	fwrite(row->bytes, row->key_len, 1, w->out);
	for (i = 0; i < w->shape->n; i++)
		cell_write(w, row, i);
	w->rows++;
}

static bool
row_copy(void *arg, const struct row *row)
{
	struct copy *c = arg;

	c->scant = c->n == c->most;
	if (c->scant)
		return false;
	memcpy(c->rows + c->n++ * c->shape->size, row, c->shape->size);
	return true;
}

/* There is room for more then, made without the lock. */
static int
copy_grow(struct copy *c)
{
	size_t most = c->most == 0 ? 256 : c->most * 2;
	uint8_t *rows = reallocarray(c->rows, most, c->shape->size);

	if (rows == NULL)
		return -1;
	c->rows = rows;
	c->most = most;
	return 0;
}

/* Who has a part now may not have it for long. */
static int
part_copy(struct weir_table *t, uint32_t i, struct copy *c)
{
	static const struct timespec while_busy = { 0, 10000000 };
	uint64_t until_ms = clock_ms() + BUSY_MS;

	for (;;) {
		c->n = 0;
		c->scant = false;
		if (table_walk_part(t, i, row_copy, c) == 0) {
			if (!c->scant)
				return 0;
			if (copy_grow(c) == -1)
				return -1;
		} else if (clock_ms() >= until_ms) {
			errno = ETIMEDOUT;
			return -1;
		} else {
			nanosleep(&while_busy, NULL);
			clock_update();
		}
	}
}

static int
parts_write(struct weir_table *t, struct writer *w, struct copy *c)
{
	uint32_t i;
	size_t j;

	for (i = 0; i < t->n; i++) {
		if (part_copy(t, i, c) == -1)
			return -1;
		clock_update();
		w->now_ms = clock_ms();
		for (j = 0; j < c->n; j++)
			row_write(w, (void *)(c->rows + j * c->shape->size));
	}
	return 0;
}

/* All rows as bytes, the caller's to free; NULL with errno. */
static char *
rows_write(struct weir_table *t, uint64_t *rows, size_t *size)
{
	struct copy c = { .shape = &t->shape };
	struct writer w = { .shape = &t->shape };
	int rc = -1, err;
	char *p = NULL;

	w.out = open_memstream(&p, size);
	if (w.out != NULL) {
		rc = parts_write(t, &w, &c);
		err = errno;
		if (fclose(w.out) != 0)
			rc = -1;
		else
			errno = err;
	}
	free(c.rows);
	if (rc == 0) {
		*rows = w.rows;
		return p;
	}
	err = errno;
	free(p);
	errno = err;
	return NULL;
}

/* The file beside it, and mine alone (flock(2)); NULL with errno, EBUSY:
 * another process writes it. */
static FILE *
beside_open(const char *beside)
{
	struct stat mine, now;
	FILE *f = NULL;
	int fd, err;

	for (;;) {
		fd = open(beside, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);
		if (fd == -1)
			return NULL;
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			err = errno == EWOULDBLOCK ? EBUSY : errno;
			break;
		}
		/* Who had it before may just have put it in its place. */
		if (fstat(fd, &mine) == 0 && lstat(beside, &now) == 0 &&
			mine.st_dev == now.st_dev &&
			mine.st_ino == now.st_ino) {
			if (ftruncate(fd, 0) == 0)
				f = fdopen(fd, "w");
			if (f != NULL)
				return f;
			err = errno;
			break;
		}
		close(fd);
	}
	close(fd);
	errno = err;
	return NULL;
}

/* The file beside it takes its place; -1 with errno. */
static int
file_write(FILE *f, const char *beside, const char *path)
{
	int err = 0;

	if (fflush(f) == EOF || ferror(f) || fsync(fileno(f)) == -1)
		err = errno != 0 ? errno : EIO;
	if (err == 0 && rename(beside, path) == -1)
		err = errno;
	if (err != 0)
		unlink(beside);
	/* Until here nobody else may write it. */
	if (fclose(f) == EOF && err == 0)
		err = errno;
	errno = err;
	return err == 0 ? 0 : -1;
}

int
snapshot_save(struct weir_table *t, const char *path)
{
	struct snapshot_head head = { .layout = t->shape.layout,
		.saved_s = (uint64_t)time(NULL) };
	char *rows, *beside = NULL;
	FILE *f = NULL;
	int rc = -1, err;
	size_t size;

	memcpy(head.magic, SNAPSHOT_MAGIC, sizeof(head.magic));
	rows = rows_write(t, &head.rows, &size);
	if (rows == NULL)
		return -1;
	if (asprintf(&beside, "%s.new", path) == -1)
		beside = NULL;
	else
		f = beside_open(beside);
	if (f != NULL) {
		errno = 0;
		fwrite(&head, sizeof(head), 1, f);
		fwrite(rows, size, 1, f);
		number_write(f, snapshot_sum(&head, rows, size));
		rc = file_write(f, beside, path);
	}
	err = errno;
	free(beside);
	free(rows);
	errno = err;
	return rc;
}
