/* test_crashes.c - deaths of workers and masters, ends of channels: as often
 * and as long as it takes to trust what was seen. */
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/crash.h"
#include "lib/daemon.h"
#include "lib/held.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define KILLS	      200
#define CLOSE_WAIT_MS 300
#define SECOND_MS     1000
#define SYN_MS	      20
#define LONG_SECONDS  3600

/* What a start takes on a machine that does nothing else, roughly. */
#ifdef WEIR_DEBUG
#define START_US 150000
#else
#define START_US 8000
#endif

/* ---- the master ---------------------------------------------------------- */

/* X(word, the longest until it is killed, in us, what it does before) */
#define MOMENTS(X)                                                             \
	X(starting, START_US, "it was executed, and forks its workers")        \
	X(serving, 10000, "it is ready")                                       \
	X(replacing, START_US, "it forks another worker in place of a dead")   \
	X(reloading, START_US, "it loads, and forks the next generation")      \
	X(quitting, CLOSE_WAIT_MS * 1000, "its workers let channels finish")   \
	X(stopping, 3000, "its workers leave")

struct killing {
	struct daemon *d;
	uint16_t port;
	int client; /* of a channel that is held; -1: none */
	int64_t killed_ms;
	int64_t served_ms, gone_ms, ready_ms; /* the longest of all */
};

#define X(word, us, text) static void until_##word(struct killing *k);
MOMENTS(X)
#undef X

static const struct {
	const char *word;
	unsigned most_us;
	void (*until)(struct killing *k);
} moments[] = {
#define X(word, us, text) { #word, us, until_##word },
	MOMENTS(X)
#undef X
};

#define NMOMENTS (sizeof(moments) / sizeof(moments[0]))

static void
keep_longest(int64_t *longest, int64_t since)
{
	int64_t ms = procs_now() - since;

	*longest = ms > *longest ? ms : *longest;
}

/* Starts it, whatever still leaves, and holds a channel. */
static void
until_serving(struct killing *k)
{
	int64_t start = procs_now();

	daemon_launch(k->d);
	keep_longest(&k->ready_ms, start);
	k->client = peer_connect(k->port);
	peer_send_text(k->client, "hello");
	peer_expect_text(k->client, "hello");
}

static void
until_starting(struct killing *k)
{
	daemon_begin(k->d);
}

static void
until_replacing(struct killing *k)
{
	until_serving(k);
	kill(daemon_worker(k->d, 0), SIGKILL);
}

static void
until_reloading(struct killing *k)
{
	until_serving(k);
	daemon_signal(k->d, SIGHUP);
}

static void
until_quitting(struct killing *k)
{
	until_serving(k);
	daemon_signal(k->d, SIGQUIT);
}

static void
until_stopping(struct killing *k)
{
	until_serving(k);
	daemon_signal(k->d, SIGTERM);
}

static void
kill_master(struct killing *k, unsigned us)
{
	struct timespec moment = { .tv_sec = us / 1000000,
		.tv_nsec = (long)(us % 1000000) * 1000 };
	pid_t pid = daemon_pid(k->d);
	int status;

	ppoll(NULL, 0, &moment, NULL);
	k->killed_ms = procs_now();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(procs_reap(pid, &status, DAEMON_MS));
}

/* Does anybody let us in?  A listener that is closed at the same moment may
 * drop a SYN, which the kernel repeats after a second: that is no answer. */
static bool
is_served(uint16_t port, bool *refused)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0;

	assert_int_not_equal(fd, -1);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == -1)
		err = errno;
	if (err == EINPROGRESS && poll(&pfd, 1, SYN_MS) == 1)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	close(fd);
	*refused = err == ECONNREFUSED;
	if (err != 0 && err != EINPROGRESS && err != ECONNRESET)
		assert_true(*refused);
	return err == 0;
}

/* Asks until nobody listens; notes when somebody let us in last. */
static void
wait_refused(struct killing *k)
{
	bool refused = false;

	while (!refused) {
		if (is_served(k->port, &refused))
			keep_longest(&k->served_ms, k->killed_ms);
		assert_true(procs_now() - k->killed_ms < DAEMON_MS);
	}
}

/* Children of ours that are not the master, if there is one. */
static void
wait_gone(struct killing *k, pid_t master)
{
	pid_t pids[DAEMON_WORKERS];
	size_t i, n, left = 0;
	int status;

	do {
		n = procs_children(getpid(), pids, DAEMON_WORKERS);
		for (i = left = 0; i < n; i++) {
			if (pids[i] == master)
				continue;
			left++;
			assert_true(procs_reap(pids[i], &status, DAEMON_MS));
			if (status != 0 && status != SIGKILL)
				fail_msg("an orphan's wait status is 0x%x",
					(unsigned)status);
		}
	} while (left > 0);
	keep_longest(&k->gone_ms, k->killed_ms);
	if (k->client != -1)
		close(k->client);
	k->client = -1;
}

