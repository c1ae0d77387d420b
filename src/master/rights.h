/* rights.h - capabilities(7): which of them workers need, and keep. */
#ifndef MASTER_RIGHTS_H
#define MASTER_RIGHTS_H

#include <stdint.h>

struct conf;

/* What middlewares and backends of conf need, as bits of enum weir_needs; 0, or
 * -1 with each one logged that this process does not have. */
int rights_needed(uint32_t *needs, const struct conf *conf);
/* The same for a check without a start.  Who is not root is only warned of what
 * he lacks: it may be root who starts weir. */
int rights_check(const struct conf *conf);
/* Empties the bounding set, as far as that is allowed. */
void rights_unbound(void);
/* Lets this process have those capabilities (permitted and effective) and no
 * other, also none that it could pass on, and logs them; 0, or -1 with errno.
 */
int rights_keep(uint32_t needs);

#endif
