/* row.h - what a table keeps of one key: its columns. */
#ifndef SHM_ROW_H
#define SHM_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/table.h"
#include "shm/owner.h"
#include "shm/period.h"

struct share_zone;

/* How rows of a table are laid out. */
struct shape {
	const struct weir_column *columns;
	unsigned n;
	uint32_t key_most;		/* bytes */
	uint32_t holders;		/* processes that a cell has room for */
	uint16_t offsets[WEIR_COLUMNS]; /* of the cells, behind the key */
	uint32_t size;			/* of a row, in whole 8 bytes */
	uint64_t layout;		/* a number of all this */
	bool shared;			/* with other machines (share.h) */
	uint16_t share_at;		/* behind the key as well */
	struct share_zone *share;	/* of the table; NULL: not shared */
};

struct row {
	_Atomic uint32_t state; /* ROW_LIVE, or nobody's */
	uint32_t hash;
	uint32_t next; /* of its bucket, or of those that are free */
	uint32_t newer, older;
	uint32_t key_len;
	uint64_t used_ms;
	uint64_t ends_ms; /* 0: by itself never */
	uint8_t bytes[];  /* key, cells */
};

#define ROW_LIVE 0x6c697665u

/* Fills in offsets, size and layout; -1 with EINVAL when a row would be too
 * big, or a column cannot be. */
int shape_init(struct shape *shape);
/* Is there such a column, of one of these types (bits)? */
bool shape_has(const struct shape *shape, unsigned column, unsigned types);
/* Fresh cells; those that say what is held only if held. */
void row_init(const struct shape *shape, struct row *row, bool held);
/* Does any process of this machine that is alive hold something, or do others
 * still believe so?  Who goes away then would never be heard to let go. */
bool row_is_held(const struct shape *shape, const struct row *row,
	const struct owners *owners);
/* How long until its time has passed; UINT64_MAX: never. */
uint64_t row_left(const struct row *row, uint64_t ttl_ms, uint64_t now_ms);
/* What was interrupted may have left nonsense. */
void row_repair(const struct shape *shape, struct row *row, uint64_t now_ms);

void *
row_cell(const struct shape *shape, const struct row *row, unsigned column);
/* What processes of this machine hold. */
uint64_t row_held(const struct shape *shape, const struct row *row,
	unsigned column, const struct owners *owners);

/* These do as weir_table_NAME() of api/table.h. */
uint64_t row_add(const struct shape *shape, struct row *row, unsigned column,
	uint64_t n, uint64_t now_ms);
int row_hold(const struct shape *shape, struct row *row, unsigned column,
	const struct owners *owners, uint64_t me, uint32_t n, uint64_t most,
	uint64_t *now);
void row_release(const struct shape *shape, struct row *row, unsigned column,
	uint64_t me, uint32_t n);
int row_draw(const struct shape *shape, struct row *row, unsigned column,
	const struct weir_bucket *b, uint64_t n, uint64_t now_ms,
	uint64_t *wait_ms);
void row_book(const struct shape *shape, struct row *row, unsigned column,
	const struct weir_bucket *b, uint64_t *n, uint64_t now_ms,
	uint64_t *wait_ms);
int row_spend(const struct shape *shape, struct row *row, unsigned column,
	const struct period_now *now, uint64_t n, uint64_t most, uint64_t *got);
void row_refund(const struct shape *shape, struct row *row, unsigned column,
	uint64_t n);
struct period *
row_period(const struct shape *shape, const struct row *row, unsigned column);
struct weir_tokens *
row_tokens(const struct shape *shape, const struct row *row, unsigned column);
int row_set(const struct shape *shape, struct row *row, unsigned column,
	struct weir_bytes value);
size_t row_get(const struct shape *shape, const struct row *row,
	unsigned column, void *value, size_t size);
uint64_t row_read(const struct shape *shape, const struct row *row,
	unsigned column, const struct owners *owners, uint64_t now_ms);

#endif
