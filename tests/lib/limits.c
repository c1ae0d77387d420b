/* limits.c - a rig with a middleware that limits, beside its table. */
#include <sys/socket.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "api/weir.h"
#include "base/addr.h"
#include "base/clock.h"
#include "engine/services.h"
#include "lib/limits.h"

static const struct weir_column columns[LIMITS_COLUMNS] = {
	[LIMITS_CONNS] = { .name = "conns", .type = WEIR_COLUMN_HELD },
	[LIMITS_NEW] = { .name = "new", .type = WEIR_COLUMN_TOKENS },
	[LIMITS_UP] = { .name = "up", .type = WEIR_COLUMN_TOKENS },
	[LIMITS_DOWN] = { .name = "down", .type = WEIR_COLUMN_TOKENS },
	[LIMITS_QUOTA] = { .name = "quota", .type = WEIR_COLUMN_PERIOD },
};

static struct entry entry;
static _Atomic uint64_t counted[16];

/* The table as an extension of the rig. */
static struct weir_table *const tables[] = { &table };
static const struct weir_extension type = { .name = "table" };
static struct weir_service service = {
	.type = &type, .name = "table", .tables = tables, .ntables = 1
};
const struct services limits_services = { .v = &service, .n = 1 };

int
limits_setup(void **state)
{
	if (mode_start(state) == -1 || shared_start(NULL) == -1)
		return -1;
	options.columns = columns;
	options.ncolumns = LIMITS_COLUMNS;
	options.key_most = 64;
	options.holders = 8;
	shared_anew();
	return 0;
}

static bool
row_holds_nothing(void *arg, const struct row *row)
{
	(void)arg;
	assert_int_equal(row_read(&table.shape, row, LIMITS_CONNS,
				 shm_owners(&shm), clock_ms()),
		0);
	return true;
}

int
limits_teardown(void **state)
{
	table_walk(&table, row_holds_nothing, NULL);
	mode_end(state);
	return shared_stop(NULL);
}

void
limits_start(const char *mw, const char *text)
{
	client = server = -1;
	dial = (struct rig_dial){ .n = 1 };
	listener = rig_backend(&dial.to[0]);
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	rig_init(&rig);
	rig.services = &limits_services;
	entry_load(&entry, mw, text, NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	memset(counted, 0, sizeof(counted));
	assert_in_range(rig.engine.chain.stages[0].nevents, 1, 16);
	rig.engine.chain.stages[0].events = counted;
}

void
limits_stop(void)
{
	rig_close(&client);
	rig_close(&server);
	rig_stop(&rig);
	rig_close(&listener);
	entry_free(&entry);
}

bool
limits_open_to(const char *peer, int *client_fd, int *server_fd)
{
	unsigned before = rig_ends.n;
	struct weir_addr a;
	const char *why;
	int two[2];

	assert_int_equal(addr_parse(&a, peer, &why), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, two),
		0);
	*client_fd = two[1];
	rig.opened++;
	engine_accept(&rig.engine, two[0], &a, 0);
	rig_quiet(&rig);
	if (rig_channel(&rig) == NULL ||
		rig_channel(&rig)->reason != WEIR_R_NONE) {
		rig_close(client_fd);
		rig_until(&rig, rig_ends.n == before + 1);
		return false;
	}
	*server_fd = rig_take(&rig, listener);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_JOINED);
	return true;
}

bool
limits_open(const char *peer)
{
	return limits_open_to(peer, &client, &server);
}

void
limits_end(void)
{
	unsigned before = rig_ends.n;

	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == before + 1);
}

bool
limits_lets_in(const char *peer)
{
	int near = -1, far = -1;
	unsigned before = rig_ends.n;

	if (!limits_open_to(peer, &near, &far))
		return false;
	rig_close(&near);
	rig_close(&far);
	rig_until(&rig, rig_ends.n == before + 1);
	return true;
}

uint64_t
limits_counted(const char *word)
{
	const char *const *words = entry.stage->mw->counters;
	unsigned i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return atomic_load(&counted[i]);
	fail_msg("it does not count \"%s\"", word);
	return 0;
}
