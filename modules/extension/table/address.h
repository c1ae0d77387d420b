/* address.h - where a Redis is. */
#ifndef TABLE_ADDRESS_H
#define TABLE_ADDRESS_H

#include <stdint.h>

#define ADDRESS_PART 256

struct address {
	char user[ADDRESS_PART], password[ADDRESS_PART]; /* "": none */
	char host[ADDRESS_PART]; /* a name or an address; "": a path */
	char path[108];		 /* of a unix socket */
	uint16_t port;
	uint32_t db;
	char text[ADDRESS_PART + 16]; /* for people: without the password */
};

/* Parses redis://[user:password@]host[:port][/db] or
 * redis+unix://[user:password@]/path[?db=db], %XX in user, password and path
 * being that byte (RFC 3986): 0, or -1, and *why (a literal) is what is wrong.
 */
int address_parse(struct address *a, const char *text, const char **why);

#endif
