/* trace.c - who watches what channels do. */
#include "engine/engine.h"
#include "engine/trace.h"

void
tracer_begin(struct tracer *t, struct loop *loop)
{
	LIST_INSERT_HEAD(&loop->tracers, t, link);
}

void
tracer_end(struct tracer *t)
{
	LIST_REMOVE(t, link);
}

bool
trace_mark(struct tracer *t, struct weir_channel *ch)
{
	bool wants = t->wants(t, ch);

	/* The bit stays when the last tracer has left: then nobody is told. */
	if (wants)
		ch->traced = true;
	return wants;
}

void
trace_tell(struct weir_channel *ch, const struct trace_event *e)
{
	struct tracer *t;

	LIST_FOREACH(t, &ch->engine->loop->tracers, link)
	{
		if (t->wants(t, ch))
			t->told(t, ch, e);
	}
}

void
trace_opened(struct weir_channel *ch)
{
	struct tracer *t;

	LIST_FOREACH(t, &ch->engine->loop->tracers, link)
	{
		(void)trace_mark(t, ch);
	}
	if (ch->traced)
		trace_words(ch, WEIR_FRONTEND, "accepted by",
			ch->engine->server->name, 0);
}

void
trace_bytes(struct weir_channel *ch, enum weir_side side, const char *what,
	const uint8_t *p, uint64_t n)
{
	trace_tell(ch, &(struct trace_event){ .what = what,
			       .side = side,
			       .spliced = p == NULL,
			       .n = n,
			       .p = p });
}

void
trace_words(struct weir_channel *ch, enum weir_side side, const char *what,
	const char *more, int err)
{
	trace_tell(ch,
		&(struct trace_event){
			.what = what, .more = more, .side = side, .err = err });
}
