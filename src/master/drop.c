/* drop.c - giving up the privileges of root in a child. */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/drop.h"

#define DROP_GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

static bool drop_was_asked(const struct conf *conf);
static int drop_groups(struct drop *d);
static int drop_capabilities(void);

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
drop_now(const struct drop *d)
{
	const char *step = NULL;

	if (d->wanted) {
		if (setgroups((size_t)d->ngroups, d->groups) == -1)
			step = "setgroups";
		else if (setresgid(d->gid, d->gid, d->gid) == -1)
			step = "setresgid";
		else if (setresuid(d->uid, d->uid, d->uid) == -1)
			step = "setresuid";
		if (step != NULL) {
			log_error("cannot become user \"%s\": %s: %s", d->user,
				step, strerror(errno));
			return -1;
		}
		if (d->uid != 0 && (setuid(0) == 0 || geteuid() == 0)) {
			log_error("root can be regained after becoming user "
				  "\"%s\"",
				d->user);
			return -1;
		}
	}
	if (geteuid() != 0 && drop_capabilities() == -1) {
		log_error("cannot drop capabilities: %s", strerror(errno));
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_error(
			"cannot set PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* What the master may have got to bind low ports (capabilities(7)); a worker
 * binds nothing.  Where the kernel knows no ambient set there is none. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
		errno != EINVAL)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
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
