/* test_splice_stages.c - middlewares that look at a flow now and then, which is
 * spliced meanwhile: they see what they want, and no byte is overtaken. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/narrow.h"
#include "lib/pair.h"
#include "lib/stream.h"

#define MB   ((uint64_t)1 << 20)
#define WORD "--word--"
#define LOOK 64 /* so many bytes of all that is shown */

static uint64_t at;	 /* the stream's offset of what happened last */
static unsigned times;	 /* that it happened */
static enum weir_dir on; /* of the residue */

static int
start(void **state)
{
	pair_start(state);
	if (rig.server.splice == CONF_SPLICE_AUTO && *state == NULL)
		rig.server.splice = CONF_SPLICE_ON;
	at = times = 0;
	on = WEIR_DOWN;
	return 0;
}

/* Is there anything that the mode lets pass unseen? */
static bool
splices(void)
{
	return rig.server.splice == CONF_SPLICE_ON;
}

/* ---- skip ---------------------------------------------------------------- */

struct skipper {
	uint64_t at; /* next byte that it is shown */
	bool skips;
};

/* Looks at one byte, and lets conf bytes pass. */
static struct weir_verdict
skipper_up(struct weir_call *c, struct weir_bytes in)
{
	const uint64_t *n = c->conf;
	struct skipper *sk = c->ctx;

	if (in.len == 0)
		return weir_pass(0);
	stream_check(sk->at, in.p, in.len < LOOK ? in.len : LOOK);
	times++;
	sk->skips = !sk->skips;
	if (sk->skips) {
		sk->at += 1;
		return weir_pass(1);
	}
	sk->at += *n;
	return weir_skip(*n);
}

static const struct weir_middleware skipper = {
	.name = "skipper", .ctx_size = sizeof(struct skipper), .up = skipper_up
};

static void
skip_all(const uint64_t *n, unsigned stages, uint64_t bytes)
{
	uint64_t shown = 0;
	unsigned i;

	for (i = 0; i < stages; i++) {
		rig_add(&rig, &skipper, &n[i]);
		/* Twice a step: as byte one, and as the rest from there on. */
		shown += 2 * (bytes / (n[i] + 1));
	}
	pair_join();
	pair_carry(client, server, 0, bytes);
	assert_in_range(times, shown, shown + 2 * stages);
	assert_int_equal(pair_flow(WEIR_UP)->in_bytes, bytes);
	assert_int_equal(rig.loop.copied_bytes + rig.loop.spliced_bytes, bytes);
	/* Who looks at each read leaves nothing. */
	if (splices() && n[0] >= 65536)
		assert_true(rig.loop.spliced_bytes > 0);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
}

static void
test_skip_shows_the_byte_behind(void **state)
{
	static const uint64_t n[] = { 300000 };

	(void)state;
	skip_all(n, 1, 4 * MB);
}

static void
test_skip_of_more_than_a_pipe_takes(void **state)
{
	static const uint64_t n[] = { 5 * MB + 1 };

	(void)state;
	skip_all(n, 1, 12 * MB);
}

static void
test_skips_of_several(void **state)
{
	static const uint64_t n[] = { 70000, 65536, 1000003 };

	(void)state;
	skip_all(n, 3, 4 * MB);
}

static void
test_skips_of_few_bytes(void **state)
{
	static const uint64_t n[] = { 7, 1000, 100000 };

	(void)state;
	skip_all(n, 3, MB / 4);
}

/* Not one byte more than the skip lets pass is in the pipe. */
static void
test_skip_splices_exactly(void **state)
{
	static const uint64_t n = 100000;

	(void)state;
	rig_add(&rig, &skipper, &n);
	pair_join();
	pair_carry(client, server, 0, 2);
	pair_carry(client, server, 2, n - 1);
	/* The second byte is shown too, and skipped with the others. */
	assert_int_equal(rig.loop.spliced_bytes, splices() ? n - 1 : 0);
	pair_carry(client, server, n + 1, 10);
	assert_int_equal(
		rig.loop.copied_bytes + rig.loop.spliced_bytes, n + 11);
	assert_int_equal(times, 4);
}

/* ---- detach, attach ------------------------------------------------------ */

static struct weir_verdict
once(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	at += in.len;
	times++;
	return weir_detach();
}

static const struct weir_middleware mw_once = {
	.name = "once", .up = once, .down = once
};

static void
test_who_has_detached_is_spliced_past(void **state)
{
	(void)state;
	rig_add(&rig, &mw_once, NULL);
	pair_join();
	pair_carry(client, server, 0, 3 * MB);
	assert_int_equal(times, 1);
	if (splices()) {
		assert_int_equal(rig.loop.copied_bytes, at);
		assert_int_equal(rig.loop.spliced_bytes, 3 * MB - at);
	}
	pair_carry(server, client, 0, MB);
	assert_int_equal(times, 2);
}

/* ---- what is done while a pipe has bytes --------------------------------- */

enum deed { DEED_ATTACH, DEED_EMIT, DEED_END, DEED_CLOSE };

static struct weir_verdict
deed_do(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const enum deed *deed = c->conf;

	if (dir == on && times++ == 0)
		return weir_detach(); /* to be attached again */
	if (dir == on) {
		stream_check(at, in.p, in.len);
		at += in.len;
		return weir_pass(in.len);
	}
	if (in.len == 0)
		return weir_pass(0);
	at = pair_flow(on)->in_bytes - 1;
	if (*deed == DEED_ATTACH)
		weir_attach(c, on);
	if (*deed == DEED_EMIT || *deed == DEED_CLOSE)
		weir_emit(c, on, WORD, strlen(WORD));
	if (*deed == DEED_END)
		weir_end(c, on);
	if (*deed == DEED_CLOSE)
		return weir_close(WEIR_R_DENIED);
	return weir_drop(in.len);
}

