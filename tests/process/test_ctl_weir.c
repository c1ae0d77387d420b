/* test_ctl_weir.c - weirctl and a real weir. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/ctl.h"
#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/text.h"

#define WORDS 8
#define CONF                                                                   \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = [ \"unix:api\" ]; };\n"                              \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

/* Runs weirctl, which must end with that status; part is in what it says. */
static void
say(struct daemon *d, int status, const char *part, const char *const *words)
{
	const char *args[WORDS + 3] = { "-S", daemon_path(d, "api") };
	struct ctl_run r = { 0 };
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		args[i + 2] = words[i];
	ctl_run_list(&r, args);
	assert_contains(status == 0 ? r.out : r.err, part);
	ctl_expect(&r, status, NULL, status == 0 ? "" : NULL);
}

#define SAY(d, status, part, ...)                                              \
	say(d, status, part, (const char *const[]){ __VA_ARGS__, NULL })

/* The id of the only channel, once it is there; valid until the next call. */
static const char *
only_channel(struct daemon *d)
{
	static char id[64];
	struct ctl_run r = { 0 };
	const char *path = daemon_path(d, "api"), *p;

	ctl_run(&r, "channels", "-j", "-S", path, NULL);
	assert_contains(r.out, "\"total\":1");
	p = strstr(r.out, "\"id\":\"");
	assert_non_null(p);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(p + 6, "\""), p + 6);
	ctl_expect(&r, 0, NULL, "");
	return id;
}

/* The keeper has links to workers, which come after the start. */
static struct daemon *
start(void)
{
	struct daemon *d = daemon_start(CONF);

	daemon_fds_allow(d, 6);
	return d;
}

/* Each command that lists has something to show. */
static void
test_lists_of_a_real_one(void **state)
{
	struct daemon *d = start();
	int fd = daemon_join(d, "e");
	const char *id;
	char port[32];
	struct http h;

	(void)state;
	snprintf(port, sizeof(port), "127.0.0.1:%u", daemon_port(d, "e", 0));
	SAY(d, 0, "generation  1\n", "status");
	SAY(d, 0, "accepts", "workers");
	SAY(d, 0, "serves", "generations");
	SAY(d, 0, port, "listeners");
	SAY(d, 0, "NAME", "tables");
	SAY(d, 0, "process.pidfile", "config");
	SAY(d, 0, "NAME", "ext");
	id = only_channel(d);
	SAY(d, 0, id, "channels", "--server=e", "--sort=rate", "--rate=50ms");
	SAY(d, 0, "-\n", "channels", "--sort", "idle", "-r", "-n", "1");
	SAY(d, 0, "SERVER", "channels", "--client=192.0.2.0/24");
	SAY(d, 1, "no table \"x\"", "table", "x", "show");
	SAY(d, 1, "no table \"x\"", "table", "x", "set", "a", "b=1");
	h = http_ask(d, "PUT /v1/tables/x/keys/a", "{}", 404);
	http_done(&h);
	SAY(d, 1, "no extension \"x\"", "ext", "x", "y");
	close(fd);
	daemon_stop(d);
}

static void
test_words_to_a_real_one(void **state)
{
	struct daemon *d = start();
	int fd = daemon_join(d, "e");
	const char *id = only_channel(d);

	(void)state;
	SAY(d, 0, ": killed\n", "kill", id);
	peer_expect_reset(fd);
	close(fd);
	SAY(d, 1, "there is no channel", "kill", id);
	SAY(d, 1, "there is no channel", "trace", id);
	SAY(d, 0, "e: paused\n", "pause", "e");
	SAY(d, 0, "paused", "listeners");
	SAY(d, 0, "e: resumed\n", "resume", "e");
	SAY(d, 1, "there is no server \"x\"", "pause", "x");
	SAY(d, 0, "", "reopen");
	SAY(d, 0, "", "reload");
	SAY(d, 0, "", "wait", "generation=2");
	SAY(d, 0, "", "wait", "drained");
	daemon_put(d, "weir.conf", "servers = 7;\n");
	SAY(d, 1, "weir.conf:1: ", "reload");
	daemon_stop(d);
}

static void
test_trace_of_a_real_one(void **state)
{
	struct daemon *d = start();
	int fd = daemon_join(d, "e");
	const char *id = only_channel(d);

	(void)state;
	/* Nothing happens on it. */
	SAY(d, 0, "", "trace", id, "--timeout=100ms", "--bytes", "16");
	SAY(d, 0, "", "trace", "all", "--timeout=100ms", "--json");
	SAY(d, 1, "\"bytes\"", "trace", id, "--bytes", "1M");
	peer_echo(fd, "hello");
	close(fd);
	daemon_stop(d);
}

/* A real one on a real terminal. */
static void
test_top_of_a_real_one(void **state)
{
	static const struct ctl_key keys[] = { { "1.", "s" }, { "by id", "q" },
		{ 0 } };
	struct daemon *d = start();
	int fd = daemon_join(d, "e");
	struct ctl_run r = { .keys = keys };

	(void)state;
	ctl_run(&r, "-S", daemon_path(d, "api"), "top", "-i", "100ms", NULL);
	ctl_expect(&r, 0, NULL, NULL);
	close(fd);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_lists_of_a_real_one),
		daemon_test(test_words_to_a_real_one),
		daemon_test(test_trace_of_a_real_one),
		daemon_test(test_top_of_a_real_one),
	};

	return cmocka_run_group_tests(tests, ctl_setup, ctl_teardown);
}
