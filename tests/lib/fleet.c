/* fleet.c - weirs that share a table through a Redis, for tests. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/fleet.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/redis.h"

#define TEXT	 "0123456789" /* of a channel that counts: 20 bytes in all */
#define STALE_MS 600

/* One that looks for its Redis there, with one more option. */
struct daemon *
fleet_weir_with(const char *sync, const char *machine, const char *option)
{
	return daemon_start(
		"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
		"api = { listen = [ \"unix:api\" ]; };\n"
		"extensions = ( { type = \"table\"; name = \"seen\"; ttl = "
		"\"31d\";\n"
		"  sync = \"%s\"; machine = \"%s\";\n"
		"  sync_every = \"50ms\"; sync_stale = \"%dms\"; %s } );\n"
		"servers = (\n"
		"  { name = \"held\"; listen = \"127.0.0.1:0\";\n"
		"    middlewares = ( { type = \"limit_conn\"; max = 3;\n"
		"      table = \"seen\"; }, { type = \"echo\"; } ); },\n"
		"  { name = \"count\"; listen = \"127.0.0.1:0\";\n"
		"    middlewares = ( { type = \"limit_new\"; max = %d;\n"
		"      window = \"30d\"; table = \"seen\"; },\n"
		"      { type = \"quota\"; max = \"1M\"; period = \"30d\";\n"
		"      table = \"seen\"; }, { type = \"echo\"; } ); } );\n",
		sync, machine, STALE_MS, option, FLEET_MOST);
}

struct daemon *
fleet_weir_at(const char *sync, const char *machine)
{
	return fleet_weir_with(sync, machine, "");
}

struct daemon *
fleet_weir(const char *machine)
{
	char sync[128];
	struct daemon *d;

	snprintf(sync, sizeof(sync), "redis+unix://%s", redis_path());
	d = fleet_weir_at(sync, machine);
	daemon_wait_log(d, "shares the table with", DAEMON_MS);
	return d;
}

/* Waits until a weir has that of the one key that there is. */
void
fleet_until(struct daemon *d, const char *column, int64_t n)
{
	char path[64];

	snprintf(path, sizeof(path), "columns.%s", column);
	http_until(d, "GET /v1/tables/seen", "total", 1);
	http_until(d, FLEET_ROW, path, n);
}

/* A number of the command sync. */
int64_t
fleet_status(struct daemon *d, const char *name)
{
	struct http h = http_ask(d, "POST /v1/extensions/seen/sync", NULL, 200);
	int64_t n = http_number(&h, name);

	http_done(&h);
	return n;
}

/* Waits until all that was so before is fleet_exchanged. */
void
fleet_exchanged(struct daemon *d)
{
	int64_t end = procs_now() + DAEMON_MS,
		n = fleet_status(d, "exchanges") + 3;

	while (fleet_status(d, "exchanges") < n)
		assert_true(procs_now() < end);
}

/* So many channels that count, one after the other; the longest took ms. */
int64_t
fleet_count(struct daemon *d, int n)
{
	int64_t begun, longest = 0;
	int fd;

	for (; n > 0; n--) {
		begun = procs_now();
		fd = peer_connect(daemon_port(d, "count", 0));
		peer_echo(fd, TEXT);
		peer_half_close(fd);
		peer_read_eof(fd);
		close(fd);
		if (procs_now() - begun > longest)
			longest = procs_now() - begun;
	}
	return longest;
}

/* Both know of so many channels that have counted. */
void
fleet_both_until(struct daemon *a, struct daemon *b, int n)
{
	fleet_until(a, "quota", 20 * n);
	fleet_until(b, "quota", 20 * n);
	fleet_until(a, "new", FLEET_MOST - n);
	fleet_until(b, "new", FLEET_MOST - n);
}

void
fleet_stop(struct daemon *a, struct daemon *b)
{
	daemon_stop(a);
	daemon_stop(b);
}

void
fleet_refused(struct daemon *d)
{
	int fd = peer_connect(daemon_port(d, "held", 0));

	peer_read_eof(fd);
	close(fd);
}

pid_t
fleet_keeper(struct daemon *d)
{
	struct http h = http_ask(d, "GET /v1/status", NULL, 200);
	pid_t pid = (pid_t)http_number(&h, "keeper.pid");

	http_done(&h);
	return pid;
}

/* All its processes at once. */
void
fleet_dies(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS + 1];
	size_t i, n = daemon_workers(d, pids);

	pids[n++] = fleet_keeper(d);
	daemon_signal(d, SIGSTOP);
	for (i = 0; i < n; i++)
		assert_int_equal(kill(pids[i], SIGKILL), 0);
	daemon_kill_master(d);
}
