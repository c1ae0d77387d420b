/* logs.c - the log files, opened by the master for every process. */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/target.h"
#include "conf/conf.h"
#include "master/logs.h"

static int log_file_open(struct logs *l, size_t i);
static void open_failed(const struct conf *conf, size_t i, int err);

int
logs_open(struct logs *l, const struct conf *conf)
{
	size_t i;

	*l = (struct logs){ .conf = conf };
	l->fds = calloc(conf->logfiles.n, sizeof(*l->fds));
	l->made = calloc(conf->logfiles.n, sizeof(*l->made));
	if (l->fds == NULL || l->made == NULL) {
		log_error("cannot open log files: %s", strerror(errno));
		logs_done(l);
		return -1;
	}
	for (i = 0; i < conf->logfiles.n; i++) {
		l->fds[i] = log_file_open(l, i);
		if (l->fds[i] == -1) {
			logs_undo(l);
			return -1;
		}
		l->n++;
	}
	return 0;
}

int
logs_use(const struct logs *l)
{
	const struct conf_log *log = &l->conf->log;

	if (log_switch(l->fds[log->target->index], log->target->text,
		    (enum log_level)log->level) == 0)
		return 0;
	log_error("log.target: cannot go over to \"%s\": %s", log->target->text,
		strerror(errno));
	return -1;
}

int
logs_check(const struct conf *conf)
{
	const char *text;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->logfiles.n; i++) {
		text = conf_logfile_at(conf, i)->text;
		if (target_check(text) == 0)
			continue;
		open_failed(conf, i, errno);
		rc = -1;
	}
	return rc;
}

void
logs_warn(const struct logs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->fds[i] != STDERR_FILENO)
			continue;
		if (i == l->conf->log.target->index)
			log_warn("log.target is stderr: in the background "
				 "nothing is logged once weir is ready");
		else
			log_warn("log file stderr: in the background its lines "
				 "go nowhere once weir is ready");
	}
}

void
logs_reopen(struct logs *l)
{
	const char *text;
	size_t i;
	int fd;

	for (i = 0; i < l->n; i++) {
		text = conf_logfile_at(l->conf, i)->text;
		if (l->fds[i] == STDERR_FILENO)
			continue;
		fd = target_open(text);
		if (fd == -1 || fd_replace(l->fds[i], fd) == -1)
			log_error("cannot open log file %s again: %s; the old "
				  "one stays",
				text, target_why(text, errno));
	}
}

void
logs_undo(struct logs *l)
{
	struct stat is, at;
	const char *text;
	size_t i;

	for (i = 0; i < l->n; i++) {
		text = conf_logfile_at(l->conf, i)->text;
		/* Another one may have put its own there since. */
		if (l->made[i] && fstat(l->fds[i], &is) == 0 &&
			is.st_size == 0 && lstat(text, &at) == 0 &&
			at.st_ino == is.st_ino && at.st_dev == is.st_dev)
			unlink(text);
	}
	logs_done(l);
}

void
logs_done(struct logs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->fds[i] != STDERR_FILENO)
			fd_close(&l->fds[i]);
	free(l->fds);
	free(l->made);
	*l = (struct logs){ 0 };
}

/* -1 with the reason logged. */
static int
log_file_open(struct logs *l, size_t i)
{
	const struct weir_logfile *file = conf_logfile_at(l->conf, i);
	struct stat st;
	int fd;

	l->made[i] = target_kind(file->text) == TARGET_FILE &&
		     lstat(file->text, &st) == -1 && errno == ENOENT;
	fd = target_open(file->text);
	if (fd == -1)
		open_failed(l->conf, i, errno);
	return fd;
}

static void
open_failed(const struct conf *conf, size_t i, int err)
{
	const char *text = conf_logfile_at(conf, i)->text;

	if (i == conf->log.target->index)
		log_error("log.target: cannot open \"%s\": %s", text,
			target_why(text, err));
	else
		log_error("cannot open log file %s: %s", text,
			target_why(text, err));
}
