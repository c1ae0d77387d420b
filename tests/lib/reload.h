/* reload.h - reloads of a weir, and what those that fail must not change. */
#ifndef LIB_RELOAD_H
#define LIB_RELOAD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "lib/daemon.h"

#define RELOAD_SOCKETS 64

/* What can be seen of a weir from outside. */
struct reload_view {
	pid_t workers[DAEMON_WORKERS];
	size_t nworkers;
	int fds;		       /* of the master */
	ino_t sockets[RELOAD_SOCKETS]; /* of the master, its listeners among
					* them; sorted */
	size_t nsockets;
};

/* HUP, and waits until that generation serves. */
void reload_takes(struct daemon *d, unsigned generation);
/* Waits until so many workers in all have been replaced: until then they may
 * take whoever connects. */
void reload_drained(struct daemon *d, unsigned workers);
/* Waits until so many generations in all have ended. */
void reload_gone(struct daemon *d, unsigned generations);
/* HUP, and waits until that generation is given up. */
void reload_fails(struct daemon *d, unsigned generation);
/* Waits until weir has so many child processes: those of one generation. */
void reload_alone(struct daemon *d, size_t workers);
/* Sends n signals, a millisecond apart, any of those that neither stop nor
 * quit; then HUP. */
void reload_storm(struct daemon *d, unsigned n);
/* HUP for a configuration with another number of workers than before: waits
 * until it serves alone, and nothing is left to be done. */
void reload_storm_end(struct daemon *d, size_t workers);
void reload_look(struct daemon *d, struct reload_view *v);
/* Waits until all is as it was then. */
void reload_unchanged(struct daemon *d, const struct reload_view *v);
/* Inode of the socket that listens on that port of 127.0.0.1; 0: none does. */
ino_t reload_inode(uint16_t port);
/* Makes the i-th bad file of tests/conf/bad, from 0 and round again, the
 * configuration; how many there are. */
size_t reload_bad_file(struct daemon *d, size_t i);

#endif
