/* test_wait.c - callbacks that wait for a ticket to be woken, or for a time. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "waiter.h"

/* ---- bytes --------------------------------------------------------------- */

static void
test_the_same_bytes_are_shown_when_woken(void **state)
{
	(void)state;
	waiter_join();
	rig_say(client, "?ab");
	rig_quiet(&rig);
	rig_say(client, "cd");
	rig_hear_nothing(&rig, server);
	rig_say(server, "down");
	rig_hear(&rig, client, "down");
	weir_wake(waiters[0].ticket, 5);
	weir_wake(waiters[0].ticket, 6);
	rig_hear(&rig, server, "?abcd");
	assert_string_equal(waiters[0].shown, "?ab=0 down=0 ?ab=5 ab=0 cd=0 ");
}

static void
test_a_wait_has_its_time(void **state)
{
	(void)state;
	waiters[0].ms = 700;
	waiter_join();
	rig_say(client, "?ab");
	rig_quiet(&rig);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_advance(&rig, 600);
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 200);
	rig_hear(&rig, server, "?ab");
	rig_hear_end(&rig, server);
	assert_int_equal(strncmp(waiters[0].shown, "?ab=0 ?ab=-110 ", 15), 0);
	weir_wake(waiters[0].ticket, 1);
	rig_quiet(&rig);
}

static void
test_a_wake_before_the_verdict_is_kept(void **state)
{
	(void)state;
	waiters[0].early = true;
	waiter_join();
	rig_say(client, "?ab");
	rig_hear(&rig, server, "?ab");
	assert_string_equal(waiters[0].shown, "?ab=0 ?ab=7 ab=0 ");
}

static void
test_a_ticket_is_of_one_wait(void **state)
{
	struct weir_ticket first;

	(void)state;
	waiter_join();
	rig_say(client, "?"
			"?");
	rig_quiet(&rig);
	first = waiters[0].ticket;
	weir_wake(first, 1);
	rig_hear(&rig, server, "?");
	weir_wake(first, 2);
	rig_hear_nothing(&rig, server);
	weir_wake(waiters[0].ticket, 3);
	rig_hear(&rig, server, "?");
	assert_string_equal(waiters[0].shown, "?"
					      "?=0 ?"
					      "?=1 ?=0 ?=3 ");
}

static void
test_a_ticket_outlives_its_channel(void **state)
{
	struct weir_ticket old;
	int other;

	(void)state;
	waiter_join();
	rig_say(client, "?");
	rig_quiet(&rig);
	old = waiters[0].ticket;
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	weir_wake(old, 1);
	/* Its place is another's now. */
	rig_close(&server);
	rig_join(&rig, listener, &other, &server);
	rig_say(other, "?");
	rig_quiet(&rig);
	assert_int_equal(waiters[0].ticket.slot, old.slot);
	weir_wake(old, 1);
	rig_hear_nothing(&rig, server);
	weir_wake(waiters[0].ticket, 1);
	rig_hear(&rig, server, "?");
	rig_close(&other);
	weir_wake((struct weir_ticket){ 0 }, 1);
}

/* Who wakes itself for ever has its turn like everybody. */
static void
test_endless_waits_leave_time_for_others(void **state)
{
	int other, others;

	(void)state;
	waiters[0].early = waiters[0].endless = true;
	waiter_join();
	rig_join(&rig, listener, &other, &others);
	rig_say(client, "?");
	rig_turn(&rig);
	rig_say(other, "others");
	rig_hear(&rig, others, "others");
	rig_hear_nothing(&rig, server);
	rig_close(&other);
	rig_close(&others);
}

static void
test_two_stages_wait_one_after_the_other(void **state)
{
	(void)state;
	rig_add(&rig, &mw_waiter, NULL);
	waiter_join();
	rig_say(client, "?a");
	rig_quiet(&rig);
	assert_string_equal(waiters[1].shown, "");
	weir_wake(waiters[0].ticket, 1);
	rig_quiet(&rig);
	assert_string_equal(waiters[1].shown, "?=0 ");
	weir_wake(waiters[1].ticket, 2);
	rig_hear(&rig, server, "?a");
	assert_string_equal(waiters[1].shown, "?=0 ?a=2 a=0 ");
}

/* ---- open ---------------------------------------------------------------- */

