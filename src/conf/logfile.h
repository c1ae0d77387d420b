/* logfile.h - the log files that a configuration names. */
#ifndef CONF_LOGFILE_H
#define CONF_LOGFILE_H

#include "base/arena.h"
#include "conf/conf.h"

/* A log file of that text (borrowed), which has no number yet. */
struct weir_logfile *logfile_new(struct arena *a, const char *text);
/* Numbers the log files of the conf, those of equal text alike, and lists one
 * of each in conf->logfiles. */
void logfile_number(struct arena *a, struct conf *conf);

#endif
