/* home.h - the directory that relative paths begin in. */
#ifndef MASTER_HOME_H
#define MASTER_HOME_H

struct home {
	char *path; /* as it was at the start; NULL: it had none */
};

/* Notes the working directory.  End it with home_done(). */
void home_init(struct home *h);
void home_done(struct home *h);
/* The working directory stays the one of the start, also when it is renamed;
 * when it was removed, and one of its old name is there now, that is it from
 * here on.  Says so in the log. */
void home_return(const struct home *h);

#endif
