/* keeper.c - the process that does what must be done once. */
#include <sys/prctl.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "engine/services.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/route.h"
#include "keeper/upkeep.h"

#define EXIT_CANNOT_START 2    /* a respawn would not help */
#define DRAIN_MS	  2000 /* that requests have to be answered */
#define LOOK_MS		  20   /* between two looks whether they are */
#define KEEPER_NICE	  10   /* nice(2) */

static const int keeper_signals[] = { SIGTERM, SIGQUIT };

static void keeper_leave(struct weir_keeper *k);
static void keeper_drain(struct weir_keeper *k);
static void keeper_serve(struct weir_keeper *k);
static void keeper_retire(struct weir_keeper *k);
static int keeper_reopen(struct weir_keeper *k, uint32_t index, int fd);

static void
keeper_told(void *arg, const struct msg *m, int attached)
{
	struct weir_keeper *k = arg;

	switch (m->type) {
	case MSG_STOP:
		keeper_leave(k);
		break;
	case MSG_QUIT:
		if (m->arg == KEEPER_RETIRES)
			upkeep_retire(&k->upkeep);
		if (m->arg == KEEPER_STAYS)
			web_close(&k->web);
		else
			keeper_drain(k);
		break;
	case MSG_DRAIN:
		keeper_drain(k);
		break;
	case MSG_REOPEN:
		if (keeper_reopen(k, m->arg, attached) == -1)
			log_error("log file %s: the keeper goes on with the "
				  "old one: %s",
				conf_logfile_at(k->heritage->conf, m->arg)
					->text,
				strerror(errno));
		break;
	case MSG_GO:
		keeper_serve(k);
		web_open(&k->web);
		upkeep_serve(&k->upkeep);
		break;
	case MSG_LINK:
		members_add(k, attached, (int32_t)m->arg);
		break;
	case MSG_CALL:
		orders_answered(k, attached);
		break;
	default:
		fd_close(&attached);
		log_alert("the master sent \"%s\"", msg_word(m->type));
	}
}

static void
keeper_signal(evutil_socket_t signo, short what, void *arg)
{
	(void)what;
	clock_update();
	if (signo == SIGTERM)
		keeper_leave(arg);
	else
		keeper_drain(arg);
}

/* Leaves as soon as all is answered. */
static void
keeper_look(evutil_socket_t fd, short what, void *arg)
{
	struct weir_keeper *k = arg;

	(void)fd;
	(void)what;
	clock_update();
	if (web_is_quiet(&k->web) || clock_ms() >= k->drain_ms)
		keeper_leave(k);
}

/* Takes no more requests, and lets those that are there finish. */
static void
keeper_drain(struct weir_keeper *k)
{
	static const struct timeval often = { 0, LOOK_MS * 1000 };

	if (k->drain_ms != 0)
		return;
	k->drain_ms = clock_ms() + DRAIN_MS;
	keeper_retire(k);
	web_close(&k->web);
	k->looks = event_new(k->base, -1, EV_PERSIST, keeper_look, k);
	if (k->looks == NULL || event_add(k->looks, &often) == -1)
		keeper_leave(k);
}

static void
keeper_leave(struct weir_keeper *k)
{
	k->leaving = true;
	event_base_loopbreak(k->base);
}

/* Takes fd. */
static int
keeper_reopen(struct weir_keeper *k, uint32_t index, int fd)
{
	const struct conf *conf = k->heritage->conf;
	int rc = 0;

	if (fd == -1) {
		errno = EMFILE;
		rc = -1;
	} else if (index == conf->log.target->index) {
		rc = log_switch(fd, conf->log.target->text,
			(enum log_level)conf->log.level);
	}
	fd_close(&fd);
	if (control_reopened(&k->control, index) == -1)
		log_error("cannot tell the master: %s", strerror(errno));
	return rc;
}

