/* test_answers.c - what callers of the master say, and what they are told. */
#include "callers_try.h"

static void
test_words_are_told(void **state)
{
	unsigned i;
	char want[64];
	int fd;

	(void)state;
	ends_at_once = true;
	for (i = 0; i < CALLER_WORD_COUNT; i++) {
		fd = call_with(caller_rows[i].word);
		turn();
		turn();
		assert_int_equal(nwords, i + 1);
		assert_int_equal(words[i], i);
		snprintf(want, sizeof(want), "end 0 did %s\n",
			caller_rows[i].word);
		expect(fd, want);
	}
	assert_null(caller_rows[i].word);
	/* As echo(1) writes it. */
	fd = call_with("reload\n");
	turn();
	turn();
	expect(fd, "end 0 did reload\n");
	assert_int_equal(present(), 0);
}

static void
test_other_words_are_answered(void **state)
{
	static const char known[] =
		"; known: reload, reopen, stop, quit, drain, status\n";
	static const struct {
		const char *word, *shown;
		size_t n;
	} rows[] = {
		{ "restart", "restart\"", 7 },
		{ "reloa", "reloa\"", 5 },
		{ "reloadd", "reloadd\"", 7 },
		{ "reload\n\n", "reload?\"", 8 },
		{ "RELOAD", "RELOAD\"", 6 },
		{ "\n", "\"", 1 },
		{ "", "\"", 0 },
		{ "re\0oad", "re", 6 },
		{ "\33[2J%s%n", "?[2J%s%n\"", 8 },
		{ "abcdefghijklmnopqrstuvwxyz0123456789",
			"abcdefghijklmnopqrstuvwxyz01234\"...", 36 },
	};
	bool ended;
	const char *text;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = call();
		assert_int_equal(send(fd, rows[i].word, rows[i].n, 0),
			(ssize_t)rows[i].n);
		turn();
		turn();
		text = heard(fd, &ended);
		assert_true(ended);
		assert_memory_equal(text, "end 1 no such word: \"", 21);
		assert_memory_equal(
			text + 21, rows[i].shown, strlen(rows[i].shown));
		assert_non_null(strstr(text, known));
		close(fd);
	}
	assert_int_equal(nwords, 0);
}

static void
test_big_and_random_packets(void **state)
{
	static char bytes[60000];
	unsigned seed = 1, i;
	bool ended;
	size_t n, at;
	int fd;

	(void)state;
	for (i = 0; i < 300; i++) {
		n = i == 0 ? sizeof(bytes) : (size_t)rand_r(&seed) % 64;
		for (at = 0; at < n; at++)
			bytes[at] = (char)rand_r(&seed);
		fd = call();
		assert_int_equal(send(fd, bytes, n, 0), (ssize_t)n);
		turn();
		turn();
		assert_non_null(strstr(heard(fd, &ended), "; known: reload,"));
		assert_true(ended);
		close(fd);
	}
	assert_int_equal(nwords, 0);
	assert_int_equal(present(), 0);
}

/* Those who called before a run get its outcome, the others that of the next.
 */
static void
test_outcome_is_for_the_run(void **state)
{
	int first = call_with("reload"), second = call_with("reload");
	int other = call_with("status"), late;

	(void)state;
	turn();
	turn();
	assert_int_equal(nwords, 3);
	assert_true(callers_waiting(&cs, CALLER_RELOAD));
	callers_begin(&cs, CALLER_RELOAD);
	assert_false(callers_waiting(&cs, CALLER_RELOAD));
	late = call_with("reload");
	turn();
	turn();
	assert_true(callers_waiting(&cs, CALLER_RELOAD));
	callers_say(&cs, CALLER_RELOAD, CALLER_SAYS_INFO, "loading %d", 7);
	callers_text(&cs, CALLER_RELOAD, CALLER_SAYS_ERROR,
		"weir.conf:3: bad\n\nweir.conf:4: worse");
	callers_end(&cs, CALLER_RELOAD, 1, "nothing has changed");
	expect(first, "info loading 7\nerror weir.conf:3: bad\nerror \n"
		      "error weir.conf:4: worse\nend 1 nothing has changed\n");
	expect(second, "info loading 7\nerror weir.conf:3: bad\nerror \n"
		       "error weir.conf:4: worse\nend 1 nothing has changed\n");
	expect_nothing(late);
	expect_nothing(other);
	callers_begin(&cs, CALLER_RELOAD);
	callers_end(&cs, CALLER_RELOAD, 0, "generation 2");
	expect(late, "end 0 generation 2\n");
	/* Nobody is left who could be told twice. */
	callers_end(&cs, CALLER_RELOAD, 0, "again");
	expect_nothing(other);
	callers_close(&cs);
	expect(other, "end 1 weir ended before that was done\n");
}

