/* network.c - networks as people write them. */
#include <string.h>

#include "base/addr.h"
#include "api/option.h"
#include "conf/network.h"

static const char *
host_bits_why(struct arena *a, struct weir_cidr *c, const char *why);

int
network_parse(struct arena *a, struct weir_cidr *c, const char *text,
	const char **why)
{
	const char *slash = strchr(text, '/');

	if (weir_cidr_parse(c, text, why) == 0)
		return 0;
	if (text[strcspn(text, ", ;")] != '\0')
		*why = "a string holds one network; several are a list, [ ]";
	else if (*text == '[')
		*why = "a network stands without brackets, as \"::1\" or "
		       "\"fd00::/8\"";
	else if (slash != NULL && strpbrk(slash, ".:") != NULL)
		*why = "the prefix is a number of bits, as in \"10.0.0.0/8\"";
	else if (c->bits != 0)
		*why = host_bits_why(a, c, *why);
	return -1;
}

/* Only such a network has got as far as its bits. */
static const char *
host_bits_why(struct arena *a, struct weir_cidr *c, const char *why)
{
	char text[WEIR_ADDR_TEXT];
	unsigned bit;

	for (bit = c->bits; bit < 128; bit++)
		c->addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return arena_printf(
		a, "%s; the network is \"%s\"", why, weir_cidr_text(c, text));
}
