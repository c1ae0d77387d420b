/* sync.c - keeps a table together with those of other machines.
 *
 * In rounds, one each sync_every: looks which rows were changed here, says what
 * they are, and hears what others have of these and of those that others have
 * changed.  A round is made of small exchanges, one at a time, and of looks at
 * a bounded number of rows, so that the keeper has time for all else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <jansson.h>

#include "exchange.h"
#include "link.h"
#include "sync.h"

#define LOOK_ROWS     16384 /* that are looked at in one go */
#define KEEP_LEAST_MS 60000
#define KEEP_MS	      86400000 /* when keys have no end */
#define LATE_MS	      3000     /* another keeper is gone then */
#define AWAY_MS	      10
#define MACHINE	      64

/* A row that is to be said. */
struct news {
	struct news *next;
	struct weir_share columns[WEIR_COLUMNS];
	size_t key_len;
	char key[];
};

struct sync {
	struct weir_service *service;
	struct weir_table *table;
	struct link link;
	struct event *timer;
	unsigned ncolumns;
	uint64_t keep_ms; /* in Redis */
	char types[WEIR_COLUMNS + 1];
	char prefix[192], me[MACHINE + 24];
	char texts[EXCHANGE_ROWS][EXCHANGE_TEXT]; /* of what is asked */

	/* A round. */
	uint64_t began_ms, announce_ms;
	unsigned part, parts; /* the next to look at */
	bool asked;	      /* something, since it began */
	bool asking;
	bool more;	 /* others have changed more */
	bool whole;	 /* one was ended since it is connected */
	uint64_t *since; /* of each part */
	bool *gone;	 /* of each part: holds may have ended */
	bool scant;	 /* of memory for news */
	struct news *news, **last;
	unsigned nnews, nasked; /* of these, the first so many are asked */

	bool late;     /* another keeper, after a reload, is newer, and there */
	uint64_t life; /* of this machine, for Redis: since it is connected */

	/* What is known of the others. */
	struct exchange_head head;
	char cursor[EXCHANGE_NUMBER];
	uint64_t turn;
	uint64_t rehear_ms; /* when all is to be heard again; 0: not */
	bool grace; /* Redis has lost all: until then, nothing is less */

	uint64_t exchanges, sent, received, answered_ms;
};

static void sync_tick(evutil_socket_t fd, short what, void *arg);

static const struct conf *
sync_conf(const struct sync *y)
{
	return y->service->conf;
}

static void
sync_wait(struct sync *y, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	(void)event_add(y->timer, &tv);
}

/* ---- news ---------------------------------------------------------------- */

static void
news_drop(struct sync *y, unsigned n)
{
	struct news *news;

	for (; n > 0; n--, y->nnews--) {
		news = y->news;
		y->news = news->next;
		free(news);
	}
	if (y->news == NULL)
		y->last = &y->news;
}

/* The table is locked: this only copies.  What is held is so in this life. */
static bool
news_told(void *arg, struct weir_bytes key, const struct weir_share *columns,
	unsigned n)
{
	struct sync *y = arg;
	struct news *news = malloc(sizeof(*news) + key.len);
	unsigned i;

	if (news == NULL) {
		y->scant = true;
		return false;
	}
	news->next = NULL;
	news->key_len = key.len;
	memcpy(news->key, key.p, key.len);
	for (i = 0; i < n; i++) {
		news->columns[i] = columns[i];
		if (y->types[i] == 'h' && columns[i].n > 0)
			news->columns[i].at_ms = y->life;
	}
	*y->last = news;
	y->last = &news->next;
	y->nnews++;
	return true;
}

/* Looks for news until there are enough for an exchange, or it has looked at
 * many rows; false: there may be more. */
