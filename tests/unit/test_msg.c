/* test_msg.c - messages between master and worker. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/msg.h"

static int fds[2];

static int
setup(void **state)
{
	(void)state;
	return msg_pair(fds);
}

static int
teardown(void **state)
{
	(void)state;
	close(fds[0]);
	if (fds[1] != -1)
		close(fds[1]);
	return 0;
}

static void
test_pair_is_private_and_never_blocks(void **state)
{
	struct msg m;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		errno = 0;
		assert_int_equal(msg_recv(fds[i], &m), -1);
		assert_int_equal(errno, EAGAIN);
	}
}

static void
test_each_message_arrives_alone(void **state)
{
	struct msg m;
	uint32_t type;

	(void)state;
	for (type = 0; type < MSG_COUNT; type++)
		assert_int_equal(
			msg_send(fds[0], (enum msg_type)type, type + 40), 0);
	for (type = 0; type < MSG_COUNT; type++) {
		assert_int_equal(msg_recv(fds[1], &m), 1);
		assert_int_equal(m.type, type);
		assert_int_equal(m.arg, type + 40);
	}
	assert_int_equal(msg_recv(fds[1], &m), -1);
}

static void
test_full_pair_says_so(void **state)
{
	int n = 0;

	(void)state;
	while (msg_send(fds[0], MSG_STOP, 0) == 0)
		assert_true(++n < 1000000);
	assert_int_equal(errno, EAGAIN);
	assert_true(n > 1);
}

static void
test_the_end(void **state)
{
	struct msg m;

	(void)state;
	assert_int_equal(msg_send(fds[1], MSG_READY, 0), 0);
	close(fds[1]);
	fds[1] = -1;
	errno = 0;
	assert_int_equal(msg_send(fds[0], MSG_STOP, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(msg_recv(fds[0], &m), 1);
	assert_int_equal(m.type, MSG_READY);
	assert_int_equal(msg_recv(fds[0], &m), 0);
	assert_int_equal(msg_recv(fds[0], &m), 0);
}

/* Who leaves without reading all still said what it said. */
static void
test_the_end_with_unread_messages(void **state)
{
	struct msg m;

	(void)state;
	assert_int_equal(msg_send(fds[0], MSG_STOP, 0), 0);
	assert_int_equal(msg_send(fds[1], MSG_READY, 0), 0);
	close(fds[1]);
	fds[1] = -1;
	assert_int_equal(msg_recv(fds[0], &m), 1);
	assert_int_equal(m.type, MSG_READY);
	assert_int_equal(msg_recv(fds[0], &m), 0);
}

static void
test_what_is_not_ours(void **state)
{
	const uint32_t unknown[2] = { MSG_COUNT, 0 };
	const uint32_t extra[3] = { MSG_STOP, 0, 0 };
	struct msg m = { .type = 77, .arg = 78 };
	int i;

	(void)state;
	assert_int_equal(send(fds[0], "x", 1, 0), 1);
	assert_int_equal(
		send(fds[0], unknown, sizeof(unknown), 0), sizeof(unknown));
	assert_int_equal(send(fds[0], extra, sizeof(extra), 0), sizeof(extra));
	for (i = 0; i < 3; i++) {
		errno = 0;
		assert_int_equal(msg_recv(fds[1], &m), -1);
		assert_int_equal(errno, EPROTO);
		assert_int_equal(m.type, 77);
	}
}

/* A descriptor arrives with its own message, close-on-exec. */
static void
test_descriptors(void **state)
{
	int pipe_fds[2], got;
	struct msg m;
	char c = 0;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(msg_send(fds[0], MSG_QUIT, 1), 0);
	assert_int_equal(msg_send_fd(fds[0], MSG_REOPEN, 2, pipe_fds[1]), 0);
	assert_int_equal(msg_send(fds[0], MSG_STOP, 3), 0);
	close(pipe_fds[1]);
	assert_int_equal(msg_recv_fd(fds[1], &m, &got), 1);
	assert_int_equal(got, -1);
	assert_int_equal(msg_recv_fd(fds[1], &m, &got), 1);
	assert_int_equal(m.type, MSG_REOPEN);
	assert_int_equal(m.arg, 2);
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(got);
	assert_int_equal(msg_recv_fd(fds[1], &m, &got), 1);
	assert_int_equal(m.type, MSG_STOP);
	assert_int_equal(got, -1);
	close(pipe_fds[0]);
}

/* Who expects none, or one, keeps no other one open. */
static void
test_descriptors_nobody_wants(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} room = { .bytes = { 0 } };
	struct msg m = { .type = MSG_REOPEN };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr hdr = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes) };
	int lowest = dup(STDERR_FILENO), three[3] = { 0, 1, 2 }, got, free_fd;

	(void)state;
	close(lowest);
	CMSG_FIRSTHDR(&hdr)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&hdr)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&hdr)->cmsg_len = CMSG_LEN(sizeof(three));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&hdr)), three, sizeof(three));
	assert_int_equal(sendmsg(fds[0], &hdr, 0), sizeof(m));
	assert_int_equal(sendmsg(fds[0], &hdr, 0), sizeof(m));
	assert_int_equal(msg_recv(fds[1], &m), 1);
	assert_int_equal(msg_recv_fd(fds[1], &m, &got), 1);
	if (got != -1)
		close(got);
	free_fd = dup(STDERR_FILENO);
	close(free_fd);
	assert_int_equal(free_fd, lowest);
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(msg_word(MSG_READY), "ready");
	assert_string_equal(msg_word(MSG_QUIT), "quit");
	assert_string_equal(msg_word(MSG_COUNT), "unknown");
	assert_string_equal(msg_word(UINT32_MAX), "unknown");
}

int
main(void)
{
#define MSG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		MSG_TEST(test_pair_is_private_and_never_blocks),
		MSG_TEST(test_each_message_arrives_alone),
		MSG_TEST(test_full_pair_says_so),
		MSG_TEST(test_the_end),
		MSG_TEST(test_the_end_with_unread_messages),
		MSG_TEST(test_what_is_not_ours),
		MSG_TEST(test_descriptors),
		MSG_TEST(test_descriptors_nobody_wants),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
