/* denylist.h - what the parts of the denylist share. */
#ifndef DENYLIST_H
#define DENYLIST_H

#include <sys/stat.h>

#include "weir.h"

#define DENYLIST_WHY 127

struct event;

struct conf {
	const char *file;
	const char *keep;
	size_t size;
	uint32_t ttl_ms; /* 0: off */
	int refuse;
};

/* Lengths of prefixes: those of IPv4, then those of IPv6. */
#define LENGTHS_V4 33
#define LENGTHS	   (LENGTHS_V4 + 129)

/* Which of them the list has: so few networks are asked for. */
struct lengths {
	bool used[LENGTHS];
	bool known; /* they have been read once */
};

/* A key: the network, IPv4 ones mapped into IPv6. */
struct net {
	uint8_t addr[16];
	uint8_t bits;
};

/* Another key: a line of the file that has a time.  It stays when that time is
 * over, as long as the line does. */
struct seen {
	struct net net;
	uint8_t mark;
};

/* A value: who wants it refused, and why. */
struct entry {
	uint32_t ttl_ms; /* as it was added, 0: for ever */
	char by;	 /* BY_FILE or BY_COMMAND */
	char why[DENYLIST_WHY + 1];
};
enum { BY_COMMAND = 'c', BY_FILE = 'f' };

/* Tables of the service. */
enum { NETS, PREFIXES };

/* What stage counts. */
enum { COUNT_REFUSED, COUNT_UNKNOWN };

/* Networks, copied. */
struct nets {
	struct net *v;
	size_t n, most;
	bool seens;   /* they are those of lines that were seen */
	bool scant;   /* memory ran out */
	bool partial; /* some could not be read in time */
};

/* Of a file. */
struct line {
	struct net net; /* first: it is sorted by that */
	uint32_t ttl_ms;
};

enum apply_step { APPLY_NONE, APPLY_NETS, APPLY_SEENS, APPLY_LINES };

/* The list on its way to become that of a file. */
struct apply {
	struct event *turn;
	enum apply_step step; /* which of these are looked at */
	struct line *v;	      /* of the file, sorted */
	size_t n;
	struct nets nets; /* that are there, perhaps without a line */
	size_t at;	  /* which of them is next */
	size_t removed, failed;
	bool stays; /* something without a line could not be taken away */
	int err;    /* the last */
};

struct state {
	struct lengths lengths; /* as this process has seen them last */
	/* In the keeper. */
	struct event *watch;
	struct stat seen;    /* the file, when it was read last */
	struct stat applied; /* the one that apply is about */
	bool failed;	     /* and that has been said */
	unsigned wait; /* looks until what was not possible is tried again */
	struct apply apply;
	bool loops; /* the keeper is through with its start */
};

struct weir_bytes net_key(const struct net *net);
/* Parses a network, "all" is none; -1 and *why. */
int net_parse(struct net *net, const char *text, const char **why);
const char *net_text(const struct net *net, char text[static WEIR_ADDR_TEXT]);
int net_compare(const void *left, const void *right);
/* Adds it for its time; -1 with errno. */
int net_add(struct weir_service *s, const struct net *net,
	const struct entry *entry);
/* -1 with errno. */
int
entry_get(struct weir_service *s, const struct net *net, struct entry *entry);
/* The time of the line of that network was begun with this ttl: is it known (1,
 * 0, or -1 with errno), and: it is. */
int seen_is(struct weir_service *s, const struct net *net, uint32_t ttl_ms);
int seen_add(struct weir_service *s, const struct net *net, uint32_t ttl_ms);
int seen_delete(struct weir_service *s, const struct net *net);
/* All networks, sorted, or those of lines that were seen; free nets->v. */
void nets_list(struct weir_service *s, struct nets *nets, bool seens);
/* Makes known which prefixes the networks have that are there; -1 with errno.
 */
int lengths_restore(struct weir_service *s);
/* Is a network there that has the client?  *unknown: perhaps, but the list did
 * not say in time. */
bool client_is_listed(
	struct weir_service *s, const struct weir_addr *client, bool *unknown);
/* "10m", or "off". */
int ttl_parse(uint32_t *ttl_ms, const char *text, const char **why);

/* Words of the service (command.c). */
extern const struct weir_command denylist_commands[];
/* Reads the file when it has changed; an event's callback (file.c).  Without a
 * file: takes away what one had brought. */
void file_look(int fd, short what, void *service);
/* What has come of it. */
void file_applied(struct weir_service *s, const struct apply *a);

/* -1 with errno. */
int apply_init(struct weir_service *s);
void apply_done(struct weir_service *s);
/* Begins to make the list that of these lines, which it frees, and calls
 * file_applied() when that is done. */
void apply_begin(struct weir_service *s, struct line *v, size_t n);
/* Is there still something to do?  Then it is done, if nothing else does. */
bool apply_goes_on(struct weir_service *s);
/* Does at once what there is to do; or leaves it. */
void apply_finish(struct weir_service *s);
void apply_end(struct weir_service *s);

#endif