static bool
news_look(struct sync *y)
{
	int rows = 0, n;

	for (; y->part < y->parts && y->nnews < EXCHANGE_ROWS &&
		rows < LOOK_ROWS;
		y->part++) {
		uint64_t since = y->since[y->part];

		n = weir_table_changes(y->table, y->part, &since,
			y->gone[y->part], news_told, y);
		if (n == -1)
			continue; /* who hangs there is not for us to wait */
		/* Short of memory, it says all of them some other time. */
		y->since[y->part] = y->scant ? 0 : since;
		y->scant = false;
		y->gone[y->part] = false;
		rows += n;
	}
	return y->part == y->parts;
}

/* All is said again, and heard again. */
static void
sync_anew(struct sync *y)
{
	memset(y->since, 0, y->parts * sizeof(*y->since));
	y->announce_ms = link_now_ms() + y->keep_ms / 2;
	y->part = 0;
}

static void
sync_recheck(struct sync *y)
{
	memset(y->gone, true, y->parts * sizeof(*y->gone));
	y->part = 0;
}

/* ---- exchanges ----------------------------------------------------------- */

static void
sync_ask(struct sync *y)
{
	enum { HEAD = 11 };
	struct weir_table_spec spec;
	char stale[EXCHANGE_NUMBER], keep[EXCHANGE_NUMBER],
		most[EXCHANGE_NUMBER], life[EXCHANGE_NUMBER],
		latest[EXCHANGE_TEXT];
	const char *argv[HEAD + 2 * EXCHANGE_ROWS] = { "1", y->prefix, y->me,
		y->types, stale, keep, most, life, y->head.epoch, y->cursor,
		latest };
	size_t lens[HEAD + 2 * EXCHANGE_ROWS];
	const struct news *news = y->news;
	int argc;

	snprintf(stale, sizeof(stale), "%u",
		(unsigned)sync_conf(y)->sync_stale_ms);
	snprintf(keep, sizeof(keep), "%llu", (unsigned long long)y->keep_ms);
	snprintf(most, sizeof(most), "%d", EXCHANGE_ROWS);
	snprintf(life, sizeof(life), "%llu", (unsigned long long)y->life);
	(void)table_table(sync_conf(y), 0, &spec);
	exchange_latest(latest, &spec, weir_table_clock(y->table));
	for (argc = 0; argc < HEAD; argc++)
		lens[argc] = strlen(argv[argc]);
	for (y->nasked = 0; news != NULL && y->nasked < EXCHANGE_ROWS;
		news = news->next, y->nasked++) {
		argv[argc] = news->key;
		lens[argc++] = news->key_len;
		exchange_write(y->texts[y->nasked], news->columns, y->ncolumns);
		argv[argc] = y->texts[y->nasked];
		lens[argc++] = strlen(y->texts[y->nasked]);
	}
	y->asked = y->asking = true;
	link_ask(&y->link, argc, argv, lens);
}

/* All is to be heard again, soon. */
static void
sync_rehear(struct sync *y)
{
	y->rehear_ms = link_now_ms() + sync_conf(y)->sync_stale_ms;
}

/* What Redis had is lost: others say it again soon, and until then what is
 * known of them is better than nothing. */
static void
sync_lost(struct sync *y)
{
	weir_service_warn(y->service,
		"Redis at %s has lost what it had; all is told again",
		y->link.address.text);
	sync_rehear(y);
	y->grace = true;
	sync_anew(y);
}

static void
sync_rows(struct sync *y, const struct redisReply *reply)
{
	struct weir_share columns[WEIR_COLUMNS];
	struct weir_others others = {
		.as_of = y->head.as_of, .more = y->grace, .columns = columns
	};
	struct weir_bytes key;
	size_t i;

	for (i = 0; i < y->head.rows; i++) {
		if (exchange_row(reply, i, &key, columns, y->ncolumns) == -1) {
			link_fail(&y->link, "it answers nonsense of a key");
			return;
		}
		/* Where there is no room, it comes with the key. */
		if (weir_table_others(y->table, key, &others) == -1 &&
			errno == ETIMEDOUT && y->rehear_ms == 0)
			sync_rehear(y);
		y->received++;
	}
}

