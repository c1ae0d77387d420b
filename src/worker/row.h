/* row.h - what a keeper is told of a channel. */
#ifndef WORKER_ROW_H
#define WORKER_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/link.h"

struct heritage;
struct weir_channel;

#define ROW_MOST 4096 /* bytes of any row */

/* Is it one of those that are asked for? */
bool row_fits(const struct weir_channel *ch, const struct link_list *list);
/* Its figures: all but the rates over less than its life, the key and the
 * texts. */
void row_figures(struct link_row *row, const struct weir_channel *ch,
	const struct heritage *h);
/* What it is sorted by. */
void row_key(struct link_row *row, enum link_sort sort);
/* Its figures with its texts to where there are ROW_MOST bytes. */
void row_write(struct link_row *to, const struct link_row *row,
	const struct weir_channel *ch);

#endif
