/* sync.h - keeps a table together with those of other machines. */
#ifndef TABLE_SYNC_H
#define TABLE_SYNC_H

#include "table.h"

/* In the keeper; NULL with errno.  Nobody hears of it before it begins. */
struct sync *sync_start(struct weir_service *s);
void sync_begin(struct sync *y);
void sync_stop(struct sync *y);
/* Answers how it goes; y NULL: it is not wanted. */
void sync_tell(const struct sync *y, struct weir_request *r);

#endif