/* While those of the dead one still leave, the next one starts and serves. */
static void
start_at_once(struct killing *k)
{
	int held = k->client, status;

	until_serving(k);
	close(k->client);
	k->client = held;
	wait_gone(k, daemon_pid(k->d));
	daemon_signal(k->d, SIGTERM);
	assert_true(procs_reap(daemon_pid(k->d), &status, DAEMON_MS));
	assert_int_equal(status, 0);
}

static void
test_f11_master_is_killed_at_any_moment(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10)
				      : (unsigned)getpid();
	struct killing k = { .d = daemon_new(), .client = -1 };
	int hold = peer_hold(&k.port);
	unsigned i, n[NMOMENTS] = { 0 };

	(void)state;
	print_message("# SEED=%u\n", seed);
	daemon_watchdog(LONG_SECONDS);
	daemon_write(k.d,
		"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:%u\";"
		" close_wait = \"%dms\"; middlewares = \"echo\"; } );\n",
		k.port, CLOSE_WAIT_MS);
	daemon_expect_alert(k.d, "was killed by signal 9");
	for (i = 0; i < KILLS; i++) {
		size_t at = (size_t)rand_r(&seed) % NMOMENTS;

		n[at]++;
		moments[at].until(&k);
		kill_master(&k, (unsigned)rand_r(&seed) % moments[at].most_us);
		if (rand_r(&seed) & 1) {
			start_at_once(&k);
		} else {
			wait_refused(&k);
			wait_gone(&k, 0);
		}
	}
	for (i = 0; i < NMOMENTS; i++)
		print_message("# %u killed while %s\n", n[i], moments[i].word);
	print_message("# none accepts after %lld ms, all gone after %lld ms "
		      "(close_wait %d ms), the next start took %lld ms, at "
		      "most\n",
		(long long)k.served_ms, (long long)k.gone_ms, CLOSE_WAIT_MS,
		(long long)k.ready_ms);
	assert_in_range(k.served_ms, 0, SECOND_MS);
	assert_in_range(k.gone_ms, 0, CLOSE_WAIT_MS + SECOND_MS);
	assert_in_range(k.ready_ms, 0, SECOND_MS + START_US / 1000);
	daemon_launch(k.d);
	daemon_stop(k.d);
	close(hold);
}

/* ---- workers ------------------------------------------------------------- */

static void
test_kill_one_of_two(void **state)
{
	(void)state;
	daemon_watchdog(LONG_SECONDS);
	crash_one_of_two(100);
}

static void
test_f9_crash_loop(void **state)
{
	(void)state;
	crash_loop(10, 15);
}

static void
test_f9_all_break_for_long(void **state)
{
	(void)state;
	crash_loop_of_all(1, 10, 15);
	/* Each slot begins with some of its own. */
	crash_loop_of_all(2, 10, 20);
}

static void
test_f10_poison_for_long(void **state)
{
	(void)state;
	crash_poison(30);
}

/* ---- channels ------------------------------------------------------------ */

/* One channel alone keeps the whole from its end, and for no longer than it
 * may: 2 s, half a second either way. */
static void
each_state(const char *label, int64_t (*end)(struct held *h))
{
	struct held h;
	int64_t took;
	size_t i;

	/* The last one would end by itself before that. */
	for (i = 0; i < held_states(); i++) {
		bool last = i == held_states() - 1;
		int64_t wait_ms = last ? 1000 : 2000;

		held_start(&h, i, last ? "1s" : "2s");
		took = end(&h);
		held_done(&h);
		print_message("# %s, a channel in state %s: gone after %lld "
			      "ms\n",
			label, held_word(i), (long long)took);
		assert_in_range(took, wait_ms - 500, wait_ms + 500);
	}
}

static int64_t
end_by_quit(struct held *h)
{
	int64_t start = procs_now();

	daemon_signal(h->d, SIGQUIT);
	daemon_finish(h->d, 0);
	return procs_now() - start;
}

static int64_t
end_by_drain(struct held *h)
{
	int64_t start, end;

	daemon_signal(h->d, SIGHUP);
	daemon_wait_log(h->d, "ready gen=2", DAEMON_MS);
	start = procs_now();
	daemon_wait_log(h->d, "generation 1 is gone", DAEMON_MS);
	end = procs_now();
	daemon_stop(h->d);
	return end - start;
}

static void
test_f22_quit_in_each_state(void **state)
{
	(void)state;
	each_state("QUIT", end_by_quit);
}

static void
test_f22_drain_in_each_state(void **state)
{
	(void)state;
	each_state("DRAIN", end_by_drain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f11_master_is_killed_at_any_moment),
		daemon_test(test_kill_one_of_two),
		daemon_test(test_f9_crash_loop),
		daemon_test(test_f9_all_break_for_long),
		daemon_test(test_f10_poison_for_long),
		daemon_test(test_f22_quit_in_each_state),
		daemon_test(test_f22_drain_in_each_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
