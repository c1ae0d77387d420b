/* link.c - a connection to a Redis, made again whenever it is lost.
 *
 * Of hiredis it uses what writes commands and reads answers; its connections
 * end the whole process when somebody says what was not asked. */
#include <sys/un.h>
#include <netinet/in.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <hiredis/hiredis.h>

#include "link.h"

#define FIRST_MS    100
#define MOST_MS	    10000
#define REPLY_MS    3000 /* the longest that an answer may take */
#define ASK_MOST    512	 /* arguments */
#define CHUNK	    16384
#define ANSWER_MOST 4194304 /* bytes */

static void link_dial(struct link *l);
static void link_timer(evutil_socket_t fd, short what, void *arg);

uint64_t
link_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
link_wait(struct link *l, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(l->timer, &tv);
}

int
link_init(struct link *l)
{
	l->timer = event_new(l->service->base, -1, 0, link_timer, l);
	if (l->timer == NULL) {
		errno = ENOMEM;
		return -1;
	}
	l->wait_ms = FIRST_MS;
	return 0;
}

void
link_begin(struct link *l)
{
	link_dial(l);
}

static void
link_drop(struct link *l)
{
	bool was_up = l->is_up;

	l->is_up = false;
	if (l->timer != NULL)
		(void)event_del(l->timer);
	if (l->bev != NULL)
		bufferevent_free(l->bev);
	if (l->reader != NULL)
		redisReaderFree(l->reader);
	l->bev = NULL;
	l->reader = NULL;
	if (was_up)
		l->down(l->arg);
}

void
link_done(struct link *l)
{
	if (l->timer != NULL)
		link_drop(l);
	if (l->dns != NULL)
		evdns_base_free(l->dns, 0);
	if (l->timer != NULL)
		event_free(l->timer);
	l->dns = NULL;
	l->timer = NULL;
}

void
link_works(struct link *l, const char *how)
{
	l->wait_ms = FIRST_MS;
	if (l->works)
		return;
	l->works = true;
	l->said[0] = '\0';
	weir_service_info(l->service, "Redis at %s: %s", l->address.text, how);
}

void
link_again(struct link *l, uint32_t ms)
{
	link_drop(l);
	link_wait(l, ms);
}

/* One line for each reason, not for each try.  Machines that have lost the same
 * Redis do not come back all at once. */
void
link_fail(struct link *l, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	/* What somebody else has said may be anything. */
	for (p = l->why; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	l->works = false;
	l->failures++;
	if (strcmp(l->why, l->said) != 0) {
		memcpy(l->said, l->why, sizeof(l->said));
		weir_service_warn(l->service,
			"Redis at %s: %s; until it works again, limits go by "
			"what is known here",
			l->address.text, l->why);
	}
	link_again(l, l->wait_ms / 2 + arc4random_uniform(l->wait_ms));
	l->wait_ms = l->wait_ms * 2 < MOST_MS ? l->wait_ms * 2 : MOST_MS;
}

/* It is time to try again, or an answer is too late. */
static void
link_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	if (l->bev == NULL)
		link_dial(l);
	else
		link_fail(l, "it has not answered for %d s", REPLY_MS / 1000);
}

/* ---- hello --------------------------------------------------------------- */

/* What an error means for who has configured it. */
static const char *
error_hint(const char *text)
{
	if (strncmp(text, "NOAUTH", 6) == 0)
		return " (it wants a password: redis://:PASSWORD@host)";
	if (strncmp(text, "WRONGPASS", 9) == 0 ||
		strncmp(text, "ERR invalid password", 20) == 0)
		return " (look at user and password of option \"sync\")";
	if (strncmp(text, "NOPERM", 6) == 0)
		return " (weir.conf(5) says what its user needs)";
	return "";
}

void
link_refused(struct link *l, const struct redisReply *reply)
{
	link_fail(l, "it says: %.120s%s", reply->str, error_hint(reply->str));
}

/* Sends a command, which hiredis has written; n: its bytes, or none (-1). */
static void
link_send(struct link *l, char *command, int n)
{
	if (l->bev != NULL &&
		(n < 0 || bufferevent_write(l->bev, command, (size_t)n) == -1))
		link_fail(l, "cannot ask: %s", strerror(ENOMEM));
	else
		l->awaited++;
	if (n >= 0)
		redisFreeCommand(command);
}

static void
link_greet(struct link *l)
{
	const struct address *a = &l->address;
	char *p;
	int n;

	if (a->user[0] != '\0') {
		n = redisFormatCommand(&p, "AUTH %s %s", a->user, a->password);
		link_send(l, p, n);
	} else if (a->password[0] != '\0') {
		n = redisFormatCommand(&p, "AUTH %s", a->password);
		link_send(l, p, n);
	}
	if (a->db != 0) {
		n = redisFormatCommand(&p, "SELECT %u", (unsigned)a->db);
		link_send(l, p, n);
	}
	n = redisFormatCommand(&p, "SCRIPT LOAD %s", l->script);
	link_send(l, p, n);
}

