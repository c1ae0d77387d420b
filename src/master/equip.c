/* equip.c - options of listening sockets that are there already. */
#include <sys/socket.h>

#include <errno.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/equip.h"
#include "master/listeners.h"
#include "master/probe.h"

int
equip_try(struct listeners *ls, size_t i)
{
	const struct conf_listen *want = listener_conf(ls, i);
	sa_family_t family = want->address.sa.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc, err;

	if (fd == -1)
		return -1;
	rc = sockopts_set(fd, family, &want->options, &ls->info[i].option);
	err = errno;
	fd_close(&fd);
	errno = err;
	return rc;
}

void
equip_kept(struct listeners *ls, size_t i, const struct listeners *older)
{
	const struct conf_listen *want = listener_conf(ls, i);
	char why[SOCKOPT_WHY];
	enum sockopt_id failed;

	if (!ls->info[i].changes)
		return;
	ls->info[i].changes = false;
	if (sockopts_change(ls->v[i].fd, want->address.sa.sa_family,
		    &listener_conf(older, ls->info[i].from)->options,
		    &want->options, &failed) == -1)
		log_error(
			"%s: %s", want->text, sockopt_why(failed, errno, why));
	else if (ls->info[i].head == i)
		probe_set(ls->v[i].fd, &want->options, want->text);
}

void
equip_inherited(struct listeners *ls, size_t i)
{
	const struct conf_listen *want = listener_conf(ls, i);
	char why[SOCKOPT_WHY];
	enum sockopt_id failed;

	if (sockopts_set(ls->v[i].fd, want->address.sa.sa_family,
		    &want->options, &failed) == -1)
		log_warn("inherited socket for %s: %s", want->text,
			sockopt_why(failed, errno, why));
	else
		probe_set(ls->v[i].fd, &want->options, want->text);
}