static struct weir_verdict
deed_up(struct weir_call *c, struct weir_bytes in)
{
	return deed_do(c, in, WEIR_UP);
}

static struct weir_verdict
deed_down(struct weir_call *c, struct weir_bytes in)
{
	return deed_do(c, in, WEIR_DOWN);
}

static const struct weir_middleware mw_deed = {
	.name = "deed", .up = deed_up, .down = deed_down
};

/* Who is told to do it, who is read from, of the direction with residue. */
static int
teller(void)
{
	return on == WEIR_DOWN ? client : server;
}

static int
source(void)
{
	return on == WEIR_DOWN ? server : client;
}

/* Fills the direction, and has the deed done while there are bytes in its pipe;
 * how many bytes its source has sent. */
static uint64_t
deed_done(enum weir_dir dir, const enum deed *deed)
{
	uint64_t sent;

	on = dir;
	rig_add(&rig, &mw_deed, deed);
	narrow_join();
	rig_say(source(), "?");
	rig_hear(&rig, teller(), "?");
	assert_int_equal(times, 1);
	sent = narrow_block(source(), on);
	assert_int_equal(times, 1);
	assert_int_equal(send(teller(), "x", 1, MSG_NOSIGNAL), 1);
	rig_quiet(&rig);
	narrow_widen(teller(), on);
	return sent;
}

/* Reads bytes up to there. */
static void
hear_to(uint64_t from, uint64_t to)
{
	int left = RIG_TURNS;

	while (from < to && left-- > 0) {
		uint64_t n = stream_drink(teller(), from, to - from);

		from += n;
		if (n == 0)
			rig_turn_wait(&rig);
	}
	assert_int_equal(from, to);
}

static void
attach(enum weir_dir dir)
{
	static const enum deed deed = DEED_ATTACH;
	uint64_t sent = deed_done(dir, &deed), attached = at;

	assert_non_null(pair_flow(on)->pipe);
	assert_true(attached < sent);
	hear_to(0, sent);
	assert_true(times > 1);
	assert_int_equal(at, sent); /* all behind the pipe was shown */
	pair_carry(source(), teller(), sent, 1000);
	assert_int_equal(at, sent + 1000);
}

static void
test_attach_with_bytes_in_the_pipe(void **state)
{
	(void)state;
	attach(WEIR_DOWN);
}

static void
test_attach_with_bytes_in_the_pipe_up(void **state)
{
	(void)state;
	attach(WEIR_UP);
}

static void
emit(enum weir_dir dir)
{
	static const enum deed deed = DEED_EMIT;
	uint64_t sent = deed_done(dir, &deed);

	assert_true(at < sent);
	hear_to(0, at);
	rig_hear(&rig, teller(), WORD);
	hear_to(at, sent);
	/* And it is spliced again. */
	assert_int_equal(pair_flow(on)->out.len, 0);
	pair_carry(source(), teller(), sent, 10000);
	assert_int_equal(pair_flow(on)->in_bytes, 1 + sent + 10000);
}

static void
test_emit_behind_bytes_in_the_pipe(void **state)
{
	(void)state;
	emit(WEIR_DOWN);
}

static void
test_emit_behind_bytes_in_the_pipe_up(void **state)
{
	(void)state;
	emit(WEIR_UP);
}

static void
end(enum weir_dir dir)
{
	static const enum deed deed = DEED_END;
	uint64_t sent = deed_done(dir, &deed), more;

	assert_true(at < sent);
	hear_to(0, at);
	rig_hear_end(&rig, teller());
	/* The rest goes nowhere, but it is read. */
	more = stream_pour(source(), sent, MB);
	rig_until(&rig, pair_flow(on)->in_bytes == 1 + sent + more);
	shutdown(client, SHUT_WR);
	shutdown(server, SHUT_WR);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

static void
test_end_behind_bytes_in_the_pipe(void **state)
{
	(void)state;
	end(WEIR_DOWN);
}

static void
test_end_behind_bytes_in_the_pipe_up(void **state)
{
	(void)state;
	end(WEIR_UP);
}

/* The client hears all that was read, and the last word. */
static void
test_close_behind_bytes_in_the_pipe(void **state)
{
	static const enum deed deed = DEED_CLOSE;

	(void)state;
	deed_done(WEIR_DOWN, &deed);
	hear_to(0, at);
	rig_hear(&rig, client, WORD);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	rig_until(&rig, rig.loop.channels == 0);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
}

int
main(void)
{
#define stage_test(f)  cmocka_unit_test_setup_teardown(f, start, pair_stop)
#define stage_tests(f) mode_tests(f, start, pair_stop)
	const struct CMUnitTest tests[] = {
		stage_tests(test_skip_shows_the_byte_behind),
		stage_tests(test_skip_of_more_than_a_pipe_takes),
		stage_tests(test_skips_of_several),
		stage_tests(test_skips_of_few_bytes),
		mode_test(test_skip_splices_exactly, spliced, start, pair_stop),
		stage_tests(test_who_has_detached_is_spliced_past),
		stage_test(test_attach_with_bytes_in_the_pipe),
		stage_test(test_attach_with_bytes_in_the_pipe_up),
		stage_test(test_emit_behind_bytes_in_the_pipe),
		stage_test(test_emit_behind_bytes_in_the_pipe_up),
		stage_test(test_end_behind_bytes_in_the_pipe),
		stage_test(test_end_behind_bytes_in_the_pipe_up),
		stage_test(test_close_behind_bytes_in_the_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
