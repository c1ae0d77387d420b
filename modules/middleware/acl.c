/* acl.c - lets in or refuses by network: clients when they come, targets before
 * they are connected to. */
#include <stdlib.h>

#include "weir.h"

#define LIST_MOST  50000 /* as many as a file may have in one list */
#define RULES_MOST 1000	 /* networks, one looked at after the other */

struct rule {
	struct weir_list allow, deny; /* of struct weir_cidr */
};

struct access {
	struct weir_list allow, deny; /* of struct weir_cidr */
	struct weir_list rules;	      /* of struct rule, instead of them */
};

struct conf {
	struct access client, target;
	int refuse;
};

/* What a worker searches instead of the lists. */
struct table {
	struct weir_list allow, deny; /* sorted */
};

struct state {
	struct table client, target;
};

#define NETS  WEIR_OPTIONAL, .min = 1, .max = LIST_MOST
#define RULES WEIR_OPTIONAL, .min = 1, .max = RULES_MOST

static const struct weir_opt rule_opts[] = {
	WEIR_CIDRS("allow", struct rule, allow, .flags = RULES,
		.help = "Networks that are let in."),
	WEIR_CIDRS("deny", struct rule, deny, .flags = RULES,
		.help = "Networks that are refused."),
	WEIR_OPT_END,
};
static const struct weir_rows rule_rows = { .opts = rule_opts,
	.size = sizeof(struct rule) };

static const struct weir_opt opts[] = {
	WEIR_CIDRS("allow", struct conf, client.allow, .flags = NETS,
		.help = "Networks whose clients are let in, and no others; an "
			"IPv4 client, also one of an IPv6 socket, is in IPv4 "
			"networks only (not in ::/0), one of a unix socket "
			"in \"all\" only."),
	WEIR_CIDRS("deny", struct conf, client.deny, .flags = NETS,
		.help = "Networks whose clients are refused, even if \"allow\" "
			"has them; without \"allow\" all others are let in."),
	WEIR_GROUPS("rules", struct conf, client.rules, .rows = &rule_rows,
		.flags = RULES,
		.help = "Instead of \"allow\" and \"deny\": the first rule "
			"that has the client decides, and a client that none "
			"has is let in, so a last one of deny = \"all\" keeps "
			"out who is not named; at most 1000 networks in "
			"all."),
	WEIR_CIDRS("target_allow", struct conf, target.allow, .flags = NETS,
		.help = "As \"allow\", for the addresses that backends are "
			"connected to; 0.0.0.0 and :: count as 127.0.0.1 and "
			"::1, which they lead to, and one that is refused "
			"ends the channel, even if the next address of "
			"\"to\" would be allowed."),
	WEIR_CIDRS("target_deny", struct conf, target.deny, .flags = NETS,
		.help = "As \"deny\", for the addresses of backends."),
	WEIR_GROUPS("target_rules", struct conf, target.rules,
		.rows = &rule_rows, .flags = RULES,
		.help = "As \"rules\", for the addresses of backends."),
	WEIR_CHOICE("refuse", struct conf, refuse, .def = "close",
		.choices = weir_manner_words,
		.help = "How the client sees that it is refused: an end, a "
			"reset, or nothing at all, if there is a router on the "
			"way to it."),
	WEIR_OPT_END,
};

static bool
access_is_given(const struct access *ac)
{
	return ac->allow.n + ac->deny.n + ac->rules.n > 0;
}

/* Does a rule refuse anybody?  Behind one that lets all in, none does. */
static bool
rules_refuse(const struct weir_list *rules)
{
	const struct rule *r = rules->v;
	const struct weir_cidr *net;
	size_t i, j;

	for (i = 0; i < rules->n; i++) {
		if (r[i].deny.n > 0)
			return true;
		net = r[i].allow.v;
		for (j = 0; j < r[i].allow.n; j++)
			if (net[j].all)
				return false;
	}
	return false;
}

