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

#define EXIT_CANNOT_START 2 /* a respawn would not help */

struct weir_keeper {
	const struct heritage *heritage;
	struct event_base *base;
	struct services services;
	struct control control;
	struct event *signals[2];
	bool leaving;
};

static const int keeper_signals[] = { SIGTERM, SIGQUIT };

static void keeper_leave(struct weir_keeper *k);
static int keeper_reopen(struct weir_keeper *k, uint32_t index, int fd);

static void
keeper_told(void *arg, const struct msg *m, int attached)
{
	struct weir_keeper *k = arg;

	switch (m->type) {
	case MSG_STOP:
	case MSG_QUIT:
	case MSG_DRAIN:
		keeper_leave(k);
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
		break;
	case MSG_LINK:
		fd_close(&attached);
		break;
	default:
		fd_close(&attached);
		log_alert("the master sent \"%s\"", msg_word(m->type));
	}
}

static void
keeper_signal(evutil_socket_t signo, short what, void *arg)
{
	(void)signo;
	(void)what;
	keeper_leave(arg);
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

static int
keeper_init(struct weir_keeper *k, const struct heritage *h)
{
	sigset_t set;
	size_t i;

	*k = (struct weir_keeper){ .heritage = h };
	clock_update();
	k->base = event_base_new();
	if (k->base == NULL ||
		services_init(&k->services, h, WEIR_IN_KEEPER, k->base) == -1 ||
		keeper_keep(k) == -1 ||
		control_init(&k->control, k->base, h->control_fd, keeper_told,
			k) == -1)
		return -1;
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
	return 0;
}

static void
keeper_done(struct weir_keeper *k)
{
	size_t i;

	services_done(&k->services);
	control_done(&k->control);
	for (i = 0; i < 2; i++)
		if (k->signals[i] != NULL)
			event_free(k->signals[i]);
	event_base_free(k->base);
}

void
keeper_main(const struct heritage *h)
{
	struct weir_keeper k;

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
	while (!k.leaving)
		event_base_loop(k.base, EVLOOP_ONCE);
	keeper_done(&k);
	exit(0);
}
