/* figure.h - numbers as people read them. */
#ifndef CTL_FIGURE_H
#define CTL_FIGURE_H

#include <stdint.h>

#define FIGURE_TEXT 32 /* bytes that any of them takes */

/* "512", "1.2k", "34M", "5.6G": powers of 1024; returns text. */
const char *figure_bytes(double n, char text[static FIGURE_TEXT]);
/* Of milliseconds: "12ms", "3.4s", "59s", "3m12s", "2h05m", "3d04h". */
const char *figure_time(int64_t ms, char text[static FIGURE_TEXT]);

#endif
