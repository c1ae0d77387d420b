/* test_stats_backends.c - what the extension stats counts of backends. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "stats_try.h"

static void
test_backends_have_figures_of_their_own(void **state)
{
	struct weir_addr at = dial.to[0], refusing;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	assert_true(backend("connects_total", &at, "") == 1);
	assert_true(backend("connect_seconds_total", &at, "") ==
		    counted_metric("weir_connect_seconds_sum{server=\"web\"}"));
	assert_true(backend("failures_total", &at, "") == 0);
	assert_true(backend("active", &at, "") == 1);
	assert_true(backend("connects_total", &refusing, "") == 0);
	assert_true(backend("failures_total", &refusing, "") == 1);
	assert_true(backend("active", &refusing, "") == 0);
	end();
	assert_true(backend("active", &at, "") == 0);
	assert_true(backend("bytes_total", &at, ",direction=\"up\"") == 5);
	assert_true(backend("connects_total", NULL, "") == 0);
}

static void
test_backends_are_bounded(void **state)
{
	struct weir_addr at = dial.to[0], refusing;
	char text[WEIR_ADDR_TEXT];

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	counted_conf.backends = 1;
	join();
	assert_true(backend("failures_total", &refusing, "") == 1);
	assert_true(backend("connects_total", NULL, "") == 1);
	assert_true(backend("active", NULL, "") == 1);
	assert_null(strstr(reply, weir_addr_text(&at, text)));
	end();
	assert_true(backend("active", NULL, "") == 0);
}

/* A place that nobody has asked for long is another one's, and what was counted
 * there that of all others. */
static void
test_places_of_backends_become_free(void **state)
{
	struct weir_addr at = dial.to[0], refusing;
	char text[WEIR_ADDR_TEXT];
	int i;

	(void)state;
	rig_refusing(&refusing);
	dial.to[1] = at;
	dial.to[0] = refusing;
	dial.n = 2;
	counted_conf.backends = 1;
	join();
	end();
	dial.to[0] = at;
	dial.n = 1;
	for (i = 0; i < 64; i++) {
		rig_join(&rig, listener, &client, &server);
		end();
	}
	assert_in_range(backend("connects_total", &at, ""), 16, 64);
	assert_true(backend("connects_total", NULL, "") +
			    backend("connects_total", &at, "") +
			    backend("failures_total", NULL, "") ==
		    66);
	assert_null(strstr(reply, weir_addr_text(&refusing, text)));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, counted_start, counted_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_backends_have_figures_of_their_own),
		CASE(test_backends_are_bounded),
		CASE(test_places_of_backends_become_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
