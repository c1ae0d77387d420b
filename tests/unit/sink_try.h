/* sink_try.h - a sink in a directory of its own, for the tests of sinks. */
#ifndef SINK_TRY_H
#define SINK_TRY_H

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/target.h"

#define DIR_TEMPLATE "/tmp/weir-sink-XXXXXX"

static char dir[] = DIR_TEMPLATE;
static struct sink *sink;
static int fd;

/* A path in dir; valid until the fourth next call. */
static inline const char *
at(const char *name)
{
	static char paths[4][64];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", dir, name);
	return paths[n];
}

static inline int
setup(void **state)
{
	(void)state;
	strlcpy(dir, DIR_TEMPLATE, sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return -1;
	clock_update();
	sink = NULL;
	fd = -1;
	return log_open(at("process"), LOG_LEVEL_INFO);
}

static inline int
teardown(void **state)
{
	static const char *const names[] = { "process", "file", "file.1",
		"fifo", "socket" };
	size_t i;

	(void)state;
	sink_free(sink);
	fd_close(&fd);
	if (log_open("stderr", LOG_LEVEL_INFO) == -1)
		return -1;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(at(names[i]));
	return rmdir(dir);
}

static inline void
start(const char *target)
{
	fd = target_open(target);
	assert_int_not_equal(fd, -1);
	sink = sink_new(target, fd);
	assert_non_null(sink);
}

/* Ends it, so that it is flushed. */
static inline void
end(void)
{
	sink_free(sink);
	sink = NULL;
}

static inline void
say(const char *text, uint32_t wait_ms)
{
	sink_line(sink, text, strlen(text), wait_ms);
}

/* All of a file; valid until the next call. */
static inline const char *
contents(const char *path)
{
	static char text[1 << 20];
	int in = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(in, -1);
	n = read(in, text, sizeof(text) - 1);
	close(in);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static inline unsigned
count(const char *all, const char *text)
{
	unsigned n = 0;

	for (; (all = strstr(all, text)) != NULL; all += strlen(text))
		n++;
	return n;
}

#define logged() contents(at("process"))

/* Adds lines "<i> <padding>" of size bytes with their ends. */
static inline void
say_many(unsigned n, size_t size)
{
	char line[SINK_BUFFER];
	unsigned i;

	memset(line, 'x', size);
	for (i = 0; i < n; i++) {
		int head = snprintf(line, size, "%u ", i);

		line[head] = 'x';
		sink_line(sink, line, size - 1, 1000);
	}
}

#define SINK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
