/* test_source.c - which files a configuration is read from. */
#include <sys/stat.h>

#include <unistd.h>

#include "conf_try.h"
#include "registry_fake.h"

#define SECONDS 20 /* that a file which never ends may be tried */

static const char good[] = "servers = ( { } );";
static char dir[] = "/tmp/weir-source-XXXXXX";

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL && chdir(dir) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	unlink("fifo");
	unlink("including");
	return rmdir(dir);
}

static void
assert_said(const char *file, const char *said)
{
	struct trial t = try_file(file, NULL);

	assert_string_equal(t.said, said);
	assert_int_equal(t.conf != NULL, *said == '\0');
	try_end(&t);
}

/* A file that includes this one. */
static const char *
including(const char *file)
{
	FILE *f = fopen("including", "w");

	assert_non_null(f);
	fprintf(f, "\n@include \"%s\"\n", file);
	assert_int_equal(fclose(f), 0);
	return "including";
}

/* Nobody writes to it: whoever opens it waits for ever. */
static void
test_fifo_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(SECONDS);
	assert_said("fifo", "fifo: is no plain file\n");
	assert_said(
		including("fifo"), "including:2: \"fifo\" is no plain file\n");
	alarm(0);
}

static void
test_devices_are_not_read(void **state)
{
	(void)state;
	alarm(SECONDS);
	assert_said("/dev/zero", "/dev/zero: is no plain file\n");
	assert_said("/dev/null", "/dev/null: is no plain file\n");
	assert_said(including("/dev/zero"),
		"including:2: \"/dev/zero\" is no plain file\n");
	alarm(0);
}

/* weir -c /dev/stdin, and -c <(...) of a shell. */
static void
test_pipe_of_the_caller_is_read(void **state)
{
	char path[64], want[128];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(
		write(fds[1], good, sizeof(good) - 1), sizeof(good) - 1);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_said(path, "");
	snprintf(want, sizeof(want), "including:2: \"%s\" is no plain file\n",
		path);
	assert_said(including(path), want);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifo_is_not_waited_for),
		cmocka_unit_test(test_devices_are_not_read),
		cmocka_unit_test(test_pipe_of_the_caller_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
