/* fleet.h - weirs that share a table, "seen", through the Redis of lib/redis.h,
 * for tests. */
#ifndef LIB_FLEET_H
#define LIB_FLEET_H

#include <sys/types.h>

#include <stdint.h>

struct daemon;

#define FLEET_MOST    1000 /* channels in a month */
#define FLEET_SLOW_MS 1000 /* no client waits so long */
#define FLEET_ROW     "GET /v1/tables/seen/keys/127.0.0.1"

/* A weir of that name that looks for its Redis there, with one more option of
 * the table.  Server "held" lets 3 channels in at a time, "count" counts. */
struct daemon *
fleet_weir_with(const char *sync, const char *machine, const char *option);
struct daemon *fleet_weir_at(const char *sync, const char *machine);
/* One that has found the Redis of this test. */
struct daemon *fleet_weir(const char *machine);
void fleet_stop(struct daemon *a, struct daemon *b);
/* Kills all its processes at once; it may be launched again. */
void fleet_dies(struct daemon *d);
pid_t fleet_keeper(struct daemon *d);

/* Waits until a weir has that of the one key that there is. */
void fleet_until(struct daemon *d, const char *column, int64_t n);
/* Waits until both know of so many channels that have counted, of which each
 * has had one. */
void fleet_both_until(struct daemon *a, struct daemon *b, int n);
/* A number of the command sync. */
int64_t fleet_status(struct daemon *d, const char *name);
/* Waits until all that was so before is exchanged. */
void fleet_exchanged(struct daemon *d);
/* So many channels that count, one after the other; the longest took ms. */
int64_t fleet_count(struct daemon *d, int n);
/* One more channel does not get in. */
void fleet_refused(struct daemon *d);

#endif
