/* rlimits.h - how many files may be open, how large a core file may become. */
#ifndef MASTER_RLIMITS_H
#define MASTER_RLIMITS_H

#include <stddef.h>

/* What is wrong when rlimits_raise() returns less than is needed. */
#define RLIMITS_TOO_FEW                                                        \
	"but only %llu are allowed (the hard limit, RLIMIT_NOFILE); raise "    \
	"that with ulimit -Hn or LimitNOFILE= of systemd, or lower "           \
	"process.workers"

struct conf;

/* Would rlimits_worker() do?  Nothing is changed; 0, or -1 with the reason
 * logged. */
int rlimits_check(const struct conf *conf, size_t listeners, unsigned workers);
/* Sets what process.nofile and process.core say (setrlimit(2)), in a child of a
 * generation with so many listeners and workers, and the rights of the master
 * still; without nofile it
 * is what weir was started with, before rlimits_raise(), if that is enough.  0,
 * or -1 with the reason logged. */
int rlimits_worker(const struct conf *conf, size_t listeners, unsigned workers);
/* How many files this process may have open; when need is more, its limit is
 * raised to the hard one first. */
unsigned long long rlimits_raise(unsigned long long need);

#endif
