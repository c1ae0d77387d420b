/* reading.c - the values of variables, for one channel. */
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "conf/reading.h"

/* id, statement that sets v */
#define READINGS(X)                                                            \
	X(CHANNEL_ID, number_set(v, f->id))                                    \
	X(CHANNEL_AGE, number_set(v, f->age_ms))                               \
	X(SERVER_NAME, text_set(v, f->server))                                 \
	X(LISTEN_ADDRESS, text_set(v, f->listen))                              \
	X(CLIENT_ADDR, addr_set(v, &f->client))                                \
	X(CLIENT_IP, ip_set(v, &f->client))                                    \
	X(CLIENT_PORT, port_set(v, &f->client))                                \
	X(LOCAL_ADDR, addr_set(v, local_of(c, WEIR_FRONTEND, &a)))             \
	X(LOCAL_IP, ip_set(v, local_of(c, WEIR_FRONTEND, &a)))                 \
	X(LOCAL_PORT, port_set(v, local_of(c, WEIR_FRONTEND, &a)))             \
	X(BACKEND_ADDR, addr_set(v, &f->target))                               \
	X(BACKEND_IP, ip_set(v, &f->target))                                   \
	X(BACKEND_PORT, port_set(v, &f->target))                               \
	X(BACKEND_LOCAL, addr_set(v, local_of(c, WEIR_BACKEND, &a)))           \
	X(BYTES_UP, number_set(v, f->up_bytes))                                \
	X(BYTES_DOWN, number_set(v, f->down_bytes))                            \
	X(END_REASON, text_set(v, reason_of(f)))                               \
	X(END_BY, text_set(v, side_of(f)))                                     \
	X(END_ERROR, text_set(v, error_of(f)))                                 \
	X(END_ERRNO, some_set(v, (uint64_t)f->err, f->err != 0))               \
	X(END_DETAIL, text_set(v, f->detail))                                  \
	X(END_MODULE, text_set(v, f->module))                                  \
	X(END_WHY, text_set(v, why_of(f)))                                     \
	X(END_AT, some_set(v, f->ended_ms, f->reason != WEIR_R_NONE))          \
	X(TIME_ISO, time_set(v))                                               \
	X(TIME_UNIX, number_set(v, unix_ms()))

static void core_read(enum variable_id id, const struct weir_call *c,
	const struct weir_facts *f, struct weir_value *v);
static void number_set(struct weir_value *v, uint64_t n);
static void some_set(struct weir_value *v, uint64_t n, bool is);
static void text_set(struct weir_value *v, const char *text);
static void addr_set(struct weir_value *v, const struct weir_addr *a);
static void ip_set(struct weir_value *v, const struct weir_addr *a);
static void port_set(struct weir_value *v, const struct weir_addr *a);
static void time_set(struct weir_value *v);
static const struct weir_addr *
local_of(const struct weir_call *c, enum weir_side side, struct weir_addr *a);
static const char *reason_of(const struct weir_facts *f);
static const char *side_of(const struct weir_facts *f);
static const char *error_of(const struct weir_facts *f);
static const char *why_of(const struct weir_facts *f);
static uint64_t unix_ms(void);

void
reading_get(struct reading *r, const struct variable *var, struct weir_value *v)
{
	*v = (struct weir_value){ .type = WEIR_VALUE_NONE };
	if (var->id == VARIABLE_COUNT) {
		reading_ask(r->c, var->stage, var->row, v);
	} else {
		if (!r->has_facts)
			weir_facts(r->c, &r->facts);
		r->has_facts = true;
		core_read(var->id, r->c, &r->facts, v);
	}
	if (v->type != var->row->type ||
		(v->type == WEIR_VALUE_TEXT && v->text == NULL))
		v->type = WEIR_VALUE_NONE;
}

bool
reading_ip(const struct weir_addr *a, struct in6_addr *ip)
{
	*ip = (struct in6_addr){ { { [10] = 0xff, [11] = 0xff } } };
	if (a->len == 0 ||
		(a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6))
		return false;
	if (a->sa.sa_family == AF_INET6)
		*ip = a->in6.sin6_addr;
	else
		memcpy(&ip->s6_addr[12], &a->in.sin_addr, 4);
	return true;
}

