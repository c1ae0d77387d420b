/* cut.c - the same bytes must mean the same, however they are cut. */
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chance.h"
#include "lib/cut.h"
#include "lib/entry.h"
#include "lib/limits.h"
#include "lib/pair.h"

#define ALL_MOST    9	/* bytes that are cut in every way there is */
#define END_ALL	    5	/* the same for each of the ends of a text */
#define PAIRS_MOST  64	/* places where a text is cut in two */
#define RANDOM_CUTS 256 /* for a text */
#define RANDOM_ENDS 8	/* for each of its ends */
#define SHOWN	    160 /* bytes of anything in a message */
#define PATIENCE    400 /* turns without news until the client hangs up */

/* What one side got. */
struct heard {
	char *p;
	size_t n;
	bool ended;
};

struct outcome {
	struct heard up, down;
	bool backend;
	const char *why;
};

static struct cut_talk talk;
static uint8_t *cut_behind; /* by byte of talk.text */
static uint64_t cut_seed;

static void
talk_start(const struct cut_talk *t, struct entry *entry)
{
	const char *seed = getenv("SEED");

	talk = *t;
	if (talk.len == 0)
		talk.len = strlen(talk.text);
	cut_seed = seed != NULL ? strtoull(seed, NULL, 0) : arc4random();
	chance_seed(cut_seed);
	cut_behind = calloc(talk.len + 1, 1);
	assert_non_null(cut_behind);
	assert_int_equal(limits_setup(NULL), 0);
	pair_start(NULL);
	rig.services = &limits_services;
	*entry = (struct entry){ .conf = NULL };
	if (talk.options != NULL) {
		entry_load(entry, talk.mw->name, talk.options, &dial.to[0]);
		assert_ptr_equal(entry->stage->mw, talk.mw);
		talk.conf = entry->stage->conf;
	}
	rig_add(&rig, talk.mw, talk.conf);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
}

static void
talk_stop(struct entry *entry)
{
	pair_stop(NULL);
	assert_int_equal(limits_teardown(NULL), 0);
	entry_free(entry);
	free(cut_behind);
}

/* ---- messages ------------------------------------------------------------ */

/* Bytes in quotes; those of the talk show their cuts. */
static const char *
shown(char text[static 5 * SHOWN], const char *p, size_t n, const uint8_t *cuts)
{
	size_t i, at = 0;

	if (p == NULL)
		return "nobody";
	text[at++] = '"';
	for (i = 0; i < n && i < SHOWN; i++) {
		if (p[i] < ' ' || p[i] > '~' || p[i] == '"' || p[i] == '\\')
			at += (size_t)snprintf(
				text + at, 5, "\\x%02x", (uint8_t)p[i]);
		else
			text[at++] = p[i];
		if (cuts != NULL && cuts[i] && i + 1 < n)
			text[at++] = '|';
	}
	snprintf(text + at, 5, i < n ? "...\"" : "\"");
	return text;
}

/* Fails and names the cut, and first of all the rule that was broken. */
static void
cut_fail(const char *what, const char *got, const char *want)
{
	const char *alert = rig_alert(&rig);
	char cut[5 * SHOWN + 5];

	if (alert != NULL)
		print_error("%s\n", alert);
	fail_msg("%s %s: %s %s, wanted %s (SEED=%" PRIu64 ")",
		talk.dir == WEIR_UP ? "the client sent" : "the backend sent",
		shown(cut, talk.text, talk.len, cut_behind), what, got, want,
		cut_seed);
}

static void
cut_same(const char *what, const char *got, size_t n, const char *want,
	size_t want_n)
{
	char a[5 * SHOWN + 5], b[5 * SHOWN + 5];

	if ((got == NULL) == (want == NULL) && n == want_n &&
		(n == 0 || memcmp(got, want, n) == 0))
		return;
	cut_fail(what, shown(a, got, n, NULL), shown(b, want, want_n, NULL));
}

/* ---- one talk ------------------------------------------------------------ */

/* Takes what is there; was it anything? */
static bool
heard_more(struct heard *h, int *fd)
{
	long n;

	if (*fd == -1 || h->ended)
		return false;
	h->p = realloc(h->p, h->n + 4097);
	assert_non_null(h->p);
	n = rig_read(*fd, h->p + h->n, 4096);
	if (n == -1 && errno == EAGAIN)
		return false;
	h->ended = n <= 0;
	h->n += n > 0 ? (size_t)n : 0;
	h->p[h->n] = '\0';
	return true;
}

/* Takes what came on either side, and the backend itself. */
static bool
outcome_more(struct outcome *o)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	bool more = false;

	if (server == -1 && poll(&p, 1, 0) == 1) {
		assert_false(o->backend);
		server = rig_take(&rig, listener);
		o->backend = more = true;
	}
	more |= heard_more(&o->up, &server);
	more |= heard_more(&o->down, &client);
	return more;
}

/* Takes turns until the channel has ended, or somebody has to speak. */
static void
outcome_wait(struct outcome *o, unsigned before, bool for_backend)
{
	int left = RIG_TURNS, patience = PATIENCE;

	while (rig_ends.n == before && !(for_backend && server != -1)) {
		if (left-- == 0)
			cut_fail("the channel", "goes on", "an end");
		if (outcome_more(o)) {
			patience = PATIENCE;
			/* Each ends when the other has. */
			if (o->up.ended)
				shutdown(server, SHUT_WR);
			if (o->down.ended)
				shutdown(client, SHUT_WR);
			rig_turn(&rig);
			continue;
		}
		if (patience-- == 0)
			rig_close(&client);
		rig_turn_wait(&rig);
	}
}

