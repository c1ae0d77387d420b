/* cursor.c - a place among the channels of a worker. */
#include "engine/channel.h"
#include "engine/cursor.h"
#include "engine/engine.h"

/* Goes on to an engine that has channels, unless this one has some left. */
static void
cursor_settle(struct cursor *c)
{
	while (c->engine != NULL && (c->at == NULL || c->at->id > c->last_id)) {
		c->engine = TAILQ_NEXT(c->engine, link);
		c->nengine++;
		c->at = c->engine == NULL ? NULL
					  : TAILQ_FIRST(&c->engine->channels);
	}
}

void
cursor_begin(struct cursor *c, struct loop *loop)
{
	*c = (struct cursor){ .loop = loop, .last_id = loop->last_id };
	c->engine = TAILQ_FIRST(&loop->engines);
	if (c->engine != NULL)
		c->at = TAILQ_FIRST(&c->engine->channels);
	LIST_INSERT_HEAD(&loop->cursors, c, link);
}

struct weir_channel *
cursor_next(struct cursor *c)
{
	struct weir_channel *ch;

	cursor_settle(c);
	ch = c->engine == NULL ? NULL : c->at;
	if (ch != NULL)
		c->at = TAILQ_NEXT(ch, all_link);
	return ch;
}

void
cursor_end(struct cursor *c)
{
	if (c->loop != NULL)
		LIST_REMOVE(c, link);
	*c = (struct cursor){ 0 };
}

void
cursors_forget(struct weir_channel *ch)
{
	struct cursor *c;

	LIST_FOREACH(c, &ch->engine->loop->cursors, link)
	{
		if (c->at == ch)
			c->at = TAILQ_NEXT(ch, all_link);
	}
}
