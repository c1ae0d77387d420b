/* test_hostile.c - a middleware that does anything at any hook, whatever its
 * peers do meanwhile, ends at most its channel, and with a word when it broke
 * the contract. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/condition.h"
#include "lib/hostile.h"
#include "lib/mode.h"
#include "lib/rig.h"

#define SERVERS	   8  /* backends that one channel may connect to */
#define STEP_MS	   10 /* between the moments of a cell: */
#define AT_SIGNAL  2
#define AT_SPEAK   4
#define AT_AGAIN   7  /* another signal */
#define AT_FIRST   10 /* one side ends */
#define AT_SECOND  16 /* the other one, too */
#define AT_LAST	   22 /* all is closed */
#define PATIENCE   200
#define PATIENT_MS 5000 /* each, beyond any limit of the server */

#define SCENES(X)                                                              \
	X(CLIENT_ENDS)                                                         \
	X(BACKEND_ENDS)                                                        \
	X(CLIENT_RESETS)                                                       \
	X(BACKEND_RESETS)                                                      \
	X(BACKEND_REFUSES)

enum scene {
#define X(id) id,
	SCENES(X)
#undef X
		SCENE_COUNT
};

static const char *const scenes[] = {
#define X(id) #id,
	SCENES(X)
#undef X
};

/* The chain around the hostile one. */
enum place { PLAIN, PREREAD, LATE };

static struct rig rig;
static struct rig_dial dial;
static int listener, client, servers[SERVERS];
static unsigned taken;
static unsigned done[HOSTILE_HOOK_COUNT][256]; /* cells that came so far */
static char cell[160];

#define cell_true(what)                                                        \
	do {                                                                   \
		if (!(what))                                                   \
			fail_msg("%s: not %s", cell, #what);                   \
	} while (0)

/* ---- neighbours ---------------------------------------------------------- */

static unsigned closes[CONF_STAGES_MAX];

struct seen {
	bool opened, closed;
	bool ended[2];
};

static struct weir_verdict
neighbour_see(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	struct seen *seen = c->ctx;

	cell_true(seen->opened || dir == WEIR_DOWN);
	cell_true(!seen->closed);
	cell_true(!seen->ended[dir]);
	cell_true(in.len > 0 || in.eof);
	seen->ended[dir] = in.eof;
	return weir_pass(in.len);
}

static struct weir_verdict
neighbour_up(struct weir_call *c, struct weir_bytes in)
{
	return neighbour_see(c, in, WEIR_UP);
}

static struct weir_verdict
neighbour_down(struct weir_call *c, struct weir_bytes in)
{
	return neighbour_see(c, in, WEIR_DOWN);
}

static struct weir_verdict
neighbour_open(struct weir_call *c)
{
	struct seen *seen = c->ctx;

	cell_true(!seen->opened);
	seen->opened = true;
	return weir_pass(0);
}

static struct weir_verdict
neighbour_hear(struct weir_call *c, const char *event)
{
	(void)event;
	cell_true(!((struct seen *)c->ctx)->closed);
	return weir_pass(0);
}

static struct weir_verdict
neighbour_close(struct weir_call *c, enum weir_reason reason)
{
	cell_true(reason != WEIR_R_NONE);
	((struct seen *)c->ctx)->closed = true;
	closes[c->stage]++;
	return weir_pass(0);
}

#define NEIGHBOUR                                                              \
	.ctx_size = sizeof(struct seen), .open = neighbour_open,               \
	.up = neighbour_up, .down = neighbour_down, .signal = neighbour_hear,  \
	.close = neighbour_close

static const struct weir_middleware mw_neighbour = { .name = "neighbour",
	NEIGHBOUR };
static const struct weir_middleware mw_prereader = {
	.name = "prereader", .flags = WEIR_PREREAD, NEIGHBOUR
};

/* ---- the rig ------------------------------------------------------------- */

/* Holds, but only once client bytes have been seen. */
static const struct condition_node always = { .kind = CONDITION_AND };
static const struct weir_condition known_late = { .text = "late",
	.root = &always };

static void
limits_set(struct conf_server *s)
{
	s->dumb_connect_timeout_ms = 3000;
	s->preread_timeout_ms = s->half_close_timeout_ms = 30000;
	s->connect_timeout_ms = 10000;
	s->idle_timeout_ms = 120000;
	s->session_timeout_ms = 300000;
	s->close_wait_ms = 60000;
}

static void
place_start(enum place place, enum scene scene)
{
	struct weir_addr *a = &hostile.unreachable;

	hostile = (struct hostile){ .too_many = 131073 };
	listener = rig_backend(&hostile.good);
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	rig_refusing(&hostile.refusing);
	/* TCP has no broadcast. */
	*a = hostile.refusing;
	a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK | 0xffffff);
	a = &hostile.missing;
	a->len = sizeof(a->un);
	a->un.sun_family = AF_UNIX;
	snprintf(a->un.sun_path, sizeof(a->un.sun_path), "/nowhere/at/all");
	dial = (struct rig_dial){ .n = 1 };
	dial.to[0] = scene == BACKEND_REFUSES ? hostile.refusing : hostile.good;
	rig_init(&rig);
	rig.log_least = LOG_LEVEL_ERROR;
	limits_set(&rig.server);
	rig_add(&rig, place == PLAIN ? &mw_neighbour : &mw_prereader, NULL);
	rig_add(&rig, place == PREREAD ? &hostile_preread : &hostile_plain,
		NULL);
	if (place == LATE) {
		rig.stages[1].when = &known_late;
		rig.stages[1].when_since = WEIR_AT_ROUTE;
	}
	rig_add(&rig, &mw_neighbour, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
}

static void
place_stop(void)
{
	rig_stop(&rig);
	rig_close(&listener);
}

/* ---- a cell -------------------------------------------------------------- */

/* The lowest descriptor that is free: one that is lost moves it. */
static int
lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_int_not_equal(fd, -1);
	close(fd);
	return fd;
}

