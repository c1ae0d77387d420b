/* test_loader.c - a child that never ends to load a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/feed.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define LOAD_MS 10000
#define CONF                                                                   \
	"process = { workers = 1; };\n"                                        \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = \"echo\"; } );\n"

static void
test_f17_loader_hangs(void **state)
{
	struct daemon *d = daemon_new();
	struct reload_view before;
	int64_t start, took;
	struct feed f;
	pid_t loader;

	(void)state;
	feed_init(&f, d);
	daemon_write(d, CONF);
	daemon_launch(d);
	reload_look(d, &before);
	start = procs_now();
	loader = feed_reload(&f);
	close(daemon_join(d, "r"));
	daemon_wait_log(d, "[error] loading weir.conf took more than 10 s",
		LOAD_MS + DAEMON_MS);
	took = procs_now() - start;
	print_message("# given up after %lld ms\n", (long long)took);
	assert_in_range(took, LOAD_MS, LOAD_MS + 1000);
	daemon_wait_log(d, "generation 2 is given up, 1 goes on", DAEMON_MS);
	assert_true(procs_wait_end(loader, DAEMON_MS));
	feed_give(&f, "");
	reload_unchanged(d, &before);
	close(daemon_join(d, "r"));
	daemon_write(d, CONF);
	reload_takes(d, 3);
	close(daemon_join(d, "r"));
	daemon_stop(d);
	feed_done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f17_loader_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
