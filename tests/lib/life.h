/* life.h - extensions of a configuration in the processes that have them: the
 * master's part, a worker, and a keeper whose pages are asked for here. */
#ifndef LIB_LIFE_H
#define LIB_LIFE_H

#include "conf/conf.h"

/* Opens the tables; starts them in a worker and stops them; starts them in a
 * keeper, asks for each page and runs each command without a parameter, which
 * has to answer once; stops them.  -1 when one of them could not start. */
int life_run(const struct conf *conf);

#endif
