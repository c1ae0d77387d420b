/* test_needs.c - capabilities that middlewares ask for, and what lacks. */
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/rights.h"

static uint32_t wanted;
static unsigned said;

static uint32_t
fake_needs(const void *conf)
{
	(void)conf;
	return wanted;
}

static void
fake_heard(void *arg, const char *text)
{
	(void)arg;
	(void)text;
	said++;
}

/* Asks for what two middlewares want, one of them nothing; the outcome. */
static int
ask(uint32_t bits, uint32_t *needs)
{
	static const struct weir_middleware none = { .name = "none" },
					    fake = { .name = "fake",
						    .needs = fake_needs };
	struct conf_stage stages[] = { { .mw = &none, .name = "none" },
		{ .mw = &fake, .name = "fake" } };
	struct conf_server server = { .name = "pg",
		.stages = { .n = 2, .v = stages } };
	struct conf conf = { .servers = { .n = 1, .v = &server } };
	int rc;

	wanted = bits;
	said = 0;
	log_tap(fake_heard, NULL);
	rc = rights_needed(needs, &conf);
	log_tap(NULL, NULL);
	return rc;
}

static void
test_nothing_is_needed(void **state)
{
	uint32_t needs = 1;

	(void)state;
	assert_int_equal(ask(0, &needs), 0);
	assert_int_equal(needs, 0);
	assert_int_equal(said, 0);
}

/* Each is named that this process does not have. */
static void
test_what_lacks_is_named(void **state)
{
	const uint32_t bits = WEIR_NEEDS_NET_BIND_SERVICE | WEIR_NEEDS_NET_RAW;
	uint32_t needs;
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(rights_keep(0) == 0 && ask(bits, &needs) == -1 &&
					said == 2
				? 0
				: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* An error of a module, whoever runs it. */
static void
test_what_is_unknown_is_refused(void **state)
{
	uint32_t needs;

	(void)state;
	assert_int_equal(ask(1 << 3, &needs), -1);
	assert_int_equal(said, 1);
}

/* What a server says of its backends and listeners is needed as well; the
 * master has what listeners need, and workers do not. */
static void
test_sockets_need_some(void **state)
{
	static const struct {
		struct conf_backend backend;
		bool transparent;
		uint32_t needs, workers;
	} rows[] = {
		{ .needs = 0 },
		{ { .mark = 1 }, false, WEIR_NEEDS_NET_ADMIN,
			WEIR_NEEDS_NET_ADMIN },
		{ { .transparent = CONF_TRANSPARENT_CLIENT }, false,
			WEIR_NEEDS_NET_RAW, WEIR_NEEDS_NET_RAW },
		{ { .mark = 0 }, true, WEIR_NEEDS_NET_RAW, 0 },
		{ { .mark = 0 }, true, WEIR_NEEDS_NET_ADMIN, 0 },
	};
	int status;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_listen listen = { .transparent =
						      rows[i].transparent };
		struct conf_server server = { .name = "pg",
			.listen = { 1, &listen },
			.backend = rows[i].backend };
		struct conf conf = { .servers = { .n = 1, .v = &server } };
		bool root = geteuid() == 0;
		uint32_t needs = 77;

		pid = fork();
		if (pid == 0)
			_exit(rights_keep(root ? rows[i].needs : 0) == 0 &&
						rights_needed(&needs, &conf) ==
							(root || i == 0 ? 0
									: -1) &&
						needs == rows[i].workers
					? 0
					: 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		pid = fork();
		if (pid == 0)
			_exit(rights_keep(0) == 0 &&
						rights_needed(&needs, &conf) ==
							(i == 0 ? 0 : -1)
					? 0
					: 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_needed),
		cmocka_unit_test(test_what_lacks_is_named),
		cmocka_unit_test(test_what_is_unknown_is_refused),
		cmocka_unit_test(test_sockets_need_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
