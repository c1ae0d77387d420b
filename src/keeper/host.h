/* host.h - by which name a request has come: a page that somebody reads in a
 * browser may send requests to names of its own that lead here. */
#ifndef KEEPER_HOST_H
#define KEEPER_HOST_H

#include <stdbool.h>

struct evhttp_request;

/* Is it an address, as "192.0.2.1" or "[2001:db8::1]", or localhost, with or
 * without a port?  Nobody else can make these lead here. */
bool host_is_plain(const char *host);
/* Why a request over TCP, without a token, is not answered; NULL: its Host is
 * one of those (RFC 9112, 3.2), or it is from before there was one. */
const char *host_refuses(struct evhttp_request *req);
/* Is it of a page of another host (Origin, RFC 6454)? */
bool host_is_foreign(struct evhttp_request *req);

#endif
