/* caller.h - one who calls the master over its control socket. */
#ifndef MASTER_CALLER_H
#define MASTER_CALLER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One connection is one question (SOCK_SEQPACKET, unix(7)).  The question is a
 * packet with one word.  The answer is text, whole lines in each packet: a line
 * is the word of a kind, a blank, and text.  The line "end CODE TEXT" is the
 * last one; code 0 is success. */
#define CALLER_SUFFIX ".ctl" /* behind the path of the pidfile */
#define CALLER_PACKET 4096   /* bytes of a packet of the answer, at most */
#define CALLER_LINE   1024   /* bytes of a line with its end; more is cut */
#define CALLER_MS     5000   /* to say the word, and to read what is there */

/* id, word, how long weir -s waits for the end (ms; 0: -s sends the signal of
 * that name and does not wait), what it does */
#define CALLER_WORDS(X)                                                        \
	X(RELOAD, "reload", 60000, "reads the configuration again")            \
	X(REOPEN, "reopen", 0, "opens the log files again")                    \
	X(STOP, "stop", 0, "resets every channel and stops")                   \
	X(QUIT, "quit", 0, "gives channels close_wait to finish, stops")       \
	X(DRAIN, "drain", 0, "lets the workers finish, stays")                 \
	X(STATUS, "status", 5000, "says how it is doing")

enum caller_word {
#define X(id, word, limit_ms, help) CALLER_##id,
	CALLER_WORDS(X)
#undef X
		CALLER_WORD_COUNT
};

/* id, first word of the line */
#define CALLER_KINDS(X)                                                        \
	X(INFO, "info")	  /* for stdout */                                     \
	X(ERROR, "error") /* for stderr */                                     \
	X(END, "end")	  /* the outcome */

enum caller_kind {
#define X(id, word) CALLER_SAYS_##id,
	CALLER_KINDS(X)
#undef X
};

enum caller_state {
	CALLER_FREE,  /* no connection */
	CALLER_NEW,   /* has not said its word; has CALLER_MS to do so */
	CALLER_WAITS, /* has; nothing more of it is read */
	CALLER_LEAVES /* the answer is complete, but not all of it sent */
};

struct caller_row {
	const char *word;
	uint32_t limit_ms;
	const char *help;
};

struct caller {
	int fd; /* -1 when FREE */
	enum caller_state state;
	enum caller_word word; /* from WAITS on */
	bool keeper;	       /* that is who it is */
	bool begun;	       /* what it waits for has started */
	const uint64_t *now_ms;
	uint64_t due_ms; /* gone then; UINT64_MAX: never */
	char *out;	 /* lines that are not sent yet */
	size_t len;
	unsigned lost; /* lines for which there was no room */
};

/* In order of enum caller_word; ends with a row whose word is NULL. */
extern const struct caller_row caller_rows[];
/* In order of enum caller_kind; ends with NULL. */
extern const char *const caller_kind_words[];

/* The row of that word of n bytes, or NULL. */
const struct caller_row *caller_find(const char *word, size_t n);
/* All words into text, with commas; returns text. */
const char *caller_words(char *text, size_t size);

/* Makes c NEW; fd is its own from here on, now_ms must live as long.  -1 with
 * ENOMEM: fd is closed. */
int caller_open(struct caller *c, int fd, const uint64_t *now_ms);
/* Reads the word of a NEW one, which then WAITS: true.  Whoever says anything
 * else is answered what is known. */
bool caller_hear(struct caller *c);
/* Adds text to the answer, each of its lines as one; what there is no room for
 * is counted and left out.  Errors of the socket make it FREE. */
void caller_text(struct caller *c, enum caller_kind kind, const char *text);
/* The same for less than CALLER_LINE bytes. */
void caller_say(struct caller *c, enum caller_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Completes the answer, 0 being success; c is FREE, or LEAVES. */
void caller_end(struct caller *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void caller_vend(struct caller *c, int code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
/* Sends what the socket takes. */
void caller_flush(struct caller *c);
/* Makes c FREE without a word. */
void caller_drop(struct caller *c);
/* Answers fd, which is nobody's, that it failed, and closes it. */
void caller_refuse(int fd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
