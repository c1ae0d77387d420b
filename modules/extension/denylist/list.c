/* list.c - the networks, in a table that all workers share. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

struct weir_bytes
net_key(const struct net *net)
{
	return (struct weir_bytes){ .p = (const uint8_t *)net,
		.len = sizeof(*net) };
}

static bool
net_is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

/* ---- lengths of prefixes --------------------------------------------------
 */

/* The number of the length of that network's prefix: a key, with a row for each
 * that has been used, so that nobody has to change what another one has. */
static uint8_t
net_length(const struct net *net)
{
	if (net_is_v4(net->addr) && net->bits >= 96)
		return net->bits - 96;
	return LENGTHS_V4 + net->bits;
}

static int
length_add(struct weir_service *s, uint8_t length)
{
	return weir_table_add(s->tables[PREFIXES],
		(struct weir_bytes){ .p = &length, .len = 1 }, 0, 1, NULL);
}

static bool
length_told(void *arg, struct weir_bytes key)
{
	struct lengths *l = arg;

	if (key.len == 1 && key.p[0] < LENGTHS)
		l->used[key.p[0]] = true;
	return true;
}

/* As they are now, or were when they could be read: some more do no harm. */
static const struct lengths *
lengths_get(struct weir_service *s)
{
	struct lengths *l = &((struct state *)s->state)->lengths;

	if (weir_table_walk(s->tables[PREFIXES], length_told, l) == 0)
		l->known = true;
	else if (!l->known)
		memset(l->used, true, sizeof(l->used));
	return l;
}

/* ---- clients --------------------------------------------------------------
 */

static void
net_cut(struct net *net, unsigned bits)
{
	unsigned i = bits / 8;

	net->bits = (uint8_t)bits;
	if (bits % 8 != 0)
		net->addr[i++] &= (uint8_t)(0xff << (8 - bits % 8));
	memset(net->addr + i, 0, 16 - i);
}

static bool
address_of(const struct weir_addr *a, uint8_t addr[16])
{
	if (a->sa.sa_family == AF_INET6) {
		memcpy(addr, &a->in6.sin6_addr, 16);
		return true;
	}
	if (a->sa.sa_family != AF_INET)
		return false;
	memset(addr, 0, 10);
	memset(addr + 10, 0xff, 2);
	memcpy(addr + 12, &a->in.sin_addr, 4);
	return true;
}

/* Is that network there? */
static bool
net_is_listed(struct weir_table *t, const uint8_t addr[16], unsigned bits,
	bool *unknown)
{
	struct net net;
	size_t len;
	char by;

	memcpy(net.addr, addr, 16);
	net_cut(&net, bits);
	if (weir_table_get(t, net_key(&net), 0, &by, sizeof(by), &len) == 0)
		return true;
	*unknown |= errno != ENOENT;
	return false;
}

bool
client_is_listed(
	struct weir_service *s, const struct weir_addr *client, bool *unknown)
{
	const struct lengths *l;
	struct weir_table *t = s->tables[NETS];
	uint8_t addr[16];
	unsigned i;

	*unknown = false;
	if (!address_of(client, addr))
		return false;
	l = lengths_get(s);
	if (net_is_v4(addr)) {
		for (i = 0; i < LENGTHS_V4; i++)
			if (l->used[i] &&
				net_is_listed(t, addr, 96 + i, unknown))
				return true;
		return false;
	}
	for (i = 0; i < LENGTHS - LENGTHS_V4; i++)
		if (l->used[LENGTHS_V4 + i] &&
			net_is_listed(t, addr, i, unknown))
			return true;
	return false;
}

/* ---- networks -------------------------------------------------------------
 */

/* That its length is there is known before. */
int
net_add(struct weir_service *s, const struct net *net,
	const struct entry *entry)
{
	struct weir_bytes value = { .p = (const uint8_t *)entry,
		.len = offsetof(struct entry, why) + strlen(entry->why) };

	if (length_add(s, net_length(net)) == -1)
		return -1;
	return weir_table_store(s->tables[NETS], net_key(net), 0, value,
		entry->ttl_ms == 0 ? UINT64_MAX : entry->ttl_ms);
}

