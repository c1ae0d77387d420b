/* list.c - the networks, in a table that all workers share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

static const struct weir_bytes prefixes_key = { .p = (const uint8_t *)"all",
	.len = 3 };

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

/* Nothing is known when it cannot be read: then all are asked for. */
static void
prefixes_get(struct weir_table *t, struct prefixes *used)
{
	size_t len;

	if (weir_table_get(t, prefixes_key, 0, used, sizeof(*used), &len) ==
			-1 &&
		errno == ENOENT)
		*used = (struct prefixes){ 0 };
	else if (errno == ETIMEDOUT)
		memset(used, 1, sizeof(*used));
}

/* Before the network itself is there. */
static int
prefixes_add(struct weir_table *t, const struct net *net)
{
	struct prefixes used;
	bool v4 = net_is_v4(net->addr) && net->bits >= 96;

	errno = 0;
	prefixes_get(t, &used);
	if (v4 ? used.v4[net->bits - 96] : used.v6[net->bits])
		return 0;
	if (v4)
		used.v4[net->bits - 96] = 1;
	else
		used.v6[net->bits] = 1;
	return weir_table_set(t, prefixes_key, 0,
		(struct weir_bytes){
			.p = (const uint8_t *)&used, .len = sizeof(used) });
}

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
net_is_listed(struct weir_table *t, const uint8_t addr[16], unsigned bits)
{
	struct entry entry;
	struct net net;
	size_t len;

	memcpy(net.addr, addr, 16);
	net_cut(&net, bits);
	return weir_table_get(
		       t, net_key(&net), 0, &entry, sizeof(entry), &len) == 0;
}

bool
client_is_listed(struct weir_service *s, const struct weir_addr *client)
{
	struct prefixes used;
	uint8_t addr[16];
	unsigned i;

	if (!address_of(client, addr))
		return false;
	errno = 0;
	prefixes_get(s->tables[PREFIXES], &used);
	if (net_is_v4(addr)) {
		for (i = 0; i <= 32; i++)
			if (used.v4[i] &&
				net_is_listed(s->tables[NETS], addr, 96 + i))
				return true;
		return false;
	}
	for (i = 0; i <= 128; i++)
		if (used.v6[i] && net_is_listed(s->tables[NETS], addr, i))
			return true;
	return false;
}

int
net_add(struct weir_service *s, const struct net *net,
	const struct entry *entry, uint32_t ttl_ms)
{
	if (prefixes_add(s->tables[PREFIXES], net) == -1 ||
		weir_table_set(s->tables[NETS], net_key(net), 0,
			(struct weir_bytes){ .p = (const uint8_t *)entry,
				.len = 2 + strlen(entry->why) }) == -1)
		return -1;
	return weir_table_expire(s->tables[NETS], net_key(net),
		ttl_ms == 0 ? UINT64_MAX : ttl_ms);
}

int
entry_get(struct weir_service *s, const struct net *net, struct entry *entry)
{
	size_t len;

	memset(entry, 0, sizeof(*entry));
	return weir_table_get(s->tables[NETS], net_key(net), 0, entry,
		sizeof(*entry) - 1, &len);
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

	if (key.len != sizeof(*v))
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

/* All, sorted; free v. */
void
nets_list(struct weir_service *s, struct nets *nets)
{
	*nets = (struct nets){ 0 };
	weir_table_walk(s->tables[NETS], nets_keep, nets);
	if (nets->n > 0)
		qsort(nets->v, nets->n, sizeof(*nets->v), net_compare);
}

/* After a restart there are networks, but nobody knows their prefixes. */
int
prefixes_know(struct weir_service *s)
{
	struct nets nets;
	size_t i = 0;

	nets_list(s, &nets);
	while (i < nets.n && prefixes_add(s->tables[PREFIXES], &nets.v[i]) == 0)
		i++;
	free(nets.v);
	return i < nets.n || nets.scant ? -1 : 0;
}