/* One answer of the greeting; after the last one it knows the script. */
static void
link_greeted(struct link *l, const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		link_refused(l, reply);
	} else if (l->awaited > 0) {
		return;
	} else if (reply->type != REDIS_REPLY_STRING ||
		   (size_t)reply->len != sizeof(l->sha) - 1) {
		link_fail(l, "it answers nonsense to SCRIPT LOAD");
	} else {
		memcpy(l->sha, reply->str, sizeof(l->sha));
		(void)event_del(l->timer);
		l->is_up = true;
		l->up(l->arg);
	}
}

/* ---- answers ------------------------------------------------------------- */

static void
link_answered(struct link *l, const struct redisReply *reply)
{
	l->bytes = 0;
	if (l->awaited == 0) {
		link_fail(l, "it says what it was not asked");
		return;
	}
	l->awaited--;
	if (!l->is_up) {
		link_greeted(l, reply);
		return;
	}
	(void)event_del(l->timer);
	l->answer(l->arg, reply);
}

/* All answers that are there by now. */
static void
link_parse(struct link *l)
{
	void *reply = NULL;

	while (l->reader != NULL) {
		if (redisReaderGetReply(l->reader, &reply) != REDIS_OK) {
			link_fail(l, "it does not speak as Redis does: %s",
				l->reader->errstr);
			return;
		}
		if (reply == NULL)
			return;
		link_answered(l, reply);
		freeReplyObject(reply);
	}
}

static void
link_read(struct bufferevent *bev, void *arg)
{
	struct link *l = arg;
	char chunk[CHUNK];
	size_t n;

	while (l->bev == bev &&
		(n = bufferevent_read(bev, chunk, sizeof(chunk))) > 0) {
		l->bytes += n;
		if (l->bytes > ANSWER_MOST)
			link_fail(l, "its answer is too long");
		else if (redisReaderFeed(l->reader, chunk, n) != REDIS_OK)
			link_fail(
				l, "its answer is lost: %s", strerror(ENOMEM));
		else
			link_parse(l);
	}
}

/* ---- connecting ---------------------------------------------------------- */

static void
link_event(struct bufferevent *bev, short what, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR(), dns;
	struct link *l = arg;

	dns = bufferevent_socket_get_dns_error(bev);
	if ((what & BEV_EVENT_CONNECTED) != 0)
		link_greet(l);
	else if (dns != 0)
		link_fail(l, "its name cannot be looked up: %s",
			evutil_gai_strerror(dns));
	else if ((what & BEV_EVENT_EOF) != 0)
		link_fail(l, "it has closed the connection");
	else if (l->awaited == 0 && !l->is_up)
		link_fail(l, "cannot connect: %s", strerror(err));
	else
		link_fail(l, "the connection is lost: %s", strerror(err));
}

static bool
host_is_name(const char *host)
{
	struct in6_addr any;

	return evutil_inet_pton(AF_INET, host, &any) != 1 &&
	       evutil_inet_pton(AF_INET6, host, &any) != 1;
}

/* getaddrinfo(3) would let the whole process wait for a name. */
static int
link_connect(struct link *l)
{
	const struct address *a = &l->address;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (a->host[0] == '\0') {
		memcpy(sun.sun_path, a->path, sizeof(sun.sun_path));
		return bufferevent_socket_connect(
			l->bev, (struct sockaddr *)&sun, sizeof(sun));
	}
	if (l->dns == NULL && host_is_name(a->host)) {
		l->dns = evdns_base_new(l->service->base,
			EVDNS_BASE_INITIALIZE_NAMESERVERS |
				EVDNS_BASE_DISABLE_WHEN_INACTIVE);
		errno = ENOENT;
		if (l->dns == NULL)
			return -1;
	}
	return bufferevent_socket_connect_hostname(
		l->bev, l->dns, AF_UNSPEC, a->host, a->port);
}

static void
link_dial(struct link *l)
{
	struct bufferevent *bev;

	l->awaited = 0;
	l->bytes = 0;
	l->reader = redisReaderCreate();
	l->bev = bufferevent_socket_new(
		l->service->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (l->reader == NULL || l->bev == NULL) {
		link_fail(l, "cannot connect: %s", strerror(ENOMEM));
		return;
	}
	bev = l->bev;
	bufferevent_setcb(bev, link_read, NULL, link_event, l);
	link_wait(l, REPLY_MS);
	/* It may have failed, and said so, before it returns. */
	if (bufferevent_enable(bev, EV_READ | EV_WRITE) == -1 ||
		(link_connect(l) == -1 && l->bev == bev))
		link_fail(l, "cannot connect: %s", strerror(errno));
}

/* ---- asking -------------------------------------------------------------- */

void
link_ask(struct link *l, int argc, const char **argv, const size_t *lens)
{
	const char *words[ASK_MOST] = { "EVALSHA", l->sha };
	size_t sizes[ASK_MOST] = { 7, sizeof(l->sha) - 1 };
	char *command = NULL;
	int n;

	memcpy(words + 2, argv, (size_t)argc * sizeof(*argv));
	memcpy(sizes + 2, lens, (size_t)argc * sizeof(*lens));
	n = (int)redisFormatCommandArgv(&command, argc + 2, words, sizes);
	link_wait(l, REPLY_MS);
	link_send(l, command, n);
}
