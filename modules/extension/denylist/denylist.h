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

/* In the keeper. */
struct state {
	struct event *watch;
	struct stat seen; /* the file, when it was read last */
	bool failed;	  /* and that has been said */
};

/* A key: the network, IPv4 ones mapped into IPv6. */
struct net {
	uint8_t addr[16];
	uint8_t bits;
};

/* A value: who wants it refused, and why. */
struct entry {
	char by; /* BY_FILE or BY_COMMAND */
	char why[DENYLIST_WHY + 1];
};
enum { BY_COMMAND = 'c', BY_FILE = 'f' };

/* Which prefixes there are: so few are asked for. */
struct prefixes {
	uint8_t v4[33];
	uint8_t v6[129];
};

/* Tables of the service. */
enum { NETS, PREFIXES };

/* Networks, copied. */
struct nets {
	struct net *v;
	size_t n, most;
	bool scant; /* memory ran out */
};

struct weir_bytes net_key(const struct net *net);
/* Parses a network, "all" is none; -1 and *why. */
int net_parse(struct net *net, const char *text, const char **why);
const char *net_text(const struct net *net, char text[static WEIR_ADDR_TEXT]);
int net_compare(const void *left, const void *right);
/* Adds it for that time, 0: for ever; -1 with errno. */
int net_add(struct weir_service *s, const struct net *net,
	const struct entry *entry, uint32_t ttl_ms);
/* -1 with errno. */
int
entry_get(struct weir_service *s, const struct net *net, struct entry *entry);
/* All networks, sorted; free nets->v. */
void nets_list(struct weir_service *s, struct nets *nets);
/* Looks which prefixes the list has; -1 with errno. */
int prefixes_know(struct weir_service *s);
/* Is a network there that has the client? */
bool client_is_listed(struct weir_service *s, const struct weir_addr *client);
/* "10m", or "off". */
int ttl_parse(uint32_t *ttl_ms, const char *text, const char **why);

/* Words of the service (command.c). */
extern const struct weir_command denylist_commands[];
/* Reads the file when it has changed; an event's callback (file.c). */
void file_look(int fd, short what, void *service);

#endif
