/* rlimits.c - how many files may be open, how large a core file may become. */
#include <sys/resource.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "conf/conf.h"
#include "master/rlimits.h"

#define RLIMITS_TEXT 64
/* Open files of a worker beside its listeners and log files, which it has
 * twice: stdio, control socket, libevent, epoll sets, a few to spare, and the
 * two of one channel. */
#define RLIMITS_WORKER 24
/* Those of the keeper beside its listeners and log files, and links to the
 * workers of two generations: what a worker has, calls of the master, and some
 * connections. */
#define RLIMITS_KEEPER 48

/* The soft limit that weir was started with; 0: it is the same still. */
static rlim_t rlimits_first;

static int rlimits_set(
	const struct conf *conf, size_t listeners, unsigned workers, bool keep);
static int
rlimit_set(int resource, rlim_t wanted, bool keep, unsigned long long *hard);
static size_t rlimits_need(const struct conf *conf, size_t listeners);
static size_t rlimits_keeper_need(const struct conf *conf, unsigned workers);
static void rlimits_restore(size_t need);
static bool rlimits_fits(const struct conf *conf, const char *who, size_t need);
static void rlimits_most(char text[static RLIMITS_TEXT]);

int
rlimits_check(const struct conf *conf, size_t listeners, unsigned workers)
{
	return rlimits_set(conf, listeners, workers, false);
}

int
rlimits_worker(const struct conf *conf, size_t listeners, unsigned workers)
{
	return rlimits_set(conf, listeners, workers, true);
}

unsigned long long
rlimits_raise(unsigned long long need)
{
	struct rlimit files;
	rlim_t soft;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return ULLONG_MAX;
	if (files.rlim_cur >= need)
		return files.rlim_cur;
	soft = files.rlim_cur;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return soft;
	if (rlimits_first == 0)
		rlimits_first = soft;
	return files.rlim_cur;
}

static int
rlimits_set(
	const struct conf *conf, size_t listeners, unsigned workers, bool keep)
{
	const struct conf_process *p = &conf->process;
	char size[UNITS_TEXT], most[RLIMITS_TEXT];
	size_t worker = rlimits_need(conf, listeners);
	size_t keeper = rlimits_keeper_need(conf, workers);
	unsigned long long hard;

	if (p->nofile == 0 && keep)
		rlimits_restore(worker > keeper ? worker : keeper);
	if (p->nofile != 0 &&
		(!rlimits_fits(
			 conf, "workers of this configuration need", worker) ||
			!rlimits_fits(conf,
				"the keeper of this configuration needs",
				keeper)))
		return -1;
	if (p->nofile != 0 && rlimit_set(RLIMIT_NOFILE, (rlim_t)p->nofile, keep,
				      &hard) == -1) {
		rlimits_most(most);
		log_error("process.nofile is %lld, but a worker can be allowed "
			  "only %llu open files%s: %s; lower process.nofile, "
			  "or raise the hard limit (ulimit -Hn, LimitNOFILE= "
			  "of systemd)",
			(long long)p->nofile, hard, most, strerror(errno));
		return -1;
	}
	if (p->core != 0 &&
		rlimit_set(RLIMIT_CORE, (rlim_t)p->core, keep, &hard) == -1) {
		log_error("process.core is %s, but a core file can be allowed "
			  "only %llu bytes: %s; lower process.core, or raise "
			  "the hard limit (ulimit -Hc, LimitCORE= of systemd)",
			units_size_text((int64_t)p->core, size), hard,
			strerror(errno));
		return -1;
	}
	return 0;
}

/* Of a worker with one channel. */
static size_t
rlimits_need(const struct conf *conf, size_t listeners)
{
	return RLIMITS_WORKER + listeners + 2 * conf->logfiles.n;
}

/* Of the one that answers the API. */
static size_t
rlimits_keeper_need(const struct conf *conf, unsigned workers)
{
	if (conf->api.listen.n == 0)
		return 0;
	return RLIMITS_KEEPER + conf->api.listen.n + 2 * conf->logfiles.n +
	       2 * (size_t)workers;
}

/* What the master has taken for itself is not for its workers, unless one could
 * not do without. */
static void
rlimits_restore(size_t need)
{
	struct rlimit files;

	if (rlimits_first < need || getrlimit(RLIMIT_NOFILE, &files) == -1 ||
		files.rlim_cur <= rlimits_first)
		return;
	files.rlim_cur = rlimits_first;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* Is it enough for them? */
static bool
rlimits_fits(const struct conf *conf, const char *who, size_t need)
{
	if ((uint64_t)conf->process.nofile >= need)
		return true;
	log_error("process.nofile is %lld, but %s at least %zu open files",
		(long long)conf->process.nofile, who, need);
	return false;
}

/* Soft and hard limit alike, so that the worker cannot raise it; only tried,
 * unless it is to be kept.  -1 with errno, *hard is what is allowed then. */
static int
rlimit_set(int resource, rlim_t wanted, bool keep, unsigned long long *hard)
{
	struct rlimit is, limit = { wanted, wanted };

	if (getrlimit(resource, &is) == -1)
		is = (struct rlimit){ 0, 0 };
	*hard = is.rlim_max;
	/* Lowered it could not be raised again by everybody. */
	if (!keep && wanted <= is.rlim_max)
		return 0;
	if (setrlimit(resource, &limit) == -1)
		return -1;
	return keep ? 0 : setrlimit(resource, &is);
}

/* Above this not even root may go. */
static void
rlimits_most(char text[static RLIMITS_TEXT])
{
	int err = errno;
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");
	unsigned long long most;

	text[0] = '\0';
	if (f != NULL && fscanf(f, "%llu", &most) == 1)
		snprintf(
			text, RLIMITS_TEXT, " (the kernel's most: %llu)", most);
	if (f != NULL)
		fclose(f);
	errno = err;
}
