/* cidr.c - networks as text, and what is in them. */
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "api/option.h"

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static int bits_parse(unsigned *bits, unsigned most, const char *text);
static const uint8_t *ip_of(const struct weir_addr *a, uint8_t ip[static 16]);
static bool has_bits_after(const uint8_t addr[static 16], unsigned bits);
static bool net_has(const struct weir_cidr *net, const uint8_t ip[static 16]);
static bool
cidr_covers(const struct weir_cidr *net, const struct weir_cidr *in);
static int cidr_compare(const void *left, const void *right);
static int ip_compare(const void *address, const void *network);
static bool is_mapped(const uint8_t ip[static 16]);
static bool is_ipv4(const struct weir_cidr *c);

int
weir_cidr_parse(struct weir_cidr *c, const char *text, const char **why)
{
	const char *slash = strchr(text, '/');
	char host[64]; /* is longer than any address */
	unsigned bits, most = 128;

	memset(c, 0, sizeof(*c));
	c->all = strcmp(text, "all") == 0;
	if (c->all)
		return 0;
	*why = "not a network; write \"10.0.0.0/8\", \"fd00::/8\" or \"all\"";
	if (slash != NULL && (size_t)(slash - text) >= sizeof(host))
		return -1;
	strlcpy(host, text,
		slash != NULL ? (size_t)(slash - text) + 1 : sizeof(host));
	if (inet_pton(AF_INET, host, c->addr + 12) == 1) {
		memcpy(c->addr, v4_mapped, sizeof(v4_mapped));
		most = 32;
	} else if (inet_pton(AF_INET6, host, c->addr) != 1)
		return -1;
	bits = most;
	if (slash != NULL) {
		*why = most == 32 ? "the prefix of an IPv4 network is 0 to 32"
				  : "the prefix of an IPv6 network is 0 to 128";
		if (bits_parse(&bits, most, slash + 1) == -1)
			return -1;
	}
	c->bits = (uint8_t)(bits + 128 - most);
	*why = "the address has bits set behind its prefix";
	return has_bits_after(c->addr, c->bits) ? -1 : 0;
}

const char *
weir_cidr_text(const struct weir_cidr *c, char text[static WEIR_ADDR_TEXT])
{
	bool v4 = is_ipv4(c);
	size_t n;

	if (c->all) {
		strlcpy(text, "all", WEIR_ADDR_TEXT);
		return text;
	}
	inet_ntop(v4 ? AF_INET : AF_INET6, c->addr + (v4 ? 12 : 0), text,
		WEIR_ADDR_TEXT);
	n = strlen(text);
	if (c->bits < 128)
		snprintf(text + n, WEIR_ADDR_TEXT - n, "/%d",
			c->bits - (v4 ? 96 : 0));
	return text;
}

bool
weir_cidr_has(const struct weir_cidr *net, const struct weir_addr *a)
{
	uint8_t buf[16];
	const uint8_t *ip;

	if (net->all || a->len == 0)
		return a->len != 0;
	ip = ip_of(a, buf);
	return ip != NULL && net_has(net, ip);
}

int
weir_cidrs_sort(struct weir_list *to, const struct weir_list *nets)
{
	struct weir_cidr *v;
	size_t i;

	*to = (struct weir_list){ .v = NULL };
	if (nets->n == 0)
		return 0;
	v = calloc(nets->n, sizeof(*v));
	if (v == NULL)
		return -1;
	memcpy(v, nets->v, nets->n * sizeof(*v));
	qsort(v, nets->n, sizeof(*v), cidr_compare);
	to->v = v;
	/* Of two networks, either one is in the other or they share nothing. */
	for (i = 0; i < nets->n; i++)
		if (to->n == 0 || !cidr_covers(&v[to->n - 1], &v[i]))
			v[to->n++] = v[i];
	return 0;
}

bool
weir_cidrs_have(const struct weir_list *sorted, const struct weir_addr *a)
{
	const struct weir_cidr *v = sorted->v;
	uint8_t buf[16];
	const uint8_t *ip;

	if (sorted->n == 0 || a->len == 0)
		return false;
	if (v->all)
		return true;
	ip = ip_of(a, buf);
	return ip != NULL &&
	       bsearch(ip, v, sorted->n, sizeof(*v), ip_compare) != NULL;
}

static int
bits_parse(unsigned *bits, unsigned most, const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n] != '\0')
		return -1;
	*bits = (unsigned)strtoul(text, NULL, 10);
	return *bits > most ? -1 : 0;
}

/* Its IPv6 address, v4-mapped if need be; NULL when it has none. */
static const uint8_t *
ip_of(const struct weir_addr *a, uint8_t ip[static 16])
{
	if (a->sa.sa_family == AF_INET6)
		return memcpy(ip, &a->in6.sin6_addr, 16);
	if (a->sa.sa_family != AF_INET)
		return NULL;
	memcpy(ip, v4_mapped, sizeof(v4_mapped));
	memcpy(ip + sizeof(v4_mapped), &a->in.sin_addr, 4);
	return ip;
}

static bool
has_bits_after(const uint8_t addr[static 16], unsigned bits)
{
	for (; bits < 128; bits++)
		if (addr[bits / 8] & (0x80 >> bits % 8))
			return true;
	return false;
}

static bool
net_has(const struct weir_cidr *net, const uint8_t ip[static 16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	return is_mapped(ip) == is_ipv4(net) &&
	       memcmp(ip, net->addr, whole) == 0 &&
	       (rest == 0 || ((ip[whole] ^ net->addr[whole]) &
				     (0xff00 >> rest)) == 0);
}

/* Is all of in, which sorts behind net, in it too? */
static bool
cidr_covers(const struct weir_cidr *net, const struct weir_cidr *in)
{
	return net->all ||
	       (is_ipv4(net) == is_ipv4(in) && net_has(net, in->addr));
}

/* "all" first, IPv4 before IPv6, then the networks before what is in them. */
static int
cidr_compare(const void *left, const void *right)
{
	const struct weir_cidr *a = left, *b = right;
	int order;

	if (a->all || b->all)
		return (int)b->all - (int)a->all;
	if (is_ipv4(a) != is_ipv4(b))
		return is_ipv4(a) ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order != 0 ? order : (int)a->bits - (int)b->bits;
}

/* Where an address is, seen from a network. */
static int
ip_compare(const void *address, const void *network)
{
	const struct weir_cidr *net = network;
	const uint8_t *ip = address;

	if (net_has(net, ip))
		return 0;
	if (is_mapped(ip) != is_ipv4(net))
		return is_mapped(ip) ? -1 : 1;
	return memcmp(ip, net->addr, sizeof(net->addr));
}

static bool
is_mapped(const uint8_t ip[static 16])
{
	return memcmp(ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

/* IPv6 networks that have more than the v4-mapped addresses are not. */
static bool
is_ipv4(const struct weir_cidr *c)
{
	return c->bits >= 96 && is_mapped(c->addr);
}
