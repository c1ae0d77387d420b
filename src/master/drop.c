/* drop.c - giving up the privileges of root in a child. */
#include <sys/prctl.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/drop.h"
#include "master/rights.h"

#define DROP_GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

static bool drop_was_asked(const struct conf *conf);
static int drop_groups(struct drop *d);
static bool drop_user(const struct drop *d);
static bool drop_is_done(const struct drop *d);
static bool
groups_within(const gid_t *some, int nsome, const gid_t *all, int nall);

int
drop_init(struct drop *d, const struct conf *conf)
{
	const char *user = conf->process.user;
	const struct passwd *pw;

	*d = (struct drop){ .wanted = geteuid() == 0 };
	if (!d->wanted) {
		if (drop_was_asked(conf))
			log_warn("process.user \"%s\" has no effect: only root "
				 "can become another user",
				user);
		return 0;
	}
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL) {
		log_error("process.user: no user \"%s\"%s%s", user,
			errno == 0 ? "" : ": ",
			errno == 0 ? "" : strerror(errno));
		return -1;
	}
	d->uid = pw->pw_uid;
	d->gid = pw->pw_gid;
	d->user = strdup(user);
	if (d->user == NULL || drop_groups(d) == -1) {
		log_error("process.user: cannot list the groups of \"%s\": %s",
			user, strerror(errno));
		drop_done(d);
		return -1;
	}
	return 0;
}

void
drop_done(struct drop *d)
{
	free(d->groups);
	free(d->user);
	*d = (struct drop){ .wanted = false };
}

int
drop_now(const struct drop *d, uint32_t needs, bool dumpable)
{
	rights_unbound();
	if (d->wanted && !drop_user(d))
		return -1;
	if (rights_keep(needs) == -1) {
		log_error("cannot drop capabilities: %s", strerror(errno));
		return -1;
	}
	if (d->wanted && d->uid != 0 && (setuid(0) == 0 || geteuid() == 0)) {
		log_error("root can be regained after becoming user \"%s\"",
			d->user);
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_error(
			"cannot set PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
		return -1;
	}
	/* Else who runs weir as himself may debug it. */
	if (!d->wanted && !dumpable)
		return 0;
	if (prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0) == -1 ||
		prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != dumpable) {
		log_error("cannot set PR_SET_DUMPABLE: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static bool
drop_user(const struct drop *d)
{
	const char *step = NULL;

	/* What rights_keep() leaves has to outlive the change of user. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		step = "PR_SET_KEEPCAPS";
	else if (setgroups((size_t)d->ngroups, d->groups) == -1)
		step = "setgroups";
	else if (setresgid(d->gid, d->gid, d->gid) == -1)
		step = "setresgid";
	else if (setresuid(d->uid, d->uid, d->uid) == -1)
		step = "setresuid";
	else if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		step = "PR_SET_KEEPCAPS";
	if (step != NULL) {
		log_error("cannot become user \"%s\": %s: %s", d->user, step,
			strerror(errno));
		return false;
	}
	if (drop_is_done(d))
		return true;
	log_error("cannot become user \"%s\": the kernel says that this is "
		  "still somebody else",
		d->user);
	return false;
}

/* Are these the ids and groups that were asked for, and no others? */
static bool
drop_is_done(const struct drop *d)
{
	uid_t u[3];
	gid_t g[3], *groups;
	int i, n = getgroups(0, NULL);
	bool same = n >= 0 && getresuid(&u[0], &u[1], &u[2]) == 0 &&
		    getresgid(&g[0], &g[1], &g[2]) == 0;

	for (i = 0; i < 3 && same; i++)
		same = u[i] == d->uid && g[i] == d->gid;
	if (!same || n == 0)
		return same && d->ngroups == 0;
	groups = calloc((size_t)n, sizeof(*groups));
	same = groups != NULL && getgroups(n, groups) == n &&
	       groups_within(groups, n, d->groups, d->ngroups) &&
	       groups_within(d->groups, d->ngroups, groups, n);
	free(groups);
	return same;
}

/* The kernel sorts them. */
static bool
groups_within(const gid_t *some, int nsome, const gid_t *all, int nall)
{
	int i, j;

	for (i = 0; i < nsome; i++) {
		for (j = 0; j < nall && some[i] != all[j]; j++)
			continue;
		if (j == nall)
			return false;
	}
	return true;
}

/* Does the user come from a file, -o or the environment? */
static bool
drop_was_asked(const struct conf *conf)
{
	const struct conf_setting *s = conf->settings.v;
	size_t i;

	for (i = 0; i < conf->settings.n; i++)
		if (strcmp(s[i].path, "process.user") == 0)
			return strcmp(s[i].origin, "default") != 0;
	return false;
}

static int
drop_groups(struct drop *d)
{
	int room = 32;

	for (;;) {
		gid_t *more =
			reallocarray(d->groups, (size_t)room, sizeof(*more));

		if (more == NULL)
			return -1;
		d->groups = more;
		d->ngroups = room;
		if (getgrouplist(d->user, d->gid, d->groups, &d->ngroups) != -1)
			return 0;
		if (room >= DROP_GROUPS_MAX) {
			errno = ERANGE;
			return -1;
		}
		room *= 2;
	}
}