/* An error: the end of a life, or worse. */
static bool
sync_refused(struct sync *y, const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR)
		return false;
	y->late = strcmp(reply->str, EXCHANGE_LATE) == 0;
	if (y->late)
		link_again(&y->link, LATE_MS);
	else if (strcmp(reply->str, EXCHANGE_AWAY) == 0)
		link_again(&y->link, AWAY_MS);
	else
		link_refused(&y->link, reply);
	return true;
}

static void
sync_answered(void *arg, const struct redisReply *reply)
{
	struct sync *y = arg;
	struct exchange_head head;
	char how[80];
	bool lost;

	y->asking = false;
	if (sync_refused(y, reply))
		return;
	if (exchange_head(reply, &head) == -1) {
		link_fail(&y->link, "it answers nonsense to EVALSHA");
		return;
	}
	lost = y->head.epoch[0] != '\0' &&
	       strcmp(y->head.epoch, head.epoch) != 0;
	if (strcmp(y->head.machines, head.machines) != 0)
		sync_recheck(y);
	y->head = head;
	memcpy(y->cursor, head.cursor, sizeof(y->cursor));
	y->more = head.more;
	y->answered_ms = link_now_ms();
	y->exchanges++;
	y->sent += y->nasked;
	news_drop(y, y->nasked);
	if (lost)
		sync_lost(y);
	sync_rows(y, reply);
	if (!y->link.is_up)
		return;
	if (y->whole)
		weir_table_fresh(y->table, sync_conf(y)->sync_stale_ms);
	snprintf(how, sizeof(how),
		"shares the table with %u other machine%s that %s there",
		head.nmachines - 1, head.nmachines == 2 ? "" : "s",
		head.nmachines == 2 ? "is" : "are");
	link_works(&y->link, how);
	sync_wait(y, 0);
}

/* ---- rounds -------------------------------------------------------------- */

static void
round_begin(struct sync *y, uint64_t now_ms)
{
	uint64_t turn = weir_table_turn(y->table);

	y->began_ms = now_ms;
	y->asked = false;
	y->part = 0;
	if (turn != y->turn)
		sync_recheck(y);
	y->turn = turn;
	if (now_ms >= y->announce_ms)
		sync_anew(y);
	if (y->rehear_ms != 0 && now_ms >= y->rehear_ms) {
		y->rehear_ms = 0;
		y->grace = false;
		memcpy(y->cursor, "0", 2);
		sync_anew(y);
		sync_recheck(y);
	}
}

static void
sync_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sync *y = arg;
	uint64_t every_ms = sync_conf(y)->sync_every_ms;
	uint64_t now_ms = link_now_ms();
	bool looked;

	(void)fd;
	(void)what;
	if (!y->link.is_up || y->asking)
		return;
	if (y->asked && y->part == y->parts && y->nnews == 0 && !y->more) {
		y->whole = true;
		if (now_ms - y->began_ms < every_ms) {
			sync_wait(y, every_ms - (now_ms - y->began_ms));
			return;
		}
		round_begin(y, now_ms);
	}
	looked = news_look(y);
	if (y->nnews > 0 || y->more || (looked && !y->asked))
		sync_ask(y);
	else
		sync_wait(y, 0);
}

static void
sync_up(void *arg)
{
	struct sync *y = arg;

	/* Who is late takes nobody's life: it only looks. */
	if (!y->late)
		y->life = link_now_ms();
	sync_anew(y);
	round_begin(y, link_now_ms());
	sync_wait(y, 0);
}

/* Whether what was asked has arrived is not known: it is said again. */
static void
sync_down(void *arg)
{
	struct sync *y = arg;

	y->asking = y->more = y->whole = false;
	news_drop(y, y->nnews);
	(void)event_del(y->timer);
}

