/* metrics.h - a page of OpenMetrics text, read as strictly as it can be. */
#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdint.h>

/* What is wrong with the page (https://openmetrics.io, 1.0), with the line;
 * NULL: nothing.  Borrowed until the next call. */
const char *metrics_wrong(const char *page);
/* The value of the sample with that name and these labels, as the page writes
 * them: "a_total{b=\"c\"}".  Fails when the page is wrong, or has none. */
double metrics_value(const char *page, const char *sample);

#endif