int
entry_get(struct weir_service *s, const struct net *net, struct entry *entry)
{
	size_t len;

	memset(entry, 0, sizeof(*entry));
	return weir_table_get(s->tables[NETS], net_key(net), 0, entry,
		sizeof(*entry) - 1, &len);
}

static struct weir_bytes
seen_key(struct seen *seen, const struct net *net)
{
	*seen = (struct seen){ .net = *net };
	return (struct weir_bytes){ .p = (const uint8_t *)seen,
		.len = sizeof(*seen) };
}

int
seen_is(struct weir_service *s, const struct net *net, uint32_t ttl_ms)
{
	struct seen seen;
	uint32_t was = 0;
	size_t len;

	if (weir_table_get(s->tables[NETS], seen_key(&seen, net), 0, &was,
		    sizeof(was), &len) == 0)
		return was == ttl_ms;
	return errno == ENOENT ? 0 : -1;
}

int
seen_add(struct weir_service *s, const struct net *net, uint32_t ttl_ms)
{
	struct seen seen;

	return weir_table_store(s->tables[NETS], seen_key(&seen, net), 0,
		(struct weir_bytes){
			.p = (const uint8_t *)&ttl_ms, .len = sizeof(ttl_ms) },
		UINT64_MAX);
}

int
seen_delete(struct weir_service *s, const struct net *net)
{
	struct seen seen;

	return weir_table_delete(s->tables[NETS], seen_key(&seen, net));
}

int
net_parse(struct net *net, const char *text, const char **why)
{
	struct weir_cidr cidr;

	if (weir_cidr_parse(&cidr, text, why) == -1)
		return -1;
	*why = "write \"0.0.0.0/0\" or \"::/0\" for all";
	if (cidr.all)
		return -1;
	memcpy(net->addr, cidr.addr, sizeof(net->addr));
	net->bits = cidr.bits;
	return 0;
}

const char *
net_text(const struct net *net, char text[static WEIR_ADDR_TEXT])
{
	struct weir_cidr cidr = { .bits = net->bits };

	memcpy(cidr.addr, net->addr, sizeof(cidr.addr));
	return weir_cidr_text(&cidr, text);
}

int
ttl_parse(uint32_t *ttl_ms, const char *text, const char **why)
{
	if (strcmp(text, "off") != 0)
		return weir_time_parse(ttl_ms, text, why);
	*ttl_ms = 0;
	return 0;
}

static bool
nets_keep(void *arg, struct weir_bytes key)
{
	struct nets *nets = arg;
	struct net *v = nets->v;

	if (key.len != (nets->seens ? sizeof(struct seen) : sizeof(*v)))
		return true;
	if (nets->n == nets->most) {
		nets->most = nets->most * 2 + 64;
		v = reallocarray(nets->v, nets->most, sizeof(*v));
		nets->scant = v == NULL;
		if (nets->scant)
			return false;
		nets->v = v;
	}
	memcpy(&nets->v[nets->n++], key.p, sizeof(*v));
	return true;
}

int
net_compare(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct net));
}

void
nets_list(struct weir_service *s, struct nets *nets, bool seens)
{
	*nets = (struct nets){ .seens = seens };
	nets->partial = weir_table_walk(s->tables[NETS], nets_keep, nets) == -1;
	if (nets->n > 0)
		qsort(nets->v, nets->n, sizeof(*nets->v), net_compare);
}

/* After a restart there are networks, but nobody knows their prefixes. */
int
lengths_restore(struct weir_service *s)
{
	bool used[LENGTHS] = { false };
	struct nets nets;
	size_t i;
	int rc = 0;

	nets_list(s, &nets, false);
	for (i = 0; i < nets.n; i++)
		used[net_length(&nets.v[i])] = true;
	free(nets.v);
	errno = ENOMEM;
	rc = nets.scant ? -1 : 0;
	for (i = 0; i < LENGTHS && rc == 0; i++)
		if (used[i])
			rc = length_add(s, (uint8_t)i);
	return rc;
}
