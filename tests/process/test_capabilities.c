/* test_capabilities.c - workers have the capabilities that their configuration
 * needs, and no other. */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>

#include <bsd/unistd.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "heritage.h"
#include "lib/daemon.h"
#include "lib/low.h"
#include "lib/peer.h"
#include "lib/plan.h"
#include "lib/procs.h"

#define NOBODY	 65534
#define BIND_CAP "0000000000000400"
#define NO_CAP	 "0000000000000000"
#define FORWARD                                                                \
	"process = { workers = 1; %s };\n"                                     \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; "              \
	"middlewares = ( { type = \"forward\"; to = \"127.0.0.1:%u\"; "        \
	"source = \"127.0.0.1:%u\"; } ); } );\n"

static char binary[PATH_MAX];

/* Is there such a port at all? */
static bool
low_ports_are_guarded(void)
{
	return low_port() > 1;
}

static void
assert_capabilities(pid_t pid, const char *has)
{
	static const char *const sets[] = { "CapPrm", "CapEff" };
	static const char *const none[] = { "CapInh", "CapAmb" };
	size_t i;

	for (i = 0; i < 2; i++) {
		assert_string_equal(procs_status(pid, sets[i]), has);
		assert_string_equal(procs_status(pid, none[i]), NO_CAP);
	}
	assert_string_equal(procs_status(pid, "NoNewPrivs"), "1");
}

/* A connection through it comes from that port. */
static void
comes_from(struct daemon *d, int backend, uint16_t port)
{
	int client = peer_connect(daemon_port(d, "pg", 0));
	int server = peer_accept(backend);
	struct sockaddr_in in = { .sin_port = 0 };
	socklen_t len = sizeof(in);

	assert_int_equal(getpeername(server, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(ntohs(in.sin_port), port);
	peer_send_text(client, "hello");
	peer_expect_text(server, "hello");
	/* A reset leaves the port free at once. */
	peer_abort(server);
	peer_expect_reset(client);
	close(client);
}

/* As "AmbientCapabilities=" of systemd does; caps is 0 for none. */
static int
become(uint32_t caps)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { {
		.effective = caps,
		.permitted = caps,
		.inheritable = caps,
	} };
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
		chown(".", NOBODY, NOBODY) == -1 ||
		setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
		setresuid(NOBODY, NOBODY, NOBODY) == -1 ||
		syscall(SYS_capset, &head, data) == -1)
		return -1;
	/* The change of user has made it one that /proc hides. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (caps == 0)
		return 0;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE,
		0, 0);
}

/* Runs weir as a user that is not root and has those capabilities. */
static int
run_as_user(int ready_fd, void *arg)
{
	/* Who is not root has none to begin with. */
	if (getuid() == 0 && become(*(const uint32_t *)arg) == -1)
		return 3;
	return plan_run_file(ready_fd, worker_main);
}

static void
assert_refused(struct daemon *d)
{
	daemon_wait_log(d,
		"server \"pg\": middleware \"forward\" needs the capability "
		"CAP_NET_BIND_SERVICE, which weir does not have: start it as "
		"root or with that",
		DAEMON_MS);
}

/* root's workers, whoever they are, keep the one that forward needs. */
static void
test_f61_workers_keep_what_is_needed(void **state)
{
	static const char *const users[] = { "", "user = \"root\";" };
	uint16_t from = low_port(), to;
	int backend = peer_listen(&to);
	bool needed = low_ports_are_guarded();
	struct daemon *d;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_new();
		daemon_write(d, FORWARD, users[i], to, from);
		if (needed && getuid() != 0) {
			daemon_fork_function(d, run_as_user, &(uint32_t){ 0 });
			assert_refused(d);
			daemon_finish(d, 1);
			continue;
		}
		daemon_launch(d);
		assert_capabilities(
			daemon_worker(d, 0), needed ? BIND_CAP : NO_CAP);
		comes_from(d, backend, from);
		assert_int_equal(
			daemon_log_count(d, "keeps CAP_NET_BIND_SERVICE"),
			needed);
		daemon_stop(d);
	}
	close(backend);
}

/* A reload gives it to its workers, and the next one takes it away. */
static void
test_f61_a_reload_changes_what_is_kept(void **state)
{
	bool needed = low_ports_are_guarded(), can = getuid() == 0 || !needed;
	uint16_t from = low_port(), to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, FORWARD, "", to, 0);
	daemon_launch(d);
	assert_capabilities(daemon_worker(d, 0), NO_CAP);
	daemon_write(d, FORWARD, "", to, from);
	daemon_signal(d, SIGHUP);
	if (!can)
		assert_refused(d);
	daemon_wait_log(
		d, can ? "ready gen=2" : "generation 2 is given up", DAEMON_MS);
	assert_capabilities(
		daemon_worker(d, 0), can && needed ? BIND_CAP : NO_CAP);
	if (can) {
		daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
		comes_from(d, backend, from);
	}
	daemon_write(d, FORWARD, "", to, 0);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=3", DAEMON_MS);
	assert_capabilities(daemon_worker(d, 0), NO_CAP);
	daemon_stop(d);
	close(backend);
}

/* Who is not root is refused, and told which capability lacks. */
static void
test_f61_refused_without_the_capability(void **state)
{
	bool needed = low_ports_are_guarded();
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, FORWARD, "", 9, low_port());
	daemon_fork_function(d, run_as_user, &(uint32_t){ 0 });
	if (needed) {
		assert_refused(d);
		daemon_finish(d, 1);
	} else {
		daemon_wait_log(d, "ready gen=1", DAEMON_MS);
		daemon_stop(d);
	}
}

