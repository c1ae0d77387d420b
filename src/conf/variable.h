/* variable.h - the names of what is known of a channel. */
#ifndef CONF_VARIABLE_H
#define CONF_VARIABLE_H

#include "api/variable.h"
#include "base/arena.h"
#include "conf/conf.h"

/* id, name, type, since, help: the variables of the core. */
#define VARIABLES(X)                                                           \
	X(CHANNEL_ID, "channel.id", NUMBER, OPEN,                              \
		"Number of the channel, as in the lines of the log.")          \
	X(CHANNEL_AGE, "channel.age_ms", NUMBER, OPEN,                         \
		"Milliseconds since it was accepted.")                         \
	X(SERVER_NAME, "server.name", TEXT, OPEN, "Name of the server.")       \
	X(LISTEN_ADDRESS, "listen.address", TEXT, OPEN,                        \
		"Where it was accepted, as configured.")                       \
	X(CLIENT_ADDR, "client.addr", ADDR, OPEN, "Address of the client.")    \
	X(CLIENT_IP, "client.ip", IP, OPEN,                                    \
		"The same without its port; none on a unix socket.")           \
	X(CLIENT_PORT, "client.port", NUMBER, OPEN,                            \
		"Port of the client; none on a unix socket.")                  \
	X(LOCAL_ADDR, "local.addr", ADDR, OPEN,                                \
		"The address that the client has connected to.")               \
	X(LOCAL_IP, "local.ip", IP, OPEN,                                      \
		"The same without its port; none on a unix socket.")           \
	X(LOCAL_PORT, "local.port", NUMBER, OPEN,                              \
		"Port that the client has connected to; none on a unix "       \
		"socket.")                                                     \
	X(BACKEND_ADDR, "backend.addr", ADDR, CONNECT,                         \
		"Address of the backend.")                                     \
	X(BACKEND_IP, "backend.ip", IP, CONNECT,                               \
		"The same without its port; none on a unix socket.")           \
	X(BACKEND_PORT, "backend.port", NUMBER, CONNECT,                       \
		"Port of the backend; none on a unix socket.")                 \
	X(BACKEND_LOCAL, "backend.local", ADDR, CONNECT,                       \
		"Address that weir has towards the backend.")                  \
	X(BYTES_UP, "bytes.up", NUMBER, CONNECT,                               \
		"Bytes read from the client.")                                 \
	X(BYTES_DOWN, "bytes.down", NUMBER, CONNECT,                           \
		"Bytes written to the client.")                                \
	X(END_REASON, "end.reason", TEXT, CLOSE,                               \
		"Why the channel has ended, one of REASONS.")                  \
	X(END_BY, "end.by", TEXT, CLOSE,                                       \
		"Who has ended it: client, backend or weir.")                  \
	X(END_ERROR, "end.error", TEXT, CLOSE,                                 \
		"What the system said of the first failure.")                  \
	X(END_ERRNO, "end.errno", NUMBER, CLOSE,                               \
		"Number of the first failure, as in errno(3).")                \
	X(END_DETAIL, "end.detail", TEXT, CLOSE,                               \
		"Which time limit it was, what the middleware said, or how "   \
		"it broke its contract.")                                      \
	X(END_MODULE, "end.module", TEXT, CLOSE,                               \
		"The middleware that has ended it.")                           \
	X(END_WHY, "end.why", TEXT, CLOSE,                                     \
		"The first that there is of end.detail, end.module and "       \
		"end.error.")                                                  \
	X(END_AT, "end.at_ms", NUMBER, CLOSE,                                  \
		"Age in milliseconds at which its end began.")                 \
	X(TIME_ISO, "time.iso", TEXT, OPEN,                                    \
		"Now, in UTC: 2026-01-31T23:59:59.999Z.")                      \
	X(TIME_UNIX, "time.unix_ms", NUMBER, OPEN,                             \
		"Now, in milliseconds since 1970.")

enum variable_id {
#define X(id, name, type, since, help) VARIABLE_##id,
	VARIABLES(X)
#undef X
		VARIABLE_COUNT
};

/* A variable that was found. */
struct variable {
	const char *name; /* the whole */
	const struct weir_variable *row;
	enum variable_id id; /* VARIABLE_COUNT: a middleware's */
	unsigned stage;	     /* of that middleware in the chain */
};

/* Where names are looked up: the core, and a sorted chain. */
struct variable_scope {
	struct arena *arena;
	const struct conf_stage *stages;
	size_t n;
	bool incomplete; /* some middlewares of it could not be loaded */
};

/* What is wrong with a text, and at which byte from 1 on. */
struct variable_fault {
	size_t column;
	const char *why; /* NULL: it cannot be known */
};

/* In order of enum variable_id; ends with name NULL; .get is NULL. */
extern const struct weir_variable variable_rows[];

/* How many variables that name of len bytes has; *v is the first. */
unsigned variable_lookup(const struct conf_stage *stages, size_t n,
	const char *name, size_t len, struct variable *v);
/* The variable of that name, in the scope's arena; or NULL with *why, which is
 * NULL when the scope is incomplete. */
const struct variable *variable_find(const struct variable_scope *s,
	const char *name, size_t len, const char **why);
/* "number", "text", ... */
const char *variable_type_word(enum weir_value_type type);
/* "when the channel opens", "once the backend is connected", ... */
const char *variable_known(enum weir_moment moment);

#endif
