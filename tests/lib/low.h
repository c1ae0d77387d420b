/* low.h - a port that not everybody may bind. */
#ifndef LIB_LOW_H
#define LIB_LOW_H

#include <stdint.h>

/* A port that only CAP_NET_BIND_SERVICE may bind, and that is free as far as
 * this process can see; 1 where everybody may bind all. */
uint16_t low_port(void);

#endif