/* Runs the binary as a user that is not root, who may not be able to reach it,
 * to check the file. */
static int
check_as_user(int ready_fd, void *arg)
{
	char *none[] = { NULL };
	char *argv[] = { "weir", "-t", "-c", "weir.conf", arg, NULL };
	int fd = open(binary, O_PATH | O_CLOEXEC);

	(void)ready_fd;
	if (fd == -1 || (getuid() == 0 && become(0) == -1))
		return 3;
	fexecve(fd, argv, none);
	return 4;
}

/* Who checks a file need not be who will start it. */
static void
test_a_check_warns_of_what_lacks(void **state)
{
	static char quiet[] = "-q";
	const char *weir = getenv("WEIR");
	bool needed = low_ports_are_guarded();
	struct daemon *d;
	siginfo_t ended;
	int i;

	(void)state;
	assert_non_null(realpath(weir != NULL ? weir : "./weir", binary));
	for (i = 0; i < 2; i++) {
		d = daemon_new();
		daemon_write(d, FORWARD, "", 9, low_port());
		daemon_fork_function(d, check_as_user, i == 0 ? NULL : quiet);
		assert_int_equal(waitid(P_PID, (id_t)daemon_pid(d), &ended,
					 WEXITED | WNOWAIT),
			0);
		assert_int_equal(
			daemon_logged(d, "the configuration is good"), i == 0);
		assert_int_equal(daemon_logged(d, "[warn]"), needed && i == 0);
		assert_int_equal(
			daemon_logged(d,
				"the capability CAP_NET_BIND_SERVICE, which "
				"weir does not have: start it as root"),
			needed && i == 0);
		daemon_finish(d, 0);
	}
}

/* What the master has is no reason to have it. */
static void
test_f61_workers_of_a_capable_master_have_none(void **state)
{
	uint32_t caps = 1 << CAP_NET_BIND_SERVICE;
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );");
	daemon_launch_function(d, run_as_user, &caps);
	if (getuid() == 0)
		assert_string_equal(
			procs_status(daemon_pid(d), "CapAmb"), BIND_CAP);
	assert_capabilities(daemon_worker(d, 0), NO_CAP);
	daemon_stop(d);
}

/* Without root, but with the one that is needed. */
static void
test_f61_workers_of_a_capable_master_keep_theirs(void **state)
{
	uint32_t caps = 1 << CAP_NET_BIND_SERVICE;
	bool needed = low_ports_are_guarded();
	uint16_t from = low_port(), to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, FORWARD, "", to, from);
	if (needed && getuid() != 0) {
		daemon_fork_function(d, run_as_user, &caps);
		assert_refused(d);
		daemon_finish(d, 1);
	} else {
		daemon_launch_function(d, run_as_user, &caps);
		assert_capabilities(
			daemon_worker(d, 0), needed ? BIND_CAP : NO_CAP);
		comes_from(d, backend, from);
		daemon_stop(d);
	}
	close(backend);
}

/* Nothing that a worker might run could give it one back. */
static void
test_f61_the_bounding_set_is_empty(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\n"
		"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );");
	bool may = prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) == 1 &&
		   getuid() == 0;
	char was[32];

	(void)state;
	snprintf(was, sizeof(was), "%s", procs_status(daemon_pid(d), "CapBnd"));
	assert_string_equal(procs_status(daemon_worker(d, 0), "CapBnd"),
		may ? NO_CAP : was);
	daemon_stop(d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f61_workers_keep_what_is_needed),
		daemon_test(test_f61_a_reload_changes_what_is_kept),
		daemon_test(test_f61_refused_without_the_capability),
		daemon_test(test_a_check_warns_of_what_lacks),
		daemon_test(test_f61_workers_of_a_capable_master_have_none),
		daemon_test(test_f61_workers_of_a_capable_master_keep_theirs),
		daemon_test(test_f61_the_bounding_set_is_empty),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
