/* test_link.c - what keepers ask of a worker is answered in slices, whatever
 * becomes of the channels, and of the keepers, meanwhile. */
#include <sys/resource.h>

#include "link_try.h"

static uint64_t seen[2 * CLIENTS]; /* ids of rows, in the order they came */
static size_t nseen;

static struct link_list
everything(uint32_t limit)
{
	return (struct link_list){
		.head = { LINK_LIST, 7 }, .client.all = true, .limit = limit
	};
}

/* Notes the rows of one packet; true: it is the last one. */
static bool
note_rows(void)
{
	const struct link_rows *rows = answer(LINK_LIST);
	const char *texts[LINK_TEXT_COUNT];
	size_t at = sizeof(*rows);
	uint32_t i;

	assert_int_equal(rows->head.ask, 7);
	for (i = 0; i < rows->n; i++) {
		const struct link_row *row = (const void *)(packet + at);

		assert_true(link_row_texts(row, packet_len - at, texts));
		assert_string_equal(texts[LINK_TEXT_SERVER], "rig");
		assert_int_equal(row->generation, 3);
		assert_int_equal(row->slot, 1);
		assert_true(nseen < 2 * CLIENTS);
		seen[nseen++] = row->id;
		at += row->size;
	}
	assert_int_equal(at, packet_len);
	return rows->last;
}

static void
list_all(const struct link_list *q)
{
	nseen = 0;
	ask(q, sizeof(*q));
	while (!note_rows())
		continue;
}

static void
test_hello_and_figures(void **state)
{
	const struct link_hello *hello = answer(LINK_HELLO);
	const struct link_figures *figures;

	(void)state;
	assert_int_equal(hello->version, LINK_VERSION);
	assert_int_equal(hello->generation, 3);
	assert_int_equal(hello->slot, 1);
	assert_int_equal(hello->pid, getpid());
	join(2);
	rig_advance(&rig, 700);
	ask_head(LINK_FIGURES, 9);
	figures = answer(LINK_FIGURES);
	assert_int_equal(figures->head.ask, 9);
	assert_int_equal(figures->channels, 2);
	assert_true(figures->oldest_ms >= 700);
	assert_int_equal(figures->state, LINK_STATE_ACCEPTS);
}

static void
test_all_are_listed_in_small_packets(void **state)
{
	struct link_list q = everything(UINT32_MAX);
	unsigned i;

	(void)state;
	(void)answer(LINK_HELLO);
	join(CLIENTS);
	list_all(&q);
	assert_int_equal(nseen, CLIENTS);
	for (i = 1; i < nseen; i++)
		assert_true(seen[i - 1] < seen[i]);
}

static void
test_the_first_of_an_order(void **state)
{
	struct link_list q = everything(3);
	const struct link_rows *rows = (const void *)packet;

	(void)state;
	(void)answer(LINK_HELLO);
	join(20);
	rig_say(clients[4], "1234567");
	rig_say(clients[9], "12345");
	rig_say(clients[2], "123");
	rig_quiet(&rig);
	q.sort = LINK_SORT_UP_BYTES;
	q.reverse = true;
	list_all(&q);
	assert_int_equal(nseen, 3);
	assert_int_equal(rows->total, 20);
	assert_int_equal(seen[0], 5);
	assert_int_equal(seen[1], 10);
	assert_int_equal(seen[2], 3);
}

static void
test_rates_are_those_of_the_time_between(void **state)
{
	struct link_list q = everything(1);
	const struct link_row *row;

	(void)state;
	(void)answer(LINK_HELLO);
	join(20);
	rig_say(clients[4], "before");
	rig_quiet(&rig);
	nseen = 0;
	q.rate_ms = 20;
	q.sort = LINK_SORT_RATE;
	q.reverse = true;
	ask(&q, sizeof(q));
	rig_until(&rig, LIST_EMPTY(&rig.loop.cursors));
	rig_quiet(&rig);
	rig_say(clients[11], "while it is counted");
	assert_true(note_rows());
	assert_int_equal(nseen, 1);
	assert_int_equal(seen[0], 12);
	row = (const void *)(packet + sizeof(struct link_rows));
	assert_true(row->rates[WEIR_UP] > 0);
}

static void
test_filters(void **state)
{
	struct link_list q = everything(UINT32_MAX);

	(void)state;
	(void)answer(LINK_HELLO);
	join(10);
	memcpy(q.server, "other", 6);
	list_all(&q);
	assert_int_equal(nseen, 0);
	q = everything(UINT32_MAX);
	memcpy(q.state, "joined", 7);
	memcpy(q.backend, "127.0.0.1:", 11);
	list_all(&q);
	assert_int_equal(nseen, 10);
	q.client = (struct weir_cidr){ .addr = { [15] = 1 }, .bits = 128 };
	list_all(&q);
	assert_int_equal(nseen, 0);
	q = everything(UINT32_MAX);
	q.min_age_ms = 3600000;
	list_all(&q);
	assert_int_equal(nseen, 0);
}

