/* test_registry.c - what every module of the build has to be, whatever it does:
 * described, with options that work, and sound among neighbours that do
 * anything, and when memory fails. */
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/entry.h"
#include "conf/stage.h"
#include "lib/alloc.h"
#include "lib/chance.h"
#include "lib/described.h"
#include "lib/entry.h"
#include "lib/limits.h"
#include "lib/pair.h"
#include "lib/wild.h"
#include "registry.h"

#define CHANNELS     150 /* of each module among wild neighbours */
#define STEPS	     40	 /* of each of them */
#define NEIGHBOUR_AT "127.0.0.1:9"
#define CTX_MOST     65536

struct test_case {
	const char *name;
	CMUnitTestFunction f;
};

static struct entry entry;

#include "extension_try.h"

/* ---- what it says of itself ---------------------------------------------- */

static void
test_is_described(void **state)
{
	const struct weir_middleware *mw = *state;
	const struct weir_variable *v, *other;

	assert_true(entry_is_name(mw->name));
	assert_ptr_equal(registry_find(mw->name), mw);
	assert_sentence(mw->name, mw->help);
	assert_rows(mw->opts);
	assert_rows_apart(mw->opts, stage_rows.opts);
	for (v = mw->variables; v != NULL && v->name != NULL; v++) {
		assert_key(v->name);
		assert_sentence(v->name, v->help);
		assert_non_null(v->get);
		assert_int_not_equal(v->type, WEIR_VALUE_NONE);
		assert_in_range(v->since, 0, WEIR_MOMENT_COUNT - 1);
		for (other = mw->variables; other < v; other++)
			assert_string_not_equal(other->name, v->name);
	}
}

static void
test_fits_together(void **state)
{
	const struct weir_middleware *mw = *state;
	bool has_opts = mw->opts != NULL && mw->opts[0].key != NULL;

	assert_int_equal(has_opts, mw->conf_size > 0);
	assert_in_range(mw->ctx_size, 0, CTX_MOST);
	assert_int_equal(mw->flags & ~(unsigned)WEIR_PREREAD, 0);
	if (mw->flags & WEIR_PREREAD)
		assert_non_null(mw->up);
	assert_true(mw->stop == NULL || mw->start != NULL);
	assert_true(mw->open != NULL || mw->up != NULL || mw->down != NULL ||
		    mw->route != NULL || mw->target != NULL ||
		    mw->signal != NULL || mw->close != NULL);
}

/* ---- its options --------------------------------------------------------- */

/* Nothing but options that must be given is missing: defaults are good. */
static void
test_defaults_are_good(void **state)
{
	const struct weir_middleware *mw = *state;

	entry_try(&entry, mw->name, "", NULL);
	assert_defaults(mw->name, mw->opts, mw->example, entry.said);
}

static void
test_example_works(void **state)
{
	const struct weir_middleware *mw = *state;

	if (mw->example == NULL)
		assert_int_equal(assert_rows(mw->opts), 0);
	entry_load(
		&entry, mw->name, mw->example != NULL ? mw->example : "", NULL);
	assert_ptr_equal(entry.stage->mw, mw);
}

/* ---- among others -------------------------------------------------------- */

/* A rig with the module as its example has it, and a backend of ours there. */
static void
registry_start(const struct weir_middleware *mw, bool with_neighbours)
{
	char text[1024] = "";
	const char *from = mw->example != NULL ? mw->example : "", *at;
	size_t n = 0;

	while ((at = strstr(from, NEIGHBOUR_AT)) != NULL) {
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%.*s${BACKEND}", (int)(at - from), from);
		from = at + strlen(NEIGHBOUR_AT);
	}
	snprintf(text + n, sizeof(text) - n, "%s", from);
	assert_int_equal(limits_setup(NULL), 0);
	pair_start(NULL);
	rig.services = &limits_services;
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	entry_load(&entry, mw->name, text, &dial.to[0]);
	rig.server.idle_timeout_ms = rig.server.connect_timeout_ms = 600000;
	rig.server.half_close_timeout_ms = 600000;
	rig.server.dumb_connect_timeout_ms = 500000;
	if (with_neighbours)
		rig_add(&rig, &wild, NULL);
	rig_add(&rig, mw, entry.stage->conf);
	if (with_neighbours)
		rig_add(&rig, &wild, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
}

static void
registry_stop(void)
{
	rig_stop(&rig);
	rig_close(&listener);
	assert_int_equal(limits_teardown(NULL), 0);
}

/* Words of the example in quotes are what the module may wait for: one time in
 * so many, they come first. */
static size_t
something(const struct weir_middleware *mw, unsigned rarely,
	char text[static 256])
{
	const char *from = mw->example, *end;
	unsigned which = 1 + 2 * chance(2);
	size_t n = 0, i;

	while (which-- > 0 && from != NULL && (from = strchr(from, '"')))
		from++;
	if (chance(rarely) == 0 && from != NULL && (end = strchr(from, '"')) &&
		end - from < 200) {
		n = (size_t)(end - from);
		memcpy(text, from, n);
	}
	for (i = chance(40); i > 0; i--)
		text[n++] = chance(4) == 0 ? '\n' : (char)chance(256);
	return n;
}

/* Sends something, or reads what is there; ends are passed on in time. */
static void
step(const struct weir_middleware *mw, int fd)
{
	char text[4096];
	size_t n = something(mw, 4, text);

	if (fd == -1)
		return;
	if (chance(2))
		send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (rig_read(fd, text, sizeof(text)) == 0)
		shutdown(fd, SHUT_WR);
}

static void
assert_no_breach(void)
{
	const char *alert = rig_alert(&rig);

	if (alert != NULL)
		fail_msg("%s", alert);
	assert_int_not_equal(rig_ends.reason, WEIR_R_BUG);
}

static void
life_end(unsigned before)
{
	char p[4096];
	int left;

	for (left = RIG_TURNS; rig_ends.n == before && left > 0; left--) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd != -1 && server == -1)
			server = fd;
		if (server != -1) {
			shutdown(server, SHUT_WR);
			while (rig_read(server, p, sizeof(p)) > 0)
				;
		}
		while (rig_read(client, p, sizeof(p)) > 0)
			;
		rig_turn(&rig);
		/* Whoever waits for a time has waited long enough. */
		if (left % 100 == 0)
			rig_advance(&rig, left == RIG_TURNS / 2 ? 700000 : 300);
	}
	assert_int_equal(rig_ends.n, before + 1);
	assert_no_breach();
}

