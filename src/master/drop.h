/* drop.h - giving up the privileges of root in a child. */
#ifndef MASTER_DROP_H
#define MASTER_DROP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct conf;

/* Looked up once, so that no child has to ask a name service. */
struct drop {
	bool wanted; /* weir runs as root */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int ngroups;
	char *user;
};

/* Looks process.user up; 0, or -1 with the reason logged.  Not being root is
 * fine: then nothing is dropped, with a warning when a user was asked for.
 * End it with drop_done(). */
int drop_init(struct drop *d, const struct conf *conf);
void drop_done(struct drop *d);
/* Becomes the user for good (setgroups(2), setgid(2), setuid(2), all verified),
 * keeps no capability but needs (bits of enum weir_needs), whoever that is, and
 * sets PR_SET_NO_NEW_PRIVS.  What root has started can be dumped
 * (PR_SET_DUMPABLE of prctl(2)) only if that is wanted.  0, or -1 with the
 * reason logged. */
int drop_now(const struct drop *d, uint32_t needs, bool dumpable);

#endif
