/* test_control.c - the control socket and the service manager of a real weir.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/text.h"

#define CONF                                                                   \
	"process = { workers = 1; pidfile = \"weir.pid\"; };\n"                \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );\n"

/* A unix socket of that type, and the address of that file of d. */
static int
unix_socket(
	struct daemon *d, int type, const char *file, struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/%s", daemon_dir(d),
		file);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* The next packet, within DAEMON_MS. */
static const char *
packet(int fd)
{
	static char text[8192];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&pfd, 1, DAEMON_MS), 1);
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void
test_words_that_answer(void **state)
{
	struct daemon *d = daemon_start(CONF);
	struct stat st;

	(void)state;
	assert_int_equal(stat(daemon_path(d, "weir.pid.ctl"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
		daemon_say(d, "status", "generation 1: 1 of 1 workers"), 0);
	assert_int_equal(daemon_say(d, "reload", "generation 2 serves"), 0);
	/* Said only when it is so. */
	assert_true(daemon_logged(d, "ready gen=2 workers=1"));
	assert_int_equal(
		daemon_say(d, "status", "generation 2: 1 of 1 workers"), 0);
	daemon_stop(d);
}

/* Nine bytes through a server that splices or does not; a worker that takes
 * over a slot adds to what was counted there. */
static void
test_status_counts_bytes(void **state)
{
	static const char *const says[][2] = {
		{ "off", "generation 1: 9 bytes copied, 0 spliced" },
		{ "on", "generation 1: 0 bytes copied, 9 spliced" },
	};
	uint16_t port;
	int i, client, server, backend = peer_listen(&port);
	struct daemon *d;
	pid_t pid;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_start("process = { workers = 1; "
				 "pidfile = \"weir.pid\"; };\n"
				 "servers = ( { name = \"r\"; splice = \"%s\"; "
				 "listen = \"127.0.0.1:0\"; middlewares = "
				 "( { type = \"forward\"; "
				 "to = \"127.0.0.1:%u\"; } ); } );\n",
			says[i][0], port);
		client = peer_connect(daemon_port(d, "r", 0));
		server = peer_accept(backend);
		peer_send_text(client, "hello");
		peer_expect_text(server, "hello");
		peer_send_text(server, "well");
		peer_expect_text(client, "well");
		close(client);
		peer_read_eof(server);
		close(server);
		daemon_fds_settle(d);
		assert_int_equal(daemon_say(d, "status", says[i][1]), 0);
		pid = daemon_worker(d, 0);
		daemon_expect_alert(d, "exited with code 0");
		assert_int_equal(kill(pid, SIGTERM), 0);
		daemon_wait_log(d, "exited with code 0", DAEMON_MS);
		daemon_wait_log(d, ") is ready", DAEMON_MS);
		assert_int_equal(daemon_say(d, "status", says[i][1]), 0);
		daemon_stop(d);
	}
	close(backend);
}

static void
test_failed_reload_says_why(void **state)
{
	struct daemon *d = daemon_start(CONF);
	struct sockaddr_un un;
	char all[4096] = "";
	const char *text;
	int fd = unix_socket(d, SOCK_SEQPACKET, "weir.pid.ctl", &un);

	(void)state;
	daemon_write(d, "servres = ( );\n");
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(send(fd, "reload", 6, MSG_NOSIGNAL), 6);
	do {
		text = packet(fd);
		assert_true(strlen(all) + strlen(text) < sizeof(all));
		memcpy(all + strlen(all), text, strlen(text) + 1);
	} while (*text != '\0');
	assert_contains(all, "error weir.conf:1: unknown option \"servres\"");
	assert_contains(all, "\nend 1 nothing was reloaded: generation 2 is "
			     "given up, 1 goes on\n");
	close(fd);
	close(peer_connect(daemon_port(d, "pg", 0)));
	daemon_write(d, CONF);
	daemon_stop(d);
}

static void
test_service_manager_is_told(void **state)
{
	struct daemon *d = daemon_new();
	struct sockaddr_un un;
	char setting[200], want[200];
	int fd = unix_socket(d, SOCK_DGRAM, "notify", &un);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	snprintf(setting, sizeof(setting), "NOTIFY_SOCKET=%s", un.sun_path);
	daemon_env(d, setting);
	daemon_write(d, CONF);
	daemon_launch(d);
	snprintf(want, sizeof(want),
		"READY=1\nMAINPID=%d\nSTATUS=generation 1, 1 workers",
		(int)daemon_pid(d));
	assert_string_equal(packet(fd), want);
	assert_int_equal(daemon_say(d, "reload", "generation 2"), 0);
	assert_contains(packet(fd), "RELOADING=1\nMONOTONIC_USEC=");
	snprintf(want, sizeof(want),
		"READY=1\nMAINPID=%d\nSTATUS=generation 2, 1 workers",
		(int)daemon_pid(d));
	assert_string_equal(packet(fd), want);
	assert_int_equal(daemon_say(d, "stop", ""), 0);
	assert_contains(packet(fd), "STOPPING=1\n");
	unlink(un.sun_path);
	daemon_finish(d, 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_words_that_answer),
		daemon_test(test_status_counts_bytes),
		daemon_test(test_failed_reload_says_why),
		daemon_test(test_service_manager_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