in_port_t
reading_port(const struct weir_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port
						 : a->in.sin_port);
}

const char *
reading_addr_text(const struct weir_value *v, char text[static WEIR_ADDR_TEXT])
{
	struct in6_addr ip;

	if (v->type != WEIR_VALUE_IP || !reading_ip(&v->addr, &ip))
		return weir_addr_text(&v->addr, text);
	if (IN6_IS_ADDR_V4MAPPED(&ip))
		inet_ntop(AF_INET, &ip.s6_addr[12], text, WEIR_ADDR_TEXT);
	else
		inet_ntop(AF_INET6, &ip, text, WEIR_ADDR_TEXT);
	return text;
}

void
weir_variable_get(
	const struct weir_call *c, const char *name, struct weir_value *v)
{
	const struct conf_server *server = reading_server(c);
	struct reading r = { .c = c };
	struct variable var;

	*v = (struct weir_value){ .type = WEIR_VALUE_NONE };
	if (variable_lookup(server->stages.v, server->stages.n, name,
		    strlen(name), &var) != 1)
		return;
	reading_get(&r, &var, v);
}

static void
core_read(enum variable_id id, const struct weir_call *c,
	const struct weir_facts *f, struct weir_value *v)
{
	struct weir_addr a;

	switch (id) {
#define X(id, statement)                                                       \
	case VARIABLE_##id:                                                    \
		statement;                                                     \
		break;
		READINGS(X)
#undef X
	case VARIABLE_COUNT:
		break;
	}
}

static void
number_set(struct weir_value *v, uint64_t n)
{
	v->type = WEIR_VALUE_NUMBER;
	v->number = n;
}

static void
some_set(struct weir_value *v, uint64_t n, bool is)
{
	if (is)
		number_set(v, n);
}

static void
text_set(struct weir_value *v, const char *text)
{
	if (text == NULL)
		return;
	v->type = WEIR_VALUE_TEXT;
	v->text = text;
	v->len = strlen(text);
}

static void
addr_set(struct weir_value *v, const struct weir_addr *a)
{
	if (a->len == 0)
		return;
	v->type = WEIR_VALUE_ADDR;
	v->addr = *a;
}

static void
ip_set(struct weir_value *v, const struct weir_addr *a)
{
	struct in6_addr ip;

	if (!reading_ip(a, &ip))
		return;
	v->type = WEIR_VALUE_IP;
	v->addr = *a;
}

static void
port_set(struct weir_value *v, const struct weir_addr *a)
{
	struct in6_addr ip;

	if (reading_ip(a, &ip))
		number_set(v, reading_port(a));
}

static void
time_set(struct weir_value *v)
{
	uint64_t ms = unix_ms();
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	if (gmtime_r(&s, &tm) == NULL)
		return;
	n = strftime(v->room, sizeof(v->room), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(v->room + n, sizeof(v->room) - n, ".%03uZ",
		(unsigned)(ms % 1000));
	text_set(v, v->room);
}

static const struct weir_addr *
local_of(const struct weir_call *c, enum weir_side side, struct weir_addr *a)
{
	weir_local(c, side, a);
	return a;
}

static const char *
reason_of(const struct weir_facts *f)
{
	return f->reason != WEIR_R_NONE ? weir_reason_word(f->reason) : NULL;
}

static const char *
side_of(const struct weir_facts *f)
{
	static const char *const words[] = { [WEIR_FRONTEND] = "client",
		[WEIR_BACKEND] = "backend",
		[WEIR_SELF] = "weir" };

	return f->reason != WEIR_R_NONE ? words[f->ended_by] : NULL;
}

static const char *
error_of(const struct weir_facts *f)
{
	return f->err != 0 ? strerror(f->err) : NULL;
}

static const char *
why_of(const struct weir_facts *f)
{
	if (f->detail != NULL)
		return f->detail;
	return f->module != NULL ? f->module : error_of(f);
}

/* See clock_gettime(2). */
static uint64_t
unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
