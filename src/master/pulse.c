/* pulse.c - what the master says of itself now and then. */
#include <bsd/string.h>
#include <bsd/unistd.h>

#include "base/board.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/master_private.h"

#define TITLE_MAX 1024

void
master_title(const struct master *m)
{
	char title[TITLE_MAX] = "", text[GENERATION_TEXT];
	const struct generation *g;

	TAILQ_FOREACH(g, &m->all, link)
	{
		generation_text(g, m->now_ms, text);
		strlcat(title, "; ", sizeof(title));
		strlcat(title, text, sizeof(title));
	}
	setproctitle("master %s%s", m->conf->file, title);
}

static void
master_spread(const struct generation *g)
{
	struct board_spread s;

	board_look(&g->board, &s);
	if (board_is_uneven(&s))
		log_notice("channels are spread unevenly over %u workers: "
			   "worker %u has %u, worker %u has %u, all have %llu",
			s.n, s.most_slot, s.most, s.least_slot, s.least,
			(unsigned long long)s.total);
}

void
master_pulse(struct master *m)
{
	char text[GENERATION_TEXT];
	const struct generation *g;

	if (m->now_ms < m->pulse_ms)
		return;
	m->pulse_ms = m->now_ms + MASTER_PULSE_MS;
	master_title(m);
	/* Nothing serves yet, or the end is near. */
	if (m->state != MASTER_RUN && m->state != MASTER_DRAIN)
		return;
	TAILQ_FOREACH(g, &m->all, link)
	{
		generation_text(g, m->now_ms, text);
		if (g->workers.mode == WORKERS_LEAVING)
			log_notice("%s", text);
	}
	master_spread(m->present);
}
