/* scan.h - what libconfig does not check: includes, sizes, numbers, text. */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include <stddef.h>

#include "conf/diag.h"

#define SCAN_BYTES_MAX	  (1 << 20) /* of all files together */
#define SCAN_INCLUDES_MAX 1000
#define SCAN_NESTING_MAX  10	/* files that include files */
#define SCAN_DEPTH_MAX	  50	/* groups and lists in each other */
#define SCAN_KEYS_MAX	  1000	/* in one group */
#define SCAN_ENTRIES_MAX  50000 /* of one list */
#define SCAN_STRING_MAX	  65536
#define SCAN_WORD_MAX	  255

/* A value in place of one that was reported: nobody else can write it. */
#define SCAN_VOID "\"\\x01\""

/* Reads file and what it includes into one text for libconfig: comments are
 * gone, every line is a line of one file, d maps it back.  NULL after errors
 * in d that leave nothing to parse; after others (a wrong number, a missing
 * quote) SCAN_VOID stands there.  Text and names live in d's arena. */
const char *scan_file(const char *file, struct weir_diag *d);
/* The same for len bytes in memory, named file. */
const char *
scan_text(const char *file, const char *text, size_t len, struct weir_diag *d);

#endif
