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

/* Rows of one part, copied with its lock, and written without. */
struct copy {
	const struct shape *shape;
	uint8_t *rows;
	size_t n, most;
	bool scant; /* there are more */
};

/* The bytes of one part. */
struct writer {
	const struct shape *shape;
	uint64_t now_ms;
	uint8_t *p;
	size_t n, most;
	bool failed; /* there was no memory */
};

static void
bytes_write(struct writer *w, const void *p, size_t n)
{
	size_t most = w->most == 0 ? 65536 : w->most;
	uint8_t *more;

	while (most - w->n < n)
		most *= 2;
	if (most != w->most) {
		more = w->failed ? NULL : realloc(w->p, most);
		w->failed = more == NULL;
		if (w->failed)
			return;
		w->p = more;
		w->most = most;
	}
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void
number_write(struct writer *w, uint64_t n)
{
	bytes_write(w, &n, sizeof(n));
}

/* What has not come again, and of which bucket. */
static void
tokens_write(struct writer *w, const struct row *row, unsigned column)
{
	const struct weir_tokens *tokens = row_tokens(w->shape, row, column);
	const struct weir_bucket *b = &tokens->last;

	number_write(w, b->per_ms == 0 ? 0 : tokens_used(tokens, b, w->now_ms));
	number_write(w, b->rate);
	number_write(w, b->per_ms);
	number_write(w, b->burst);
}

static void
cell_write(struct writer *w, const struct row *row, unsigned column)
{
	uint8_t value[WEIR_CELL_MOST];
	size_t len;

	switch (w->shape->columns[column].type) {
	case WEIR_COLUMN_COUNT:
		number_write(
			w, row_read(w->shape, row, column, NULL, w->now_ms));
		break;
	case WEIR_COLUMN_TOKENS:
		tokens_write(w, row, column);
		break;
	case WEIR_COLUMN_PERIOD:
		number_write(w, row_period(w->shape, row, column)->n);
		number_write(
			w, period_left_ms(row_period(w->shape, row, column),
				   w->now_ms));
		break;
	case WEIR_COLUMN_VALUE:
		len = row_get(w->shape, row, column, value, sizeof(value));
		number_write(w, len);
		bytes_write(w, value, len);
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
	bytes_write(w, &line, sizeof(line));
	bytes_write(w, row->bytes, row->key_len);
	for (i = 0; i < w->shape->n; i++)
		cell_write(w, row, i);
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
part_copy(struct weir_table *t, uint32_t i, struct copy *c, uint32_t busy_ms)
{
	static const struct timespec while_busy = { 0, 10000000 };
	uint64_t until_ms = clock_ms() + busy_ms;

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

static void
file_add(FILE *f, uint64_t *sum, const void *p, size_t n)
{
	if (n > 0)
		fwrite(p, n, 1, f);
	*sum = snapshot_sum(*sum, p, n);
}

static int
part_write(FILE *f, uint64_t *sum, struct writer *w, const struct copy *c)
{
	struct snapshot_part part = { .rows = c->n };
	size_t i;

	w->n = 0;
	for (i = 0; i < c->n; i++)
		row_write(w, (void *)(c->rows + i * c->shape->size));
	if (w->failed) {
		errno = ENOMEM;
		return -1;
	}
	part.size = w->n;
	if (part.size == 0)
		return 0;
	file_add(f, sum, &part, sizeof(part));
	file_add(f, sum, w->p, w->n);
	return 0;
}

static int
parts_write(FILE *f, uint64_t *sum, struct weir_table *t,
	const struct snapshot_way *way)
{
	struct copy c = { .shape = &t->shape };
	struct writer w = { .shape = &t->shape };
	int rc = 0, err;
	uint32_t i;

	for (i = 0; i < t->n && rc == 0; i++) {
		if (way->goes_on != NULL && !way->goes_on()) {
			errno = ECANCELED;
			rc = -1;
			break;
		}
		rc = part_copy(t, i, &c, way->busy_ms);
		clock_update();
		w.now_ms = clock_ms();
		if (rc == 0)
			rc = part_write(f, sum, &w, &c);
	}
	err = errno;
	free(c.rows);
	free(w.p);
	errno = err;
	return rc;
}

/* All of it; -1 with errno, also of what could not be written. */
static int
table_write(FILE *f, struct weir_table *t, const struct snapshot_way *way)
{
	struct snapshot_head head = { .layout = t->shape.layout,
		.saved_ms = snapshot_now_ms() };
	static const struct snapshot_part last = { 0 };
	uint64_t sum = 0;

	memcpy(head.magic, SNAPSHOT_MAGIC, sizeof(head.magic));
	file_add(f, &sum, &head, sizeof(head));
	if (parts_write(f, &sum, t, way) == -1)
		return -1;
	file_add(f, &sum, &last, sizeof(last));
	errno = 0;
	fwrite(&sum, sizeof(sum), 1, f);
	if (fflush(f) != EOF && !ferror(f) && fsync(fileno(f)) == 0)
		return 0;
	errno = errno != 0 ? errno : EIO;
	return -1;
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

/* After a power failure it is the new one, or the old one (fsync(2)). */
static void
directory_sync(const char *path)
{
	char *dir = strdup(path), *slash;
	int fd;

	slash = dir == NULL ? NULL : strrchr(dir, '/');
	if (slash != NULL) {
		slash[slash == dir] = '\0';
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != -1) {
			(void)fsync(fd);
			close(fd);
		}
	}
	free(dir);
}

int
snapshot_save(
	struct weir_table *t, const char *path, const struct snapshot_way *way)
{
	char *beside;
	int rc, err;
	FILE *f;

	if (asprintf(&beside, "%s.new", path) == -1)
		return -1;
	f = beside_open(beside);
	rc = f == NULL ? -1 : table_write(f, t, way);
	if (rc == 0)
		rc = rename(beside, path);
	err = errno;
	if (f != NULL && rc == -1)
		unlink(beside);
	/* Until here nobody else may write it. */
	if (f != NULL)
		(void)fclose(f);
	if (rc == 0)
		directory_sync(path);
	free(beside);
	errno = err;
	return rc;
}