/* What extensions do here only. */
static int
keeper_keep(struct weir_keeper *k)
{
	struct weir_service *s;
	size_t i;
	int err;

	for (i = 0; i < k->services.n; i++) {
		s = &k->services.v[i];
		if (s->type == NULL || s->type->keep == NULL ||
			s->type->keep(s, k) == 0)
			continue;
		err = errno;
		if (!conf_extension_at(k->heritage->conf, i)->optional) {
			log_error("extension \"%s\": the keeper cannot start: "
				  "%s",
				s->name, strerror(err));
			errno = err;
			return -1;
		}
		services_drop(&k->services, s, err);
	}
	return 0;
}

/* Extensions may change what others see: once. */
static void
keeper_serve(struct weir_keeper *k)
{
	struct weir_service *s = k->services.v;
	size_t i;

	for (i = 0; i < k->services.n && !k->serves; i++, s++)
		if (s->type != NULL && s->type->serve != NULL)
			s->type->serve(s);
	k->serves = true;
}

/* And here they no longer may. */
static void
keeper_retire(struct weir_keeper *k)
{
	struct weir_service *s = k->services.v;
	size_t i;

	for (i = 0; i < k->services.n && k->serves; i++, s++)
		if (s->type != NULL && s->type->retire != NULL)
			s->type->retire(s);
	/* Nor may one that has not heard yet that it serves. */
	k->serves = true;
}

static int
keeper_init(struct weir_keeper *k, const struct heritage *h)
{
	sigset_t set;
	size_t i;

	*k = (struct weir_keeper){ .heritage = h };
	TAILQ_INIT(&k->members);
	TAILQ_INIT(&k->asks);
	TAILQ_INIT(&k->orders);
	SLIST_INIT(&k->pages);
	clock_update();
	k->since_ms = clock_ms();
	k->base = event_base_new();
	if (k->base == NULL || web_init(&k->web, k) == -1 ||
		services_init(&k->services, h, WEIR_IN_KEEPER, k->base) == -1 ||
		upkeep_init(&k->upkeep, h, k->base) == -1 ||
		keeper_keep(k) == -1 ||
		control_init(&k->control, k->base, h->control_fd, keeper_told,
			k) == -1)
		return -1;
	/* There is nothing that a first start could spoil: then clients find
	 * everything in its place. */
	if (h->generation == 1)
		keeper_serve(k);
	sigemptyset(&set);
	for (i = 0; i < 2; i++) {
		k->signals[i] = evsignal_new(
			k->base, keeper_signals[i], keeper_signal, k);
		if (k->signals[i] == NULL ||
			event_add(k->signals[i], NULL) == -1)
			return -1;
		sigaddset(&set, keeper_signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* From here on the death of the master is a reason to leave. */
	prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0);
	return 0;
}

static void
keeper_done(struct weir_keeper *k)
{
	size_t i;

	upkeep_done(&k->upkeep);
	/* What they have not answered is refused. */
	services_done(&k->services);
	web_done(&k->web);
	orders_done(k);
	asks_done(k);
	members_done(k);
	pages_done(k);
	control_done(&k->control);
	if (k->looks != NULL)
		event_free(k->looks);
	for (i = 0; i < 2; i++)
		if (k->signals[i] != NULL)
			event_free(k->signals[i]);
	event_base_free(k->base);
}

static void
keeper_libevent_says(int severity, const char *text)
{
	if (severity == EVENT_LOG_ERR)
		log_error("libevent: %s", text);
	else
		log_debug("libevent: %s", text);
}

void
keeper_main(const struct heritage *h)
{
	struct weir_keeper k;

	event_set_log_callback(keeper_libevent_says);
	if (keeper_init(&k, h) == -1) {
		log_error("cannot start: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	if (control_ready(&k.control) == -1 && errno != EPIPE) {
		log_error("cannot tell the master: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	log_starting(false);
	if (h->background)
		fd_stdio_null();
	setproctitle("keeper generation %u", h->generation);
	/* Traffic comes first where there are not CPUs enough for both. */
	(void)!nice(KEEPER_NICE);
	while (!k.leaving)
		if (event_base_loop(k.base, EVLOOP_ONCE) == -1) {
			log_error("the event loop failed: %s", strerror(errno));
			break;
		}
	keeper_done(&k);
	exit(0);
}
