/* limits.h - a rig with a middleware that limits, beside the table that it
 * looks for. */
#ifndef LIB_LIMITS_H
#define LIB_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/services.h"
#include "lib/entry.h"
#include "lib/pair.h"
#include "lib/shared.h"

enum {
	LIMITS_CONNS,
	LIMITS_NEW,
	LIMITS_UP,
	LIMITS_DOWN,
	LIMITS_QUOTA,
	LIMITS_COLUMNS
};

/* For a rig that finds it. */
extern const struct services limits_services;

/* cmocka's setup and teardown: the table of lib/shared.h with these columns, in
 * which nobody holds anything at the end. */
int limits_setup(void **state);
int limits_teardown(void **state);
#define limits_test(f)                                                         \
	cmocka_unit_test_setup_teardown(f, limits_setup, limits_teardown)
/* The same in each mode (lib/mode.h). */
#define limits_relay_tests(f) mode_tests(f, limits_setup, limits_teardown)

/* A rig that has { type = TYPE; OPTIONS } and the dial of lib/pair.h; no
 * channel. */
void limits_start(const char *type, const char *options);
void limits_stop(void);
/* Opens a channel that seems to come from there ("1.2.3.4:5"), and whose client
 * and server are those of lib/pair.h; false: it was refused and has ended. */
bool limits_open(const char *peer);
/* The same, with a client and a server that are the caller's. */
bool limits_open_to(const char *peer, int *client_fd, int *server_fd);
/* Ends the channel of lib/pair.h from its client's side. */
void limits_end(void);
/* Is a client of that address let in?  Its channel ends at once. */
bool limits_lets_in(const char *peer);
/* What was counted of that word. */
uint64_t limits_counted(const char *word);

#endif
