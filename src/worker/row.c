/* row.c - what a keeper is told of a channel. */
#include <string.h>

#include "base/clock.h"
#include "engine/aside.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/hold.h"
#include "engine/wait.h"
#include "heritage.h"
#include "worker/row.h"

_Static_assert(ROW_MOST >= sizeof(struct link_row) +
				   LINK_TEXT_COUNT * 2 * WEIR_ADDR_TEXT,
	"any row has room");

/* Who keeps bytes, or lets them wait. */
struct holder {
	const char *name, *hook;
	uint64_t since_ms;
};

static const char *const hooks[] = { [HOOK_UP] = "up",
	[HOOK_DOWN] = "down",
	[HOOK_OPEN] = "open",
	[HOOK_CLOSE] = "close",
	[HOOK_ROUTE] = "route",
	[HOOK_CONNECTED] = "connected",
	[HOOK_TIMER] = "timer",
	[HOOK_OTHER] = "" };

bool
row_fits(const struct weir_channel *ch, const struct link_list *list)
{
	uint64_t now_ms = clock_ms();
	char text[WEIR_ADDR_TEXT];
	struct weir_addr a;

	if (now_ms - ch->opened_ms < list->min_age_ms ||
		now_ms - ch->last_ms < list->min_idle_ms)
		return false;
	if (list->state[0] != '\0' &&
		strcmp(list->state, channel_word(ch->state)) != 0)
		return false;
	if (list->server[0] != '\0' &&
		strcmp(list->server, ch->engine->server->name) != 0)
		return false;
	if (!list->client.all) {
		endpoint_peer(&ch->ends[WEIR_FRONTEND], &a);
		if (!weir_cidr_has(&list->client, &a))
			return false;
	}
	if (list->backend[0] == '\0')
		return true;
	endpoint_peer(&ch->ends[WEIR_BACKEND], &a);
	return a.len > 0 &&
	       strstr(weir_addr_text(&a, text), list->backend) != NULL;
}

/* Bytes that were read and are not written. */
static uint64_t
row_held(const struct weir_channel *ch, enum weir_dir dir)
{
	return flow_left(&ch->flows[dir]) + hold_len(ch, dir, UINT64_MAX);
}

/* Who waits comes before who has asked for more bytes. */
static struct holder
row_holder(const struct weir_channel *ch)
{
	const struct stage *stages = ch->engine->chain.stages;
	const struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;
	const struct hold *h;

	for (; w != NULL; w = w->next)
		if (w->begun && !w->over)
			return (struct holder){ stages[w->stage].name,
				hooks[w->hook], w->since_ms };
	for (h = ch->holds; h != NULL; h = h->next)
		if (h->bytes.len > 0 || h->eof)
			return (struct holder){ stages[h->stage].name,
				hooks[h->dir], h->since_ms };
	return (struct holder){ "", "", clock_ms() };
}

void
row_figures(struct link_row *row, const struct weir_channel *ch,
	const struct heritage *h)
{
	uint64_t now_ms = clock_ms();
	int dir;

	*row = (struct link_row){ .generation = h->generation,
		.slot = h->slot,
		.id = ch->id,
		.age_ms = now_ms - ch->opened_ms,
		.idle_ms = now_ms - ch->last_ms };
	for (dir = 0; dir < 2; dir++) {
		const struct flow *fl = &ch->flows[dir];

		row->bytes[dir] = fl->in_bytes;
		row->rates[dir] = fl->in_bytes * 1000 /
				  (row->age_ms == 0 ? 1 : row->age_ms);
		row->held[dir] = row_held(ch, (enum weir_dir)dir);
		row->splice[dir] = fl->splices && fl->active == 0;
	}
}

void
row_key(struct link_row *row, enum link_sort sort)
{
	const uint64_t keys[LINK_SORT_COUNT] = {
		[LINK_SORT_ID] = 0, /* which follows the key anyway */
		[LINK_SORT_AGE] = row->age_ms,
		[LINK_SORT_IDLE] = row->idle_ms,
		[LINK_SORT_UP_BYTES] = row->bytes[WEIR_UP],
		[LINK_SORT_DOWN_BYTES] = row->bytes[WEIR_DOWN],
		[LINK_SORT_RATE] = row->rates[WEIR_UP] + row->rates[WEIR_DOWN]
	};

	row->key = keys[sort];
}

static const char *
row_addr(const struct weir_addr *a, char text[static WEIR_ADDR_TEXT])
{
	return a->len == 0 ? "" : weir_addr_text(a, text);
}

void
row_write(struct link_row *to, const struct link_row *row,
	const struct weir_channel *ch)
{
	const struct conf_server *server = ch->engine->server;
	char client[WEIR_ADDR_TEXT], local[WEIR_ADDR_TEXT];
	char backend[WEIR_ADDR_TEXT];
	const char *texts[LINK_TEXT_COUNT];
	struct holder holder = row_holder(ch);
	struct link_row whole = *row;
	struct weir_addr a;
	size_t size;

	texts[LINK_TEXT_SERVER] = server->name;
	texts[LINK_TEXT_LISTEN] = conf_listen_at(server, ch->listen)->text;
	endpoint_peer(&ch->ends[WEIR_FRONTEND], &a);
	texts[LINK_TEXT_CLIENT] = row_addr(&a, client);
	endpoint_local(&ch->ends[WEIR_FRONTEND], &a);
	texts[LINK_TEXT_LOCAL] = row_addr(&a, local);
	endpoint_peer(&ch->ends[WEIR_BACKEND], &a);
	texts[LINK_TEXT_BACKEND] = row_addr(&a, backend);
	texts[LINK_TEXT_STATE] = channel_word(ch->state);
	texts[LINK_TEXT_UP_STATE] = flow_word(ch->flows[WEIR_UP].state);
	texts[LINK_TEXT_DOWN_STATE] = flow_word(ch->flows[WEIR_DOWN].state);
	texts[LINK_TEXT_HOLDER] = holder.name;
	texts[LINK_TEXT_HOOK] = holder.hook;
	whole.holder_ms = clock_ms() - holder.since_ms;
	size = link_row_size(texts);
	/* A name of somebody's server or middleware may be as long as he likes.
	 */
	if (size > ROW_MOST) {
		texts[LINK_TEXT_SERVER] = texts[LINK_TEXT_HOLDER] = "";
		size = link_row_size(texts);
	}
	link_row_write(to, size, &whole, texts);
}
