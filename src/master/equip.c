/* equip.c - options of listening sockets that are there already. */
#include <sys/socket.h>

#include <errno.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/equip.h"
#include "master/listeners.h"
#include "master/probe.h"

/* What a socket may have had said of it, by whoever that was; a mark is not for
 * listeners here, so it is the one who made the socket who wants it. */
static void
equip_any(struct sockopts *any)
{
	enum sockopt_id id;

	any->n = 0;
	for (id = SOCKOPT_NONE + 1; id < SOCKOPT_COUNT; id++)
		if (id != SOCKOPT_MARK)
			sockopts_add(any, id, 1);
}

/* An inherited socket may be of another family than its address here. */
static sa_family_t
equip_family(const struct listeners *ls, size_t i)
{
	struct weir_addr a;

	return listeners_address(ls, i, &a) == 0
		       ? a.sa.sa_family
		       : listener_conf(ls, i)->address.sa.sa_family;
}

static int
equip_change(struct listeners *ls, size_t i, int fd, struct sockopts *failed)
{
	const struct sockopts *were = ls->info[i].were;
	struct sockopts any;

	if (were == NULL) {
		equip_any(&any);
		were = &any;
	}
	return sockopts_change(fd, equip_family(ls, i), were,
		&listener_conf(ls, i)->options, failed);
}

int
equip_try(struct listeners *ls, size_t i)
{
	sa_family_t family = equip_family(ls, i);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockopts failed;
	enum sockopt_id none;
	int rc, err;

	if (fd == -1)
		return -1;
	/* As far as it is so far: what failed then is not tried now. */
	if (ls->info[i].were != NULL)
		(void)sockopts_set(fd, family, ls->info[i].were, &none);
	rc = equip_change(ls, i, fd, &failed);
	err = errno;
	if (rc == -1)
		ls->info[i].option = failed.v[0].id;
	fd_close(&fd);
	errno = err;
	return rc;
}

void
equip_kept(struct listeners *ls, size_t i)
{
	const struct conf_listen *want = listener_conf(ls, i);
	struct listener *info = &ls->info[i];
	char why[SOCKOPT_WHY];
	struct sockopts failed;
	size_t j;

	if (!info->changes)
		return;
	info->changes = false;
	if (equip_change(ls, i, ls->v[i].fd, &failed) == -1)
		for (j = 0; j < failed.n; j++)
			log_error("%s: %s", want->text,
				sockopt_why(failed.v[j].id, failed.v[j].value,
					why));
	info->amiss = failed.n > 0;
	info->were = NULL;
	if (info->head == i)
		probe_set(ls->v[i].fd, &want->options, want->text);
}

void
equip_inherited(struct listeners *ls, size_t i)
{
	const struct conf_listen *want = listener_conf(ls, i);
	char why[SOCKOPT_WHY];
	struct sockopts failed;
	size_t j;

	ls->info[i].were = NULL;
	if (equip_change(ls, i, ls->v[i].fd, &failed) == -1)
		for (j = 0; j < failed.n; j++)
			log_warn("inherited socket for %s: %s", want->text,
				sockopt_why(failed.v[j].id, failed.v[j].value,
					why));
	probe_set(ls->v[i].fd, &want->options, want->text);
}