static struct outcome
talk_once(void)
{
	struct outcome o = { .backend = false };
	unsigned before = rig_ends.n;
	size_t from = 0, i;
	int *from_fd = talk.dir == WEIR_UP ? &client : &server;

	client = rig_client(&rig);
	rig_turn(&rig);
	if (talk.ask != NULL)
		send(client, talk.ask, strlen(talk.ask), MSG_NOSIGNAL);
	if (talk.dir == WEIR_DOWN)
		outcome_wait(&o, before, true);
	for (i = 1; i <= talk.len && *from_fd != -1; i++) {
		if (i < talk.len && !cut_behind[i - 1])
			continue;
		/* Who was refused in the middle may not want the rest. */
		while (from < i) {
			long n = send(*from_fd, talk.text + from, i - from,
				MSG_NOSIGNAL);

			if (n == -1 && errno != EAGAIN)
				break;
			from += n > 0 ? (size_t)n : 0;
			rig_turn(&rig);
			outcome_more(&o);
		}
		from = i;
	}
	if (*from_fd != -1)
		shutdown(*from_fd, SHUT_WR);
	outcome_wait(&o, before, false);
	while (outcome_more(&o))
		;
	o.why = weir_reason_word(rig_ends.reason);
	rig_close(&server);
	rig_close(&client);
	return o;
}

static void
outcome_free(struct outcome *o)
{
	free(o->up.p);
	free(o->down.p);
}

static size_t
seen_len(const char *p, size_t len)
{
	return len != 0 || p == NULL ? len : strlen(p);
}

static void
talk_check(const struct cut_seen *want)
{
	struct outcome o = talk_once();

	/* The reason tells most, and why the rest is missing. */
	if (want->why != NULL && strcmp(o.why, want->why) != 0)
		cut_fail("the reason is", o.why, want->why);
	if (want->why == NULL && rig_ends.reason == WEIR_R_BUG)
		cut_fail("the reason is", o.why, "any other");
	cut_same("the backend got",
		!o.backend	 ? NULL
		: o.up.p == NULL ? ""
				 : o.up.p,
		o.up.n, want->up, seen_len(want->up, want->up_len));
	if (want->down != NULL)
		cut_same("the client got", o.down.p == NULL ? "" : o.down.p,
			o.down.n, want->down,
			seen_len(want->down, want->down_len));
	outcome_free(&o);
}

/* ---- all of them --------------------------------------------------------- */

static void
cut_random(void)
{
	unsigned density = 1 + chance(talk.len < 64 ? 8 : 512);
	size_t i;

	for (i = 0; i < talk.len; i++)
		cut_behind[i] = chance(density) == 0;
}

static void
cut_in_two(const struct cut_seen *want)
{
	size_t i, at, n = talk.len - 1;

	for (i = 0; i < n && i < PAIRS_MOST; i++) {
		/* The first are where most is decided. */
		at = i < PAIRS_MOST / 2 || n <= PAIRS_MOST
			     ? i
			     : chance((unsigned)n);
		memset(cut_behind, 0, talk.len);
		cut_behind[at] = 1;
		talk_check(want);
	}
}

static void
talk_in_all_ways(const struct cut_seen *want, size_t all_most, unsigned more)
{
	size_t i, k, n = talk.len;

	memset(cut_behind, 0, n);
	talk_check(want);
	for (k = 1; n > 1 && n <= all_most && k < (size_t)1 << (n - 1); k++) {
		for (i = 0; i + 1 < n; i++)
			cut_behind[i] = k >> i & 1;
		talk_check(want);
	}
	if (n <= all_most)
		return;
	memset(cut_behind, 1, n);
	talk_check(want);
	if (more == RANDOM_CUTS)
		cut_in_two(want);
	while (more-- > 0) {
		cut_random();
		talk_check(want);
	}
}

/* The talk against what was wanted, or against itself in one piece. */
static void
talk_all(const struct cut_seen *want, size_t all_most, unsigned more)
{
	struct outcome o = { .backend = false };
	struct cut_seen uncut;

	if (want == NULL) {
		memset(cut_behind, 0, talk.len);
		o = talk_once();
		if (rig_ends.reason == WEIR_R_BUG)
			cut_fail("the reason is", o.why, "any other");
		uncut = (struct cut_seen){ .up = !o.backend	  ? NULL
						 : o.up.p == NULL ? ""
								  : o.up.p,
			.up_len = o.up.n,
			.down = o.down.p == NULL ? "" : o.down.p,
			.down_len = o.down.n,
			.why = o.why };
	}
	talk_in_all_ways(want != NULL ? want : &uncut, all_most, more);
	outcome_free(&o);
}

void
each_cut_of(const struct cut_talk *t, const struct cut_seen *want)
{
	struct entry entry;

	talk_start(t, &entry);
	talk_all(want, ALL_MOST, RANDOM_CUTS);
	talk_stop(&entry);
}

void
each_end_of(const struct cut_talk *t,
	void (*want)(const char *text, size_t len, struct cut_seen *seen))
{
	struct cut_seen seen;
	struct entry entry;
	size_t all;
	char *part;

	talk_start(t, &entry);
	all = talk.len;
	part = calloc(1, all + 1);
	assert_non_null(part);
	for (talk.len = 0; talk.len <= all; talk.len++) {
		seen = (struct cut_seen){ .up = NULL };
		memcpy(part, talk.text, talk.len);
		if (want != NULL)
			want(part, talk.len, &seen);
		talk_all(want != NULL ? &seen : NULL, END_ALL, RANDOM_ENDS);
	}
	free(part);
	talk_stop(&entry);
}

void
each_cut(const struct weir_middleware *mw, const void *conf, const char *text,
	const struct cut_seen *want)
{
	each_cut_of(&(struct cut_talk){ .mw = mw, .conf = conf, .text = text },
		want);
}
