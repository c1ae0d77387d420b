/* client.h - weir -s: says a word to the master that runs. */
#ifndef MASTER_CLIENT_H
#define MASTER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct conf;

/* Does what weir -s word is to do, by the pidfile of conf: sends the signal, or
 * asks over the control socket and shows the answer where that tells more (see
 * caller.h).  Exit status: 0, or 1 with the reason on stderr. */
int client_run(const struct conf *conf, const char *word);
/* Asks on the socket of that path, and shows the lines of the answer on out and
 * err as they come.  0 when it says success; else 1, with the reason on err,
 * also when there is no end of it within limit_ms. */
int client_ask(const char *path, const char *word, uint32_t limit_ms, FILE *out,
	FILE *err);
/* The words of -s: a line each with what it does, or, in one line, those that
 * do something. */
void client_words(FILE *out, bool is_help);

#endif