static void
test_outcome_may_take_its_time(void **state)
{
	int fd = call_with("reload");

	(void)state;
	turn();
	turn();
	assert_true(callers_next(&cs) == UINT64_MAX);
	now_ms += 1000 * CALLER_MS;
	turn();
	callers_begin(&cs, CALLER_RELOAD);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	expect(fd, "end 0 done\n");
}

/* It costs what its lines take, up to a limit, and 5 s. */
static void
test_one_that_never_reads(void **state)
{
	static char page[3 * CALLER_LINE];
	int fd = call_with("reload"), i;
	struct pollfd pfds[CALLERS_FDS];

	(void)state;
	turn();
	turn();
	memset(page, 'x', sizeof(page) - 1);
	callers_begin(&cs, CALLER_RELOAD);
	for (i = 0; i < 1000; i++)
		callers_text(&cs, CALLER_RELOAD, CALLER_SAYS_INFO, page);
	assert_int_equal(callers_fds(&cs, pfds), 2);
	assert_int_equal(pfds[1].events, POLLOUT);
	assert_true(callers_next(&cs) == START_MS + CALLER_MS);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	assert_int_equal(present(), 1);
	now_ms = START_MS + CALLER_MS;
	turn();
	assert_int_equal(present(), 0);
	close(fd);
}

static void
test_slow_reader_gets_the_end(void **state)
{
	static char all[1 << 20], page[2 * CALLER_LINE];
	size_t len = 0, n;
	int fd = call_with("reload"), i;
	bool ended = false;
	const char *text;

	(void)state;
	turn();
	turn();
	memset(page, 'x', sizeof(page) - 1);
	callers_begin(&cs, CALLER_RELOAD);
	for (i = 0; i < 1000; i++)
		callers_text(&cs, CALLER_RELOAD, CALLER_SAYS_INFO, page);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	while (!ended) {
		text = heard(fd, &ended);
		n = strlen(text);
		assert_true(len + n < sizeof(all));
		memcpy(all + len, text, n + 1);
		len += n;
		now_ms += CALLER_MS - 1;
		turn();
	}
	assert_non_null(strstr(all, "x...\ninfo xxx"));
	text = strstr(all, "\nerror (");
	assert_non_null(text);
	assert_int_equal(strtol(text + 8, NULL, 10) + 0,
		1000 - (text - all + 1) / CALLER_LINE);
	assert_non_null(
		strstr(text, " more lines could not be shown)\nend 0 done\n"));
	assert_int_equal(present(), 0);
	close(fd);
}

/* socat(1) closes its writing half when its input ends. */
static void
test_half_closed_one_is_answered(void **state)
{
	struct pollfd pfds[CALLERS_FDS];
	int fd = call_with("reload");
	size_t n;

	(void)state;
	shutdown(fd, SHUT_WR);
	turn();
	turn();
	assert_int_equal(nwords, 1);
	/* Which does not wake the master again and again. */
	n = callers_fds(&cs, pfds);
	assert_int_equal(n, 2);
	assert_int_equal(poll(pfds, n, 0), 0);
	callers_begin(&cs, CALLER_RELOAD);
	callers_end(&cs, CALLER_RELOAD, 0, "done");
	expect(fd, "end 0 done\n");
}

static void
test_second_word_is_not_heard(void **state)
{
	struct pollfd pfds[CALLERS_FDS];
	int fd = call_with("reload");
	size_t n;

	(void)state;
	turn();
	turn();
	say(fd, "stop");
	n = callers_fds(&cs, pfds);
	assert_int_equal(poll(pfds, n, 0), 0);
	turn();
	assert_int_equal(nwords, 1);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CALLERS_TEST(test_words_are_told),
		CALLERS_TEST(test_other_words_are_answered),
		CALLERS_TEST(test_big_and_random_packets),
		CALLERS_TEST(test_outcome_is_for_the_run),
		CALLERS_TEST(test_outcome_may_take_its_time),
		CALLERS_TEST(test_one_that_never_reads),
		CALLERS_TEST(test_slow_reader_gets_the_end),
		CALLERS_TEST(test_half_closed_one_is_answered),
		CALLERS_TEST(test_second_word_is_not_heard),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
