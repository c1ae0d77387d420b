/* page.h - pages of weir's API, as a client of its unix socket gets them. */
#ifndef LIB_PAGE_H
#define LIB_PAGE_H

struct daemon;

/* The body of GET path at the socket of that name in the daemon's directory,
 * which must be answered with 200; the caller frees it. */
char *page_get(struct daemon *d, const char *socket, const char *path);
/* The value of a sample of /metrics there (lib/metrics.h). */
double page_metric(struct daemon *d, const char *socket, const char *sample);
/* Waits until it has that value, and fails if it does not come to that. */
void page_wait_metric(
	struct daemon *d, const char *socket, const char *sample, double value);

#endif
