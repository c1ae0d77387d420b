/* test_link.c - what keepers ask of a worker is answered in slices, whatever
 * becomes of the channels, and of the keepers, meanwhile. */
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

#include "base/link.h"
#include "base/msg.h"
#include "heritage.h"
#include "lib/rig.h"
#include "worker/accept.h"
#include "worker/link.h"

#define CLIENTS 300

static struct rig rig;
static struct rig_dial dial = { .n = 1 };
static struct acceptor acceptor;
static struct heritage heritage;
static struct links links;
static int listener, keeper;
static int clients[CLIENTS], servers[CLIENTS];
static uint64_t seen[2 * CLIENTS]; /* ids of rows, in the order they came */
static size_t nseen;
static _Alignas(8) uint8_t packet[LINK_PACKET];
static size_t packet_len;
static size_t event_at; /* of the next event in the packet; 0: none */

static int
start(void **state)
{
	int i, fds[2];

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		clients[i] = servers[i] = -1;
	nseen = event_at = 0;
	rig_init(&rig);
	listener = rig_backend(&dial.to[0]);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	heritage = (struct heritage){ .generation = 3, .slot = 1 };
	acceptor = (struct acceptor){ .open = true };
	links_init(&links, &rig.loop, &heritage, &acceptor, &rig.engine, 1);
	assert_int_equal(msg_pair(fds), 0);
	keeper = fds[0];
	links_add(&links, fds[1]);
	return 0;
}

static int
stop(void **state)
{
	int i;

	(void)state;
	links_done(&links);
	rig_close(&keeper);
	for (i = 0; i < CLIENTS; i++) {
		rig_close(&clients[i]);
		rig_close(&servers[i]);
	}
	rig_stop(&rig);
	rig_close(&listener);
	return 0;
}

static void
join(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		clients[i] = rig_client(&rig);
		servers[i] = rig_take(&rig, listener);
	}
	rig_quiet(&rig);
}

static bool
comes(void)
{
	return recv(keeper, packet, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

/* The next packet is of that type. */
static const void *
answer(enum link_type type)
{
	ssize_t n;

	rig_until(&rig, comes());
	n = recv(keeper, packet, sizeof(packet), 0);
	assert_true(n > 0);
	packet_len = (size_t)n;
	assert_true(link_fits(packet, packet_len, type));
	return packet;
}

static void
ask(const void *q, size_t n)
{
	assert_int_equal(send(keeper, q, n, MSG_NOSIGNAL), n);
}

static void
ask_head(enum link_type type, uint32_t number)
{
	ask(&(struct link_head){ type, number }, sizeof(struct link_head));
}

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

/* Reads events, from where it was, until one has those words; what it is. */
static const struct link_event *
event_of(const char *what)
{
	const struct link_events *es = (const void *)packet;
	int left;

	for (left = 1000; left > 0; left--) {
		const struct link_event *e = (void *)(packet + event_at);

		if (event_at == 0 || event_at >= packet_len) {
			es = answer(LINK_TRACE);
			event_at = es->n == 0 ? 0 : sizeof(*es);
			continue;
		}
		event_at += e->size;
		if (strcmp(e->what, what) == 0)
			return e;
	}
	fail_msg("there is no event \"%s\"", what);
	return NULL;
}

static void
test_trace_of_one(void **state)
{
	struct link_trace q = {
		.head = { LINK_TRACE, 6 }, .id = 2, .bytes = 4
	};
	const struct link_event *e;

	(void)state;
	(void)answer(LINK_HELLO);
	join(3);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	rig_say(clients[0], "not this one");
	rig_quiet(&rig);
	rig_say(clients[1], "hello");
	e = event_of("read");
	assert_int_equal(e->id, 2);
	assert_int_equal(e->n, 5);
	assert_int_equal(e->side, WEIR_FRONTEND);
	assert_int_equal(e->len, 4);
	assert_memory_equal(e->data, "hell", 4);
	rig_close(&clients[1]);
	rig_close(&servers[1]);
	(void)event_of("dead");
	(void)event_of("cleanup finished");
	(void)answer(LINK_DONE);
	assert_true(LIST_EMPTY(&rig.loop.tracers));
	/* Nobody has that number now. */
	ask(&q, sizeof(q));
	assert_int_equal(
		((const struct link_done *)answer(LINK_DONE))->err, ENOENT);
}

static void
test_trace_of_those_who_come(void **state)
{
	struct link_trace q = { .head = { LINK_TRACE, 6 }, .client.all = true };

	(void)state;
	(void)answer(LINK_HELLO);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	join(1);
	assert_int_equal(event_of("accepted by rig")->id, 1);
	(void)event_of("joined");
	ask_head(LINK_END, 6);
	rig_until(&rig, LIST_EMPTY(&rig.loop.tracers));
	rig_say(clients[0], "x");
	rig_hear(&rig, servers[0], "x");
}

static void
test_a_slow_reader_of_a_trace_is_told_what_it_lost(void **state)
{
	struct link_trace q = { .head = { LINK_TRACE, 6 },
		.client.all = true,
		.bytes = LINK_TRACE_MOST };
	uint64_t events = 0, lost = 0;
	int i;

	(void)state;
	(void)answer(LINK_HELLO);
	join(1);
	ask(&q, sizeof(q));
	rig_quiet(&rig);
	for (i = 0; i < 4000; i++) {
		rig_say(clients[0], "0123456789");
		rig_hear(&rig, servers[0], "0123456789");
	}
	while (lost == 0) {
		const struct link_events *es = answer(LINK_TRACE);

		events += es->n;
		lost += es->lost;
	}
	assert_true(events > 100);
	assert_int_equal(events + lost, 8000);
}

#define test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_hello_and_figures),
		test(test_all_are_listed_in_small_packets),
		test(test_the_first_of_an_order),
		test(test_rates_are_those_of_the_time_between),
		test(test_filters),
		test(test_channels_are_freed_amid_a_listing),
		test(test_f62_a_keeper_that_does_not_read_stops_nobody),
		test(test_f62_keepers_that_leave),
		test(test_f62_what_is_no_question_ends_the_link),
		test(test_kill),
		test(test_trace_of_one),
		test(test_trace_of_those_who_come),
		test(test_a_slow_reader_of_a_trace_is_told_what_it_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
