/* limiter.c - what middlewares have in common that limit something by a key. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/limiter.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"

#define WORDS_MS 1000 /* between two lines of a kind */

enum words { WORDS_DRY_RUN, WORDS_UNKNOWN };

const char *const weir_limiter_types[] = { "table", NULL };

/* ---- the start ----------------------------------------------------------- */

int
weir_limiter_start(struct weir_limiter_state *st, const struct weir_limiter *l,
	const struct weir_instance *in)
{
	st->name = in->name;
	st->server = in->server;
	st->table = weir_instance_table(in, l->table);
	if (st->table != NULL)
		return 0;
	log_error("%s/%s: option \"table\" = \"%s\": there is no table of that "
		  "name in extensions",
		in->server, in->name, l->table);
	errno = ENOENT;
	return -1;
}

static const char *
type_word(enum weir_column_type type)
{
	static const char *const words[] = {
#define X(id, word) [WEIR_COLUMN_##id] = word,
		WEIR_COLUMN_TYPES(X)
#undef X
	};

	return words[type];
}

int
weir_limiter_column(const struct weir_limiter_state *st, const char *name,
	enum weir_column_type type)
{
	int column = weir_table_column(st->table, name, type);

	if (column == -1)
		log_error("%s/%s: its table has no column \"%s\" of type "
			  "\"%s\"%s",
			st->server, st->name, name, type_word(type),
			errno == EINVAL ? ", that one is of another type" : "");
	return column;
}

/* ---- keys ---------------------------------------------------------------- */

/* Leaves the first bits of n bytes. */
static void
bits_mask(uint8_t *p, size_t n, unsigned bits)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned left = bits > i * 8 ? bits - (unsigned)i * 8 : 0;

		if (left < 8)
			p[i] &= (uint8_t)(0xff00u >> left);
	}
}

/* The network of the client, as text; its length. */
static size_t
client_text(const struct weir_call *c, const struct weir_limiter *l,
	char text[static WEIR_KEY_MOST])
{
	struct weir_addr a;
	bool is_ip4;
	unsigned bits, all;
	uint8_t *ip;
	size_t len = sizeof("unix") - 1;

	weir_peer(c, WEIR_FRONTEND, &a);
	if (a.len == 0 ||
		(a.sa.sa_family != AF_INET && a.sa.sa_family != AF_INET6)) {
		memcpy(text, "unix", len);
		return len;
	}
	is_ip4 = a.sa.sa_family == AF_INET ||
		 IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr);
	ip = a.sa.sa_family == AF_INET ? (uint8_t *)&a.in.sin_addr
	     : is_ip4		       ? &a.in6.sin6_addr.s6_addr[12]
				       : a.in6.sin6_addr.s6_addr;
	all = is_ip4 ? 32 : 128;
	bits = (unsigned)(is_ip4 ? l->prefix4 : l->prefix6);
	bits_mask(ip, all / 8, bits);
	if (is_ip4)
		len = addr_ip4_text(text, ip);
	else
		len = strlen(inet_ntop(AF_INET6, ip, text, WEIR_KEY_MOST));
	if (bits < all) {
		text[len++] = '/';
		len += addr_decimal(text + len, bits);
	}
	return len;
}

struct weir_bytes
weir_limiter_key(const struct weir_call *c, const struct weir_limiter *l,
	struct weir_limiter_key *key)
{
	char text[WEIR_KEY_MOST];
	size_t len;

	if (key->len > 0)
		return weir_limiter_kept(key);
	if (l->key == NULL)
		len = client_text(c, l, text);
	else
		len = weir_format_text(
			c, l->key, WEIR_ESCAPE_PLAIN, text, sizeof(text));
	/* It must not look like one that is not known. */
	if (len == 0)
		text[len++] = '-';
	if (len > sizeof(key->room) && (key->more = malloc(len)) == NULL)
		return weir_limiter_kept(key);
	memcpy(key->more != NULL ? key->more : key->room, text, len);
	key->len = (uint16_t)len;
	return weir_limiter_kept(key);
}

struct weir_bytes
weir_limiter_kept(const struct weir_limiter_key *key)
{
	return (struct weir_bytes){
		.p = key->more != NULL ? key->more : key->room, .len = key->len
	};
}

void
weir_limiter_free(struct weir_limiter_key *key)
{
	free(key->more);
	*key = (struct weir_limiter_key){ .len = 0 };
}

/* ---- refusals ------------------------------------------------------------ */

/* May a line of that kind be written again? */
static bool
words_are_due(struct weir_limiter_state *st, enum words words)
{
	if (st->next_words_ms[words] > clock_ms())
		return false;
	st->next_words_ms[words] = clock_ms() + WORDS_MS;
	return true;
}

static void
unknown_count(const struct weir_call *c, struct weir_limiter_state *st, int err,
	const char *then)
{
	weir_count(c, WEIR_LIMITED_UNKNOWN, 1);
	if (words_are_due(st, WORDS_UNKNOWN))
		log_warn("%s/%s: its table %s: %s", st->server, st->name,
			err == ENOSPC	   ? "is full"
			: err == ETIMEDOUT ? "does not answer in time"
			: err == EMSGSIZE  ? "has no room for so long a key"
					   : strerror(err),
			then);
}

/* The table could not say: it is asked what then. */
static bool
unknown_is_refused(struct weir_call *c, struct weir_limiter_state *st, int err)
{
	bool allows = weir_table_allows(st->table);

	unknown_count(c, st, err,
		allows ? "whom it does not know, it lets pass"
		       : "whom it does not know, it refuses");
	return !allows;
}

bool
weir_limiter_hangs(const struct weir_call *c, struct weir_limiter_state *st)
{
	if (errno != ETIMEDOUT)
		return false;
	unknown_count(c, st, ETIMEDOUT,
		"channels that are there go on until it does");
	errno = ETIMEDOUT;
	return true;
}

bool
weir_limiter_refuses(struct weir_call *c, const struct weir_limiter *l,
	struct weir_limiter_state *st, const char *why)
{
	int err = errno;

	if (err != EDQUOT && !unknown_is_refused(c, st, err))
		return false;
	if (!l->dry_run) {
		weir_count(c, WEIR_LIMITED_REFUSED, 1);
		weir_why(c, err == EDQUOT ? why : "its table cannot say");
		return true;
	}
	weir_count(c, WEIR_LIMITED_DRY_RUN, 1);
	if (err == EDQUOT && words_are_due(st, WORDS_DRY_RUN))
		weir_log(c, "dry run: %s", why);
	return false;
}

struct weir_verdict
weir_limiter_end(const struct weir_limiter *l)
{
	return weir_refuse(WEIR_R_LIMIT, (enum weir_manner)l->refuse);
}
