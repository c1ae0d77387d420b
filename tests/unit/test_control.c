/* test_control.c - a child's end of its control pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/control.h"

#define MESSAGES (CONTROL_A_TURN + 10)

static unsigned heard;
static uint32_t last_type;

static void
told(void *arg, const struct msg *m, int attached)
{
	(void)arg;
	assert_int_equal(attached, -1);
	last_type = m->type;
	heard++;
}

/* Whoever says very much does not keep others from their turn. */
static void
test_messages_of_one_turn(void **state)
{
	struct event_base *base = event_base_new();
	struct control c;
	int fds[2], i;

	(void)state;
	assert_int_equal(msg_pair(fds), 0);
	assert_int_equal(control_init(&c, base, fds[1], told, NULL), 0);
	for (i = 0; i < MESSAGES; i++)
		assert_int_equal(msg_send(fds[0], MSG_ADOPT, 1), 0);
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(heard, CONTROL_A_TURN);
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(heard, MESSAGES);
	assert_int_equal(last_type, MSG_ADOPT);
	close(fds[0]);
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(heard, MESSAGES + 1);
	assert_int_equal(last_type, MSG_QUIT);
	control_done(&c);
	close(fds[1]);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_one_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