static void
test_open_waits(void **state)
{
	(void)state;
	waiters[0].opens = waiters[1].opens = true;
	rig_add(&rig, &mw_waiter, NULL);
	rig_add(&rig, &mw_waiter, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "hello");
	rig_quiet(&rig);
	assert_string_equal(waiters[0].shown, "open=0 ");
	assert_string_equal(waiters[1].shown, "");
	weir_wake(waiters[0].ticket, 4);
	rig_quiet(&rig);
	assert_string_equal(waiters[0].shown, "open=0 open=4 ");
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_OPEN);
	weir_wake(waiters[1].ticket, 4);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "hello");
}

static void
test_open_may_refuse_later(void **state)
{
	(void)state;
	waiters[0].opens = true;
	waiters[0].ms = 1000;
	rig_add(&rig, &mw_waiter, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	rig_advance(&rig, 1000);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_string_equal(waiters[0].shown, "open=0 open=-110 ");
}

static void
test_a_client_goes_while_open_waits(void **state)
{
	(void)state;
	waiters[0].opens = true;
	rig_add(&rig, &mw_waiter, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	weir_wake(waiters[0].ticket, 0);
	rig_quiet(&rig);
	assert_string_equal(waiters[0].shown, "open=0 ");
}

/* ---- what is not allowed ------------------------------------------------- */

static struct weir_verdict
emit_and_wait(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_emit(c, WEIR_DOWN, "x", 1);
	return weir_wait(1000);
}

static struct weir_verdict
end_and_wait(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_end(c, WEIR_DOWN);
	return weir_wait(1000);
}

static void
breach(struct weir_verdict (*up)(struct weir_call *, struct weir_bytes),
	const char *said)
{
	static struct weir_middleware mw = { .name = "bad" };

	mw.up = up;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	assert_string_equal(rig_ends.facts.detail, said);
	assert_true(rig_logged(&rig, said));
}

static void
test_wait_after_an_emit(void **state)
{
	(void)state;
	breach(emit_and_wait, "holds bytes after it has acted on them");
}

static void
test_wait_after_an_end(void **state)
{
	(void)state;
	breach(end_and_wait, "holds bytes after it has acted on them");
}

/* In debug builds that ends the worker, so that it cannot be overlooked. */
static void
test_it_aborts_if_asked_to(void **state)
{
	static const struct weir_middleware mw = { .name = "bad",
		.up = emit_and_wait };
	int status;
	pid_t pid;

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		log_open("/dev/null", LOG_LEVEL_ALERT);
		call_aborts = true;
		(void)!send(client, "x", 1, MSG_NOSIGNAL);
		rig_quiet(&rig);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static struct weir_verdict
ticket_of_time(struct weir_call *c)
{
	(void)weir_ticket(c);
	return weir_pass(0);
}

static struct weir_verdict
ask_for_time(struct weir_call *c)
{
	weir_timer(c, 10);
	return weir_pass(0);
}

static void
test_a_timer_has_no_ticket(void **state)
{
	static const struct weir_middleware mw = {
		.name = "bad", .open = ask_for_time, .timer = ticket_of_time
	};

	(void)state;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_advance(&rig, 10);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
}

static struct weir_ticket taken;

static struct weir_verdict
ticket_and_pass(struct weir_call *c, struct weir_bytes in)
{
	if (taken.loop == NULL)
		taken = weir_ticket(c);
	return weir_pass(in.len);
}

static void
test_a_ticket_without_a_wait_is_void(void **state)
{
	static const struct weir_middleware mw = { .name = "light",
		.up = ticket_and_pass };

	(void)state;
	taken = (struct weir_ticket){ 0 };
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "ab");
	rig_hear(&rig, server, "ab");
	weir_wake(taken, 1);
	rig_say(client, "cd");
	rig_hear(&rig, server, "cd");
}

#define wait_test(name)                                                        \
	cmocka_unit_test_setup_teardown(name, waiter_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		wait_test(test_the_same_bytes_are_shown_when_woken),
		wait_test(test_a_wait_has_its_time),
		wait_test(test_a_wake_before_the_verdict_is_kept),
		wait_test(test_a_ticket_is_of_one_wait),
		wait_test(test_a_ticket_outlives_its_channel),
		wait_test(test_endless_waits_leave_time_for_others),
		wait_test(test_two_stages_wait_one_after_the_other),
		wait_test(test_open_waits),
		wait_test(test_open_may_refuse_later),
		wait_test(test_a_client_goes_while_open_waits),
		wait_test(test_wait_after_an_emit),
		wait_test(test_wait_after_an_end),
		wait_test(test_it_aborts_if_asked_to),
		wait_test(test_a_timer_has_no_ticket),
		wait_test(test_a_ticket_without_a_wait_is_void),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