static void
swallow(int fd)
{
	static char p[65536];

	while (fd != -1 && rig_read(fd, p, sizeof(p)) > 0)
		;
}

/* What the peers do at each step. */
static void
cell_peers(void)
{
	int fd = taken == SERVERS ? -1
				  : accept4(listener, NULL, NULL,
					    SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned i;

	if (fd != -1) {
		(void)!send(fd, "server", 6, MSG_NOSIGNAL);
		servers[taken++] = fd;
	}
	swallow(client);
	for (i = 0; i < taken; i++)
		swallow(servers[i]);
}

static void
cell_end(bool of_client, bool reset)
{
	unsigned i;

	if (of_client && client != -1 && reset)
		rig_reset(&client);
	else if (of_client && client != -1)
		(void)shutdown(client, SHUT_WR);
	for (i = 0; i < taken && !of_client; i++)
		if (servers[i] != -1 && reset)
			rig_reset(&servers[i]);
		else if (servers[i] != -1)
			(void)shutdown(servers[i], SHUT_WR);
}

static void
cell_close(void)
{
	unsigned i;
	int fd;

	rig_close(&client);
	for (i = 0; i < taken; i++)
		rig_close(&servers[i]);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
		rig_close(&fd);
}

static void
cell_live(enum scene scene)
{
	bool of_client = scene == CLIENT_ENDS || scene == CLIENT_RESETS;
	bool reset = scene == CLIENT_RESETS || scene == BACKEND_RESETS;
	unsigned ended = rig_ends.n, step;

	client = rig_client(&rig);
	for (step = 0; step < AT_LAST; step++) {
		cell_peers();
		if (step == AT_SIGNAL || step == AT_AGAIN)
			engine_signal(&rig.engine, "event");
		if (step == AT_SPEAK)
			(void)!send(client, "client", 6, MSG_NOSIGNAL);
		if (step == AT_FIRST)
			cell_end(of_client, reset);
		if (step == AT_SECOND)
			cell_end(!of_client, false);
		rig_advance(&rig, STEP_MS);
		if (rig_ends.n != ended && rig.loop.channels == 0)
			break;
	}
	cell_peers();
	cell_close();
	for (step = 0; step < PATIENCE && rig.loop.channels > 0; step++)
		rig_advance(&rig, step == 0 ? STEP_MS : PATIENT_MS);
	cell_close();
	rig_quiet(&rig);
}

/* How often does the log of this cell say so?  Forgets it. */
static unsigned
cell_said(const char *word)
{
	static char log[65536];
	long n = pread(rig.log, log, sizeof(log) - 1, 0);
	const char *at = log;
	unsigned count = 0;

	assert_true(n >= 0 && n < (long)sizeof(log) - 1);
	log[n] = '\0';
	assert_int_equal(ftruncate(rig.log, 0), 0);
	for (; (at = strstr(at, word)) != NULL; at++)
		count++;
	return count;
}

static void
cell_judge(enum place place, unsigned ended)
{
	enum weir_reason told = hostile_reason(hostile.action);
	unsigned alerts = cell_said("[alert]");

	cell_true(rig.loop.channels == 0); /* or it hangs */
	cell_true(rig.loop.fds == 0);
	cell_true(rig_ends.n == ended + 1);
	cell_true(closes[0] == 1);
	cell_true(closes[2] == 1);
	cell_true(hostile.opens <= 1 || hostile.hook == HOSTILE_OPEN);
	cell_true(
		hostile.closes == (place != LATE || hostile.opens > 0 ? 1 : 0));
	cell_true(!hostile.left_over);
	cell_true(hostile.breaches <= 1);
	if (alerts != hostile.breaches)
		fail_msg("%s: %u alerts for %u breaches", cell, alerts,
			hostile.breaches);
	if (hostile.hook == HOSTILE_CLOSE)
		told = WEIR_R_NONE;
	else if (hostile.breaches > 0)
		told = WEIR_R_BUG;
	else
		cell_true(rig_ends.reason != WEIR_R_BUG);
	if (told != WEIR_R_NONE && hostile.done > 0 && rig_ends.reason != told)
		fail_msg("%s: ended by %s, wanted %s", cell,
			weir_reason_word(rig_ends.reason),
			weir_reason_word(told));
}

static void
cell_run(enum place place, enum scene scene, enum hostile_hook hook,
	size_t action, bool again)
{
	static const char *const places[] = { "PLAIN", "PREREAD", "LATE" };
	unsigned ended = rig_ends.n;
	int fd = lowest_fd();

	snprintf(cell, sizeof(cell), "%s at %s%s, %s, %s",
		hostile_action_word(action), hostile_hook_word(hook),
		again ? " always" : "", scenes[scene], places[place]);
	memset(closes, 0, sizeof(closes));
	taken = 0;
	hostile_start(hook, action, again);
	cell_live(scene);
	cell_judge(place, ended);
	cell_true(lowest_fd() == fd);
	done[hook][action] += hostile.done;
}

/* ---- the product --------------------------------------------------------- */

/* A channel that waits for ever in open lets all others of the cell pass. */
static void
product(enum place place)
{
	int scene, hook, again;
	size_t action;

	memset(done, 0, sizeof(done));
	for (scene = 0; scene < SCENE_COUNT; scene++) {
		place_start(place, (enum scene)scene);
		for (hook = 0; hook < HOSTILE_HOOK_COUNT; hook++)
			for (action = 0; action < hostile_actions(); action++)
				for (again = 0; again < 2; again++)
					if (hostile_can((enum hostile_hook)hook,
						    action))
						cell_run(place,
							(enum scene)scene,
							(enum hostile_hook)hook,
							action, again);
		place_stop();
	}
	for (hook = 0; hook < HOSTILE_HOOK_COUNT; hook++)
		for (action = 0; action < hostile_actions(); action++)
			if (hostile_can((enum hostile_hook)hook, action) &&
				done[hook][action] == 0)
				fail_msg("%s at %s never came to pass",
					hostile_action_word(action),
					hostile_hook_word(
						(enum hostile_hook)hook));
}

static void
test_hostile_among_neighbours(void **state)
{
	(void)state;
	product(PLAIN);
}

static void
test_hostile_that_prereads(void **state)
{
	(void)state;
	product(PREREAD);
}

static void
test_hostile_that_comes_late(void **state)
{
	(void)state;
	product(LATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		mode_tests(test_hostile_among_neighbours, mode_start, mode_end),
		mode_tests(test_hostile_that_prereads, mode_start, mode_end),
		mode_tests(test_hostile_that_comes_late, mode_start, mode_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
