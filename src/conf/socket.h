/* socket.h - options of sockets: those that listen, those to backends. */
#ifndef CONF_SOCKET_H
#define CONF_SOCKET_H

#include "conf/option.h"

extern const struct weir_rows socket_listen_rows;
extern const struct weir_rows socket_backend_rows;

/* Checks what a server, read from node, says of its sockets, and lists it as
 * the kernel wants it; texts of its addresses too. */
void socket_check(struct option_loader *l, const struct node *node,
	struct conf_server *server);

#endif