static int
access_check(const struct access *ac, const char *prefix, struct weir_diag *d)
{
	const struct rule *r = ac->rules.v;
	size_t all = 0, i;

	if (ac->rules.n > 0 && ac->allow.n + ac->deny.n > 0) {
		weir_error(d,
			"\"%srules\" stands instead of \"%sallow\" and "
			"\"%sdeny\", not beside them",
			prefix, prefix, prefix);
		return -1;
	}
	for (i = 0; i < ac->rules.n; i++) {
		all += r[i].allow.n + r[i].deny.n;
		if ((r[i].allow.n > 0) == (r[i].deny.n > 0)) {
			weir_error(d,
				"\"%srules[%zu]\" wants either \"allow\" or "
				"\"deny\"",
				prefix, i);
			return -1;
		}
	}
	if (all > RULES_MOST) {
		weir_error(d,
			"\"%srules\" have %zu networks; at most %d, but "
			"\"%sallow\" and \"%sdeny\" may have more",
			prefix, all, RULES_MOST, prefix, prefix);
		return -1;
	}
	if (ac->rules.n > 0 && !rules_refuse(&ac->rules)) {
		weir_error(d,
			"refuses nobody; end \"%srules\" with "
			"{ deny = \"all\"; }",
			prefix);
		return -1;
	}
	return 0;
}

static int
acl_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	int ok = access_check(&cf->client, "", d);

	if (!access_is_given(&cf->client) && !access_is_given(&cf->target)) {
		weir_error(d,
			"wants \"allow\", \"deny\" or \"rules\", or those "
			"for targets, else it refuses nobody");
		return -1;
	}
	return access_check(&cf->target, "target_", d) == -1 ? -1 : ok;
}

static void
acl_stop(struct weir_instance *in)
{
	struct state *st = in->state;

	free(st->client.allow.v);
	free(st->client.deny.v);
	free(st->target.allow.v);
	free(st->target.deny.v);
}

static int
table_make(struct table *t, const struct access *ac)
{
	return weir_cidrs_sort(&t->allow, &ac->allow) == 0
		       ? weir_cidrs_sort(&t->deny, &ac->deny)
		       : -1;
}

static int
acl_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;

	if (table_make(&st->client, &cf->client) == 0 &&
		table_make(&st->target, &cf->target) == 0)
		return 0;
	acl_stop(in);
	return -1;
}

static bool
list_has(const struct weir_list *nets, const struct weir_addr *a)
{
	const struct weir_cidr *net = nets->v;
	size_t i;

	for (i = 0; i < nets->n; i++)
		if (weir_cidr_has(&net[i], a))
			return true;
	return false;
}

static bool
access_lets_in(const struct access *ac, const struct table *t,
	const struct weir_addr *a)
{
	const struct rule *r = ac->rules.v;
	size_t i;

	for (i = 0; i < ac->rules.n; i++) {
		if (list_has(&r[i].allow, a))
			return true;
		if (list_has(&r[i].deny, a))
			return false;
	}
	return !weir_cidrs_have(&t->deny, a) &&
	       (t->allow.n == 0 || weir_cidrs_have(&t->allow, a));
}

static struct weir_verdict
acl_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	const struct state *st = c->state;
	struct weir_addr client;

	weir_peer(c, WEIR_FRONTEND, &client);
	if (access_lets_in(&cf->client, &st->client, &client))
		return weir_pass(0);
	weir_why(c, "this client is not let in");
	return weir_refuse(WEIR_R_DENIED, (enum weir_manner)cf->refuse);
}

/* Where connect(2) leads, when it is given the address of nowhere. */
static void
addr_resolve(struct weir_addr *a)
{
	struct in6_addr *ip6 = &a->in6.sin6_addr;

	if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == INADDR_ANY)
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (a->sa.sa_family != AF_INET6)
		return;
	if (IN6_IS_ADDR_UNSPECIFIED(ip6))
		*ip6 = in6addr_loopback;
	if (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr32[3] == INADDR_ANY)
		ip6->s6_addr32[3] = htonl(INADDR_LOOPBACK);
}

static struct weir_verdict
acl_target(struct weir_call *c, const struct weir_addr *to)
{
	const struct conf *cf = c->conf;
	const struct state *st = c->state;
	struct weir_addr target = *to;

	addr_resolve(&target);
	if (access_lets_in(&cf->target, &st->target, &target))
		return weir_pass(0);
	weir_why(c, "this target may not be connected to");
	return weir_refuse(WEIR_R_DENIED, (enum weir_manner)cf->refuse);
}

const struct weir_middleware mw_acl = {
	.name = "acl",
	.help = "Lets in or refuses by network.",
	.example = "allow = [ \"127.0.0.0/8\", \"::1\" ]; target_deny = "
		   "\"192.0.2.0/24\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state),
	.check = acl_check,
	.start = acl_start,
	.stop = acl_stop,
	.open = acl_open,
	.target = acl_target,
};