static void
test_wild_neighbours(void **state)
{
	const struct weir_middleware *mw = *state;
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : arc4random();
	unsigned i, k, before;
	char text[256];
	size_t n;

	print_message("# SEED=%" PRIu64 "\n", seed);
	wild_seed(seed);
	registry_start(mw, true);
	for (i = 0; i < CHANNELS; i++) {
		before = rig_ends.n;
		client = rig_client(&rig);
		n = something(mw, 2, text);
		send(client, text, n, MSG_NOSIGNAL);
		for (k = 0; k < STEPS && rig_ends.n == before; k++) {
			if (server == -1)
				server = accept4(listener, NULL, NULL,
					SOCK_NONBLOCK | SOCK_CLOEXEC);
			step(mw, chance(2) ? client : server);
			if (chance(3) == 0)
				rig_turn(&rig);
		}
		if (chance(8) == 0 && rig_ends.n == before)
			rig_reset(&client);
		else
			shutdown(client, SHUT_WR);
		life_end(before);
		rig_close(&client);
		rig_close(&server);
		while ((server = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) !=
			-1)
			close(server);
	}
	registry_stop();
}

/* ---- without memory ------------------------------------------------------ */

/* A short life; was there a channel at all? */
static bool
memory_life(const struct weir_middleware *mw)
{
	unsigned before = rig_ends.n;
	char text[256];
	size_t n = something(mw, 1, text);

	client = rig_client(&rig);
	if (rig.loop.channels == 0 && rig_ends.n == before) {
		rig.opened--;
		rig_close(&client);
		return false;
	}
	send(client, text, n, MSG_NOSIGNAL);
	rig_turn(&rig);
	shutdown(client, SHUT_WR);
	life_end(before);
	rig_close(&client);
	rig_close(&server);
	while ((server = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
		close(server);
	return true;
}

static void
test_every_allocation_fails_once(void **state)
{
	const struct weir_middleware *mw = *state;
	unsigned nth, none = 0;
	bool failed = true;

	wild_seed(7);
	registry_start(mw, false);
	for (nth = 1; failed && nth < 1000; nth++) {
		alloc_fail_at(nth);
		none += !memory_life(mw);
		failed = alloc_failed();
	}
	assert_false(failed);
	assert_int_not_equal(none, 0);
	registry_stop();
}

/* ---- all of them --------------------------------------------------------- */

static int
entry_done(void **state)
{
	(void)state;
	entry_free(&entry);
	return 0;
}

static const struct test_case cases[] = {
	{ "is described", test_is_described },
	{ "fits together", test_fits_together },
	{ "defaults are good", test_defaults_are_good },
	{ "example works", test_example_works },
	{ "has wild neighbours", test_wild_neighbours },
	{ "every allocation fails once", test_every_allocation_fails_once },
};
#define NCASES (sizeof(cases) / sizeof(cases[0]))

/* The tests of all modules. */
static struct {
	struct CMUnitTest *v;
	size_t n;
} tests;

/* Those of one, with the cases that are there for its kind. */
static void
tests_add(const char *name, const void *module, const struct test_case *c,
	size_t n)
{
	char *text;
	size_t i;

	tests.v = reallocarray(tests.v, tests.n + n, sizeof(*tests.v));
	for (i = 0; i < n; i++) {
		if (tests.v == NULL ||
			asprintf(&text, "%s %s", name, c[i].name) == -1)
			abort();
		tests.v[tests.n++] = (struct CMUnitTest){ .name = text,
			.test_func = c[i].f,
			.teardown_func = entry_done,
			/* cmocka's state is not const, but nobody writes. */
			.initial_state = (void *)(uintptr_t)module };
	}
}

int
main(void)
{
	const struct weir_extension *const *ext;
	const struct weir_middleware *const *mw;
	size_t i;
	int failed;

	if (registry_check(stderr) == -1)
		return 1;
	for (mw = registry_middlewares; *mw != NULL; mw++)
		tests_add((*mw)->name, *mw, cases, NCASES);
	for (ext = registry_extensions; *ext != NULL; ext++)
		tests_add(
			(*ext)->name, *ext, extension_cases, NEXTENSION_CASES);
	failed = _cmocka_run_group_tests(
		"modules", tests.v, tests.n, NULL, NULL);
	for (i = 0; i < tests.n; i++)
		free((void *)(uintptr_t)tests.v[i].name);
	free(tests.v);
	return failed;
}
