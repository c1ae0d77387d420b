/* command.c - words that change and show the denylist. */
#include <jansson.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "denylist.h"

#define TEXT_MOST 512
#define LIST_ROWS 1000 /* without a limit */
#define LIST_MOST 10000

static void
reply_json(struct weir_request *r, int status, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text == NULL)
		weir_reply(r, 500, "text/plain", "out of memory\n", 14);
	else
		weir_reply(r, status, "application/json", text, strlen(text));
	free(text);
	json_decref(json);
}

static void __attribute__((format(printf, 3, 4)))
refuse(struct weir_request *r, int status, const char *fmt, ...)
{
	char text[TEXT_MOST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_json(r, status, json_pack("{s:s}", "error", text));
}

/* The network that the request is about; false after an answer. */
static bool
request_net(struct weir_request *r, struct net *net)
{
	const char *text = weir_request_value(r, "network"), *why;

	if (text == NULL) {
		refuse(r, 400, "which network? network=192.0.2.0/24");
		return false;
	}
	if (net_parse(net, text, &why) == 0)
		return true;
	refuse(r, 400, "network \"%.80s\": %s", text, why);
	return false;
}

/* What stands in the file is changed there. */
static bool
request_may(struct weir_service *s, struct weir_request *r,
	const struct net *net, struct entry *entry)
{
	const struct conf *conf = s->conf;
	char text[WEIR_ADDR_TEXT];

	if (conf->file == NULL || entry_get(s, net, entry) == -1 ||
		entry->by != BY_FILE)
		return true;
	refuse(r, 409, "%s is in %s: change it there", net_text(net, text),
		conf->file);
	return false;
}

/* Why it is refused, for people: what cannot be shown is not taken.  False
 * after an answer. */
static bool
why_set(struct weir_request *r, struct entry *entry, const char *why)
{
	json_t *text;

	if (why == NULL)
		return true;
	if (strlen(why) > DENYLIST_WHY) {
		refuse(r, 400, "why: at most %d bytes", DENYLIST_WHY);
		return false;
	}
	text = json_string(why);
	if (text == NULL) {
		refuse(r, 400, "why: it is not UTF-8");
		return false;
	}
	json_decref(text);
	memcpy(entry->why, why, strlen(why) + 1);
	return true;
}

static void
command_add(struct weir_service *s, struct weir_request *r)
{
	const struct conf *conf = s->conf;
	const char *ttl = weir_request_value(r, "ttl"), *why;
	const char *reason = weir_request_value(r, "why");
	struct entry entry = { .by = BY_COMMAND };
	uint32_t ttl_ms = conf->ttl_ms;
	char text[WEIR_ADDR_TEXT];
	struct net net;

	if (!request_net(r, &net))
		return;
	if (ttl != NULL && ttl_parse(&ttl_ms, ttl, &why) == -1) {
		refuse(r, 400, "ttl \"%.80s\": %s", ttl, why);
		return;
	}
	if (!request_may(s, r, &net, &entry))
		return;
	entry = (struct entry){ .by = BY_COMMAND, .ttl_ms = ttl_ms };
	if (!why_set(r, &entry, reason))
		return;
	if (net_add(s, &net, &entry) == -1)
		refuse(r, 503, "%s: %s", net_text(&net, text),
			errno == ENOSPC ? "the list is full (option \"size\")"
					: strerror(errno));
	else
		reply_json(r, 200,
			json_pack("{s:s}", "added", net_text(&net, text)));
}

static void
command_del(struct weir_service *s, struct weir_request *r)
{
	char text[WEIR_ADDR_TEXT];
	struct entry entry;
	struct net net;

	if (!request_net(r, &net) || !request_may(s, r, &net, &entry))
		return;
	if (weir_table_delete(s->tables[NETS], net_key(&net)) == -1)
		refuse(r, errno == ENOENT ? 404 : 503, "%s: %s",
			net_text(&net, text),
			errno == ENOENT ? "is not on the list"
					: strerror(errno));
	else
		reply_json(r, 200,
			json_pack("{s:s}", "removed", net_text(&net, text)));
}

/* Others than a command may have written it: an entry that is in force is shown
 * whatever its text is. */
static json_t *
why_json(char *why)
{
	json_t *json = json_string(why);
	char *p;

	if (json != NULL)
		return json;
	for (p = why; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(why);
}

static json_t *
net_json(struct weir_service *s, const struct net *net)
{
	char text[WEIR_ADDR_TEXT];
	struct entry entry;
	uint64_t left_ms;

	if (entry_get(s, net, &entry) == -1 ||
		weir_table_left(s->tables[NETS], net_key(net), &left_ms) == -1)
		return NULL;
	return json_pack("{s:s,s:s,s:o,s:o}", "network", net_text(net, text),
		"by", entry.by == BY_FILE ? "file" : "command", "why",
		why_json(entry.why), "left_ms",
		left_ms == UINT64_MAX ? json_null()
				      : json_integer((json_int_t)left_ms));
}

/* Which part of the list: limit=N after=NETWORK; false after an answer. */
static bool
request_part(struct weir_request *r, const struct nets *nets, size_t *from,
	size_t *most)
{
	const char *limit = weir_request_value(r, "limit");
	const char *after = weir_request_value(r, "after"), *why;
	struct net net;
	char *end;

	*from = 0;
	*most = LIST_ROWS;
	if (limit != NULL) {
		errno = 0;
		*most = strtoul(limit, &end, 10);
		if (*limit < '0' || *limit > '9' || *end != '\0' ||
			errno != 0 || *most > LIST_MOST) {
			refuse(r, 400, "limit \"%.80s\": a number up to %d",
				limit, LIST_MOST);
			return false;
		}
	}
	if (after != NULL && net_parse(&net, after, &why) == -1) {
		refuse(r, 400, "after \"%.80s\": %s", after, why);
		return false;
	}
	while (after != NULL && *from < nets->n &&
		net_compare(&nets->v[*from], &net) <= 0)
		(*from)++;
	return true;
}

static void
command_list(struct weir_service *s, struct weir_request *r)
{
	json_t *list, *one;
	size_t from, most, i;
	struct nets nets;

	nets_list(s, &nets, false);
	if (nets.scant || nets.partial) {
		refuse(r, 503, "%s",
			nets.scant ? "out of memory"
				   : "a part of the list cannot be read: "
				     "another process hangs with it");
	} else if (request_part(r, &nets, &from, &most)) {
		list = json_array();
		for (i = from; i < nets.n && i - from < most; i++) {
			one = net_json(s, &nets.v[i]);
			if (one != NULL)
				(void)json_array_append_new(list, one);
		}
		reply_json(r, 200,
			json_pack("{s:o,s:I}", "networks", list, "total",
				(json_int_t)nets.n));
	}
	free(nets.v);
}

/* All but what the file has. */
static void
command_clear(struct weir_service *s, struct weir_request *r)
{
	struct entry entry;
	struct nets nets;
	json_int_t n = 0;
	size_t i;

	nets_list(s, &nets, false);
	for (i = 0; i < nets.n; i++)
		if (entry_get(s, &nets.v[i], &entry) == 0 &&
			entry.by == BY_COMMAND)
			n += weir_table_delete(
				     s->tables[NETS], net_key(&nets.v[i])) == 0;
	free(nets.v);
	reply_json(r, 200, json_pack("{s:I}", "removed", n));
}

const struct weir_command denylist_commands[] = {
	{ "add",
		"Refuses a network from now on, for a time: "
		"network=192.0.2.0/24 ttl=10m why=scans.",
		false, command_add },
	{ "del", "Takes a network off the list: network=192.0.2.0/24.", false,
		command_del },
	{ "list",
		"Shows networks, who added them, and how long they stay, 1000 "
		"or another number of all, in their order: limit=100 "
		"after=192.0.2.0/24.",
		true, command_list },
	{ "clear", "Takes all networks off the list that commands have added.",
		false, command_clear },
	{ .word = NULL },
};