/* ---- life ---------------------------------------------------------------- */

static void
sync_name(struct sync *y, const struct weir_table_spec *spec)
{
	const char *machine = sync_conf(y)->machine;
	char host[MACHINE] = "";

	/* One machine is another one after its memory was lost. */
	if (machine == NULL && gethostname(host, sizeof(host) - 1) == 0)
		machine = host;
	snprintf(y->me, sizeof(y->me), "%.*s-%016llx", MACHINE,
		machine != NULL ? machine : "",
		(unsigned long long)weir_table_self(y->table));
	snprintf(y->prefix, sizeof(y->prefix),
		"%s:%.64s:%08x:", sync_conf(y)->sync_prefix, y->service->name,
		(unsigned)exchange_layout(spec));
}

struct sync *
sync_start(struct weir_service *s)
{
	const struct conf *conf = s->conf;
	struct sync *y = calloc(1, sizeof(*y));
	struct weir_table_spec spec;
	const char *why;

	if (y == NULL)
		return NULL;
	(void)table_table(conf, 0, &spec);
	y->service = s;
	y->table = s->tables[0];
	y->last = &y->news;
	y->ncolumns = spec.ncolumns;
	y->keep_ms = conf->ttl_ms == 0 ? KEEP_MS : conf->ttl_ms;
	if (y->keep_ms < KEEP_LEAST_MS)
		y->keep_ms = KEEP_LEAST_MS;
	if (y->keep_ms < 4ull * conf->sync_stale_ms)
		y->keep_ms = 4ull * conf->sync_stale_ms;
	y->cursor[0] = '0';
	y->turn = weir_table_turn(y->table);
	y->parts = weir_table_parts(y->table);
	exchange_types(y->types, &spec);
	sync_name(y, &spec);
	y->since = calloc(y->parts, sizeof(*y->since));
	y->gone = calloc(y->parts, sizeof(*y->gone));
	y->timer = event_new(s->base, -1, 0, sync_tick, y);
	y->link = (struct link){ .service = s,
		.script = exchange_script,
		.up = sync_up,
		.down = sync_down,
		.answer = sync_answered,
		.arg = y };
	(void)address_parse(&y->link.address, conf->sync, &why);
	if (y->since != NULL && y->gone != NULL && y->timer != NULL &&
		link_init(&y->link) == 0)
		return y;
	sync_stop(y);
	errno = ENOMEM;
	return NULL;
}

void
sync_begin(struct sync *y)
{
	link_begin(&y->link);
}

void
sync_stop(struct sync *y)
{
	link_done(&y->link);
	news_drop(y, y->nnews);
	if (y->timer != NULL)
		event_free(y->timer);
	free(y->since);
	free(y->gone);
	free(y);
}

static json_t *
sync_json(const struct sync *y)
{
	const struct link *l = &y->link;

	return json_pack("{s:b,s:s,s:s,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:s}",
		"connected", (int)(l->is_up && l->works), "redis",
		l->address.text, "machine", y->me, "machines",
		(json_int_t)(l->works ? y->head.nmachines : 0), "age_ms",
		y->answered_ms == 0
			? json_null()
			: json_integer(
				  (json_int_t)(link_now_ms() - y->answered_ms)),
		"exchanges", (json_int_t)y->exchanges, "sent",
		(json_int_t)y->sent, "received", (json_int_t)y->received,
		"waiting", (json_int_t)y->nnews, "errors",
		(json_int_t)l->failures, "error", l->works ? "" : l->why);
}

void
sync_tell(const struct sync *y, struct weir_request *r)
{
	json_t *json =
		y != NULL ? sync_json(y) : json_pack("{s:s}", "sync", "off");
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text == NULL)
		weir_reply(r, 500, "text/plain", "out of memory\n", 14);
	else
		weir_reply(r, 200, "application/json", text, strlen(text));
	free(text);
	json_decref(json);
}
