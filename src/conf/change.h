/* change.h - what a reload cannot change. */
#ifndef CONF_CHANGE_H
#define CONF_CHANGE_H

#include <stdbool.h>

struct conf;

#define CHANGE_WHY 512

/* Do they differ in an option that needs a new start (WEIR_NEEDS_START)?  why
 * names it, and both values. */
bool change_needs_start(
	const struct conf *is, const struct conf *wanted, char why[CHANGE_WHY]);

#endif
