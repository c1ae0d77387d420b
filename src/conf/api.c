/* api.c - options of the API: where it listens, and who may do what. */
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "conf/api.h"

#define BACKLOG 128

static const struct weir_opt rows[] = {
	WEIR_ADDRESSES("listen", struct conf_api, addresses,
		.flags = WEIR_OPTIONAL, .max = 16,
		.help = "Where it listens: paths of unix sockets, as "
			"unix:/run/weir.api, which weirctl(1) looks for, and "
			"IP addresses; without any there is no API."),
	WEIR_STRING("mode", struct conf_api, mode, .def = "0600",
		.help = "Permissions of its unix sockets, in octal."),
	WEIR_STRING("token", struct conf_api, token, .flags = WEIR_OPTIONAL,
		.min = 16, .max = 512,
		.help = "Who sends it with a request (Authorization: Bearer) "
			"may change things over TCP too, others may only "
			"read; without a token it listens on loopback "
			"addresses only. Best taken from the environment, as "
			"${WEIR_TOKEN}."),
	WEIR_STRINGS("operators", struct conf_api, operators,
		.flags = WEIR_OPTIONAL, .max = 64,
		.help = "Users who may change things over a unix socket, as "
			"root and the user whom weir runs as may; others "
			"whom mode lets in may only read."),
	WEIR_OPT_END
};

const struct weir_rows api_rows = { .opts = rows,
	.size = sizeof(struct conf_api) };

static bool address_is_loopback(const struct weir_addr *a);
static const struct place *
place_in(const struct node *root, const struct node *api, const char *key);

void
api_check(
	struct option_loader *l, const struct node *root, struct conf_api *api)
{
	const struct node *node = node_member(root, "api");
	const struct weir_addr *a = api->addresses.v;
	const char *const *users = api->operators.v;
	struct conf_listen *listen;
	char text[WEIR_ADDR_TEXT], *end;
	unsigned long mode;
	size_t i;

	listen =
		arena_alloc(l->arena, (api->addresses.n + 1) * sizeof(*listen));
	mode = api->mode != NULL ? strtoul(api->mode, &end, 8) : 0600;
	if (api->mode != NULL &&
		(*api->mode == '\0' || *api->mode == '-' || *end != '\0' ||
			mode == 0 || mode > 0777))
		diag_error(l->diag, place_in(root, node, "mode"), "api",
			"option \"mode\" = \"%.64s\" wants permissions in "
			"octal, such as \"0600\"",
			api->mode);
	for (i = 0; i < api->addresses.n; i++) {
		listen[i] = (struct conf_listen){ .address = a[i],
			.text = arena_strdup(
				l->arena, weir_addr_text(&a[i], text)),
			.backlog = BACKLOG,
			.mode = (uint32_t)mode };
		if (api->token == NULL && !address_is_loopback(&a[i]))
			diag_error(l->diag, place_in(root, node, "listen"),
				"api",
				"option \"listen\": %s can be reached from "
				"other machines, so there must be a \"token\"",
				listen[i].text);
	}
	for (i = 0; i < api->operators.n; i++)
		if (getpwnam(users[i]) == NULL)
			diag_error(l->diag, place_in(root, node, "operators"),
				"api",
				"option \"operators\": there is no user "
				"\"%.64s\"",
				users[i]);
	api->listen = (struct weir_list){ .n = api->addresses.n, .v = listen };
}

/* Is it one that only processes of this machine can reach? */
static bool
address_is_loopback(const struct weir_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	return true;
}

static const struct place *
place_in(const struct node *root, const struct node *api, const char *key)
{
	const struct node *member = api != NULL ? node_member(api, key) : NULL;

	if (member != NULL)
		return &member->place;
	return api != NULL ? &api->place : &root->place;
}
