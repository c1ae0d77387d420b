/* mode.h - the ways in which a relay moves bytes; a test that relays is run in
 * each of them. */
#ifndef LIB_MODE_H
#define LIB_MODE_H

#include <stdbool.h>
#include <stddef.h>

/* The tests' words for it, and what servers are set to; by lot: each read
 * decides anew (splice_dices of engine/splice.h). */
#define MODES(X)                                                               \
	X(copied, "off", false)                                                \
	X(spliced, "on", false)                                                \
	X(by_lot, "auto", true)

struct mode {
	const char *splice; /* value of the option */
	bool dices;
};

#define X(word, splice, dices) extern struct mode mode_##word;
MODES(X)
#undef X

/* The entries of main's table for a test: test_f_copied, test_f_spliced,
 * test_f_by_lot.  setup calls mode_start(), or is it, teardown mode_end(). */
#define mode_name(f, word) #f "_" #word
#define mode_test(f, word, setup, teardown)                                    \
	{                                                                      \
		mode_name(f, word), f, setup, teardown, &mode_##word           \
	}
#define mode_tests(f, setup, teardown)                                         \
	mode_test(f, copied, setup, teardown),                                 \
		mode_test(f, spliced, setup, teardown),                        \
		mode_test(f, by_lot, setup, teardown)

/* Rigs and daemons that start from now on run in the mode that *state has from
 * its entry (no state, or NULL: in that of a server where nothing is set).
 * Tells the seed of lots; SEED in the environment repeats them. */
int mode_start(void **state);
int mode_end(void **state);
/* The mode; NULL: none is set. */
const struct mode *mode_now(void);
/* What lots start from. */
unsigned mode_seed(void);
/* Settings of the environment ("WEIR_SPLICE=on") that put a weir into the mode,
 * at most MODE_WORDS; how many.  They are valid until the next mode. */
#define MODE_WORDS 2
size_t mode_settings(const char **settings);

#endif
