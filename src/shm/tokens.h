/* tokens.h - what was taken out of a bucket, in a cell of a table. */
#ifndef SHM_TOKENS_H
#define SHM_TOKENS_H

#include "api/table.h"

/* Thousandths that have not come again until now. */
uint64_t tokens_used(const struct weir_tokens *tokens,
	const struct weir_bucket *b, uint64_t now_ms);
/* Others have drawn n of the same: what is used then may be more than there
 * is. */
void tokens_lose(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t n, uint64_t now_ms);
/* Before the first draw here, of which it is known how big the bucket is: what
 * others have drawn is bounded as above. */
void tokens_bound(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t now_ms);
/* What is left, of the bucket that was drawn from last; else of own. */
uint64_t tokens_left(const struct weir_tokens *tokens, struct weir_bucket own,
	uint64_t now_ms);

#endif