static void
test_channels_are_freed_amid_a_listing(void **state)
{
	struct link_list q = everything(UINT32_MAX);
	bool last = false;
	unsigned i, closed = 0, j;

	(void)state;
	(void)answer(LINK_HELLO);
	join(CLIENTS);
	nseen = 0;
	ask(&q, sizeof(q));
	while (!last) {
		last = note_rows();
		/* Wherever the cursor is, those around it go. */
		for (i = 0; i < 40 && closed < CLIENTS - 1; i++, closed++) {
			rig_close(&clients[closed]);
			rig_close(&servers[closed]);
		}
		rig_turn(&rig);
	}
	for (i = 1; i < nseen; i++)
		assert_true(seen[i - 1] < seen[i]);
	for (i = j = 0; i < nseen; i++)
		j += seen[i] == CLIENTS;
	assert_int_equal(j, 1);
	assert_true(LIST_EMPTY(&rig.loop.cursors));
}

static void
test_f62_a_keeper_that_does_not_read_stops_nobody(void **state)
{
	struct link_list q = everything(UINT32_MAX);
	unsigned i, n = 0;

	(void)state;
	(void)answer(LINK_HELLO);
	join(CLIENTS);
	for (i = 0; i < 32; i++)
		ask(&q, sizeof(q));
	for (i = 0; i < 200; i++) {
		rig_say(clients[i], "ping");
		rig_hear(&rig, servers[i], "ping");
	}
	rig_quiet(&rig);
	/* All is told in the end. */
	while (n < 32) {
		const struct link_rows *rows = answer(LINK_LIST);

		n += rows->last;
	}
}

static void
test_f62_keepers_that_leave(void **state)
{
	struct link_list q = everything(UINT32_MAX);
	int fds[2], i;

	(void)state;
	join(50);
	q.rate_ms = 1000;
	ask(&q, sizeof(q));
	q.rate_ms = 0;
	for (i = 0; i < 10; i++)
		ask(&q, sizeof(q));
	ask(&(struct link_trace){ .head = { LINK_TRACE, 2 },
		    .client.all = true },
		sizeof(struct link_trace));
	rig_turn(&rig);
	rig_turn(&rig);
	rig_close(&keeper);
	rig_until(&rig, links.n == 0);
	assert_true(LIST_EMPTY(&rig.loop.cursors));
	assert_true(LIST_EMPTY(&rig.loop.tracers));
	/* More of them than there can be: the first ones are dropped. */
	for (i = 0; i < 20; i++) {
		assert_int_equal(msg_pair(fds), 0);
		links_add(&links, fds[1]);
		if (keeper != -1)
			close(keeper);
		keeper = fds[0];
	}
	(void)answer(LINK_HELLO);
}

static void
test_f62_what_is_no_question_ends_the_link(void **state)
{
	static const struct {
		uint32_t words[4];
		size_t n;
	} bad[] = { { { LINK_TYPE_COUNT, 1 }, 8 }, { { LINK_FIGURES }, 4 },
		{ { LINK_FIGURES, 1, 2 }, 12 }, { { LINK_LIST, 1 }, 8 },
		{ { LINK_HELLO, 1 }, 8 }, { { LINK_DONE, 1 }, 8 },
		{ { UINT32_MAX, UINT32_MAX }, 8 } };
	int fds[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ask(bad[i].words, bad[i].n);
		rig_until(&rig, links.n == 0);
		rig_close(&keeper);
		assert_int_equal(msg_pair(fds), 0);
		keeper = fds[0];
		links_add(&links, fds[1]);
	}
}

static void
test_kill(void **state)
{
	const struct link_done *done;

	(void)state;
	(void)answer(LINK_HELLO);
	join(5);
	ask(&(struct link_name){ { LINK_KILL, 4 }, 3 },
		sizeof(struct link_name));
	done = answer(LINK_DONE);
	assert_int_equal(done->head.ask, 4);
	assert_int_equal(done->err, 0);
	assert_int_equal(done->n, 1);
	rig_hear_reset(&rig, clients[2]);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig_ends.reason, WEIR_R_KILLED);
	ask(&(struct link_name){ { LINK_KILL, 5 }, 3 },
		sizeof(struct link_name));
	done = answer(LINK_DONE);
	assert_int_equal(done->err, ENOENT);
}

/* Of many channels both sides are open here. */
static int
files_raise(void **state)
{
	struct rlimit files;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return -1;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		link_test(test_hello_and_figures),
		link_test(test_all_are_listed_in_small_packets),
		link_test(test_the_first_of_an_order),
		link_test(test_rates_are_those_of_the_time_between),
		link_test(test_filters),
		link_test(test_channels_are_freed_amid_a_listing),
		link_test(test_f62_a_keeper_that_does_not_read_stops_nobody),
		link_test(test_f62_keepers_that_leave),
		link_test(test_f62_what_is_no_question_ends_the_link),
		link_test(test_kill),
	};

	return cmocka_run_group_tests(tests, files_raise, NULL);
}
