/* test_denylist.c - how a denylist becomes that of its file. */
#include <sys/stat.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "api/weir.h"
#include "base/addr.h"
#include "base/clock.h"
#include "lib/entry.h"
#include "lib/shared.h"
#include "lib/tempdir.h"
#include "shm/owner.h"
#include "shm/siphash.h"

#define LOOKS	10 /* until what was not possible is tried again */
#define HOUR_MS 3600000
#define MANY	3000

extern const struct weir_extension ext_denylist;
/* A look at the file, as there is one each second. */
void file_look(int fd, short what, void *service);

static char file[64];
static struct entry entry;
static struct event_base *base;
static struct weir_table prefixes;
static struct weir_table *tables[] = { &table, &prefixes };
static struct weir_service service;

/* ---- a keeper's part ----------------------------------------------------- */

static void
file_put(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct table_options
options_of(const struct weir_table_spec *spec, const char *name)
{
	return (struct table_options){ .name = name,
		.columns = spec->columns,
		.ncolumns = spec->ncolumns,
		.key_most = spec->key_most,
		.size = spec->size,
		.full = spec->full };
}

static int
denylist_start(void **state)
{
	struct weir_table_spec spec = { 0 };
	struct table_options other;
	char text[96];
	bool fresh;

	snprintf(file, sizeof(file), "%s/deny", tempdir);
	file_put("");
	snprintf(text, sizeof(text), "file = \"%s\";", file);
	entry_try_extension(&entry, "denylist", text);
	assert_non_null(entry.conf);
	service = (struct weir_service){ .type = &ext_denylist,
		.name = "denylist",
		.conf = conf_extension_at(entry.conf, 0)->conf,
		.state = calloc(1, ext_denylist.state_size),
		.tables = tables,
		.ntables = 2,
		.process = WEIR_IN_KEEPER };
	assert_int_equal(shared_start(state), 0);
	table_done(&table);
	assert_true(ext_denylist.table(service.conf, 0, &spec));
	options = options_of(&spec, "denylist");
	shared_open(true);
	assert_true(ext_denylist.table(service.conf, 1, &spec));
	other = options_of(&spec, "prefixes");
	assert_int_equal(table_init(&prefixes, &shm, &other, &fresh), 0);
	table_own(&prefixes, table.me);
	base = service.base = event_base_new();
	assert_int_equal(ext_denylist.keep(&service, NULL), 0);
	return 0;
}

static int
denylist_stop(void **state)
{
	ext_denylist.stop(&service);
	free(service.state);
	event_base_free(base);
	table_done(&prefixes);
	entry_free(&entry);
	(void)unlink(file);
	return shared_stop(state);
}

/* What the loop has to do now. */
static void
turns(void)
{
	unsigned i;

	for (i = 0; i < MANY; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* ---- the list ------------------------------------------------------------ */

/* Keys of the table: a network, and that its line was seen. */
static struct weir_bytes
key_of(uint8_t key[18], const char *network, bool seen)
{
	struct weir_cidr cidr;
	const char *why;

	assert_int_equal(weir_cidr_parse(&cidr, network, &why), 0);
	memcpy(key, cidr.addr, 16);
	key[16] = cidr.bits;
	key[17] = 0;
	return (struct weir_bytes){ .p = key, .len = seen ? 18 : 17 };
}

static bool
is_there(const char *network, bool seen)
{
	uint8_t key[18];
	uint64_t left;

	return weir_table_left(&table, key_of(key, network, seen), &left) == 0;
}

static void
assert_listed(const char *network, bool listed)
{
	assert_int_equal(is_there(network, false), listed);
}

static struct stripe *
stripe_of_key(const char *network, bool seen)
{
	uint8_t key[18];
	struct weir_bytes k = key_of(key, network, seen);
	uint64_t hash = siphash(shm_secret(&shm), k.p, k.len);

	return &table.stripes[(uint32_t)(hash >> 32) & (table.n - 1)];
}

/* ---- tests --------------------------------------------------------------- */

/* When another process hangs with the list, what has left the file leaves the
 * list later. */
static void
test_f1_what_leaves_the_file_leaves_the_list(void **state)
{
	pid_t pid;
	int i;

	(void)state;
	file_put("10.0.0.1\n10.0.0.2 1h\n");
	ext_denylist.serve(&service);
	assert_listed("10.0.0.1", true);
	assert_listed("10.0.0.2", true);
	assert_true(is_there("10.0.0.2", true));
	pid = shared_hang();
	file_put("# nobody\n");
	file_look(-1, 0, &service);
	turns();
	shared_hang_end(pid);
	clock_advance(2000);
	assert_listed("10.0.0.1", true);
	for (i = 0; i < LOOKS; i++)
		file_look(-1, 0, &service);
	turns();
	assert_listed("10.0.0.1", false);
	assert_listed("10.0.0.2", false);
	assert_false(is_there("10.0.0.2", true));
}

/* Who died before it was known that the time of a line has begun. */
static void
test_a_time_begins_once(void **state)
{
	uint8_t key[18];

	(void)state;
	file_put("10.0.0.2 1h\n");
	ext_denylist.serve(&service);
	assert_int_equal(
		weir_table_delete(&table, key_of(key, "10.0.0.2", true)), 0);
	file_put("10.0.0.2 1h\n10.0.0.1\n");
	file_look(-1, 0, &service);
	assert_listed("10.0.0.1", true);
	assert_true(is_there("10.0.0.2", true));
	clock_advance(HOUR_MS);
	assert_listed("10.0.0.2", false);
	file_put("10.0.0.2 1h\n");
	file_look(-1, 0, &service);
	assert_listed("10.0.0.1", false);
	assert_listed("10.0.0.2", false);
}

/* Nor again while nobody can say whether it has. */
static void
test_f1_a_time_that_may_have_begun(void **state)
{
	char network[32], line[40];
	struct stripe *s;
	int i = 0;

	(void)state;
	do
		snprintf(network, sizeof(network), "10.0.0.%d", i++);
	while (stripe_of_key(network, true) == stripe_of_key(network, false));
	snprintf(line, sizeof(line), "%s 1h\n", network);
	file_put(line);
	ext_denylist.serve(&service);
	clock_advance(HOUR_MS);
	s = stripe_of_key(network, true);
	assert_int_equal(pthread_mutex_lock(&s->lock), 0);
	snprintf(line, sizeof(line), "%s 1h\n\n", network);
	file_put(line);
	file_look(-1, 0, &service);
	stripe_unlock(s);
	clock_advance(2000);
	assert_listed(network, false);
	for (i = 0; i < LOOKS; i++)
		file_look(-1, 0, &service);
	assert_listed(network, false);
}

static void
file_put_many(unsigned from)
{
	FILE *f = fopen(file, "w");
	unsigned i;

	assert_non_null(f);
	for (i = from; i < from + MANY; i++)
		fprintf(f, "10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	assert_int_equal(fclose(f), 0);
}

/* Others wait for the loop, so what is long is done in parts; but not before
 * there are others. */
static void
test_a_long_file(void **state)
{
	uint64_t before;

	(void)state;
	file_put_many(0);
	ext_denylist.serve(&service);
	before = table_count(&table);
	assert_int_equal(before, MANY);
	file_put_many(10000);
	file_look(-1, 0, &service);
	assert_in_range(table_count(&table), MANY / 2, MANY - 1);
	/* A look meanwhile begins nothing anew. */
	file_put("10.0.0.1\n");
	file_look(-1, 0, &service);
	assert_listed("10.0.0.1", false);
	assert_listed("10.0.11.1", true);
	turns();
	assert_listed("10.0.11.1", false);
	assert_listed("10.0.39.16", true);
	assert_int_equal(table_count(&table), MANY);
	file_look(-1, 0, &service);
	turns();
	assert_listed("10.0.0.1", true);
	assert_int_equal(table_count(&table), 1);
}

/* Another keeper's file has the say, also of what this one had begun. */
static void
test_who_retires_changes_nothing(void **state)
{
	uint64_t n;

	(void)state;
	ext_denylist.serve(&service);
	file_put_many(0);
	file_look(-1, 0, &service);
	n = table_count(&table);
	assert_in_range(n, 1, MANY - 1);
	ext_denylist.retire(&service);
	turns();
	assert_int_equal(table_count(&table), n);
	assert_int_equal(
		event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
}

#define denylist_test(f)                                                       \
	cmocka_unit_test_setup_teardown(f, denylist_start, denylist_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		denylist_test(test_f1_what_leaves_the_file_leaves_the_list),
		denylist_test(test_a_time_begins_once),
		denylist_test(test_f1_a_time_that_may_have_begun),
		denylist_test(test_a_long_file),
		denylist_test(test_who_retires_changes_nothing),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
