/* page_extensions.c - pages and commands of extensions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"

/* What an extension answers. */
struct page {
	SLIST_ENTRY(page) link;
	struct weir_service *service;
	char *path;
	void (*answer)(struct weir_service *s, struct weir_request *r);
};

int
weir_keeper_page(struct weir_keeper *k, struct weir_service *s,
	const char *path,
	void (*answer)(struct weir_service *s, struct weir_request *r))
{
	struct page *p;

	SLIST_FOREACH(p, &k->pages, link)
	{
		if (strcmp(p->path, path) == 0) {
			errno = EEXIST;
			return -1;
		}
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL || (p->path = strdup(path)) == NULL) {
		free(p);
		errno = ENOMEM;
		return -1;
	}
	p->service = s;
	p->answer = answer;
	SLIST_INSERT_HEAD(&k->pages, p, link);
	return 0;
}

bool
pages_answer(struct weir_request *r, const char *path)
{
	struct page *p;

	SLIST_FOREACH(p, &r->keeper->pages, link)
	{
		/* One that was optional may have left again. */
		if (p->service->type == NULL || strcmp(p->path, path) != 0)
			continue;
		if (request_has_rights(r, true))
			p->answer(p->service, r);
		return true;
	}
	return false;
}

void
pages_done(struct weir_keeper *k)
{
	struct page *p;

	while ((p = SLIST_FIRST(&k->pages)) != NULL) {
		SLIST_REMOVE_HEAD(&k->pages, link);
		free(p->path);
		free(p);
	}
}

static json_t *
extension_commands(const struct weir_extension *type)
{
	const struct weir_command *c = type->commands;
	json_t *list = json_array();

	for (; c != NULL && c->word != NULL; c++)
		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:b}", "word", c->word,
				      "help", c->help, "reads", (int)c->reads));
	return list;
}

void
page_extensions(struct weir_request *r)
{
	const struct conf *conf = r->keeper->heritage->conf;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < conf->extensions.n; i++) {
		const struct conf_extension *e = conf_extension_at(conf, i);
		bool there =
			services_find(&r->keeper->services, e->name) != NULL;

		(void)json_array_append_new(
			list, json_pack("{s:o,s:s,s:s,s:o}", "name",
				      text_json(e->name, strlen(e->name)),
				      "type", e->type->name, "state",
				      there ? "started" : "absent", "commands",
				      extension_commands(e->type)));
	}
	request_answer(r, 200, json_pack("{s:o}", "extensions", list));
}

void
page_command(struct weir_request *r)
{
	struct weir_service *s =
		services_find(&r->keeper->services, r->parts[0].p);
	const struct weir_command *c = s == NULL ? NULL : s->type->commands;

	while (c != NULL && c->word != NULL &&
		strcmp(c->word, r->parts[1].p) != 0)
		c++;
	if (s == NULL)
		request_refuse(r, 404, "there is no extension \"%.64s\"",
			r->parts[0].p);
	else if (c == NULL || c->word == NULL)
		request_refuse(r, 404,
			"extension \"%s\" has no command \"%.64s\"", s->name,
			r->parts[1].p);
	else if (request_has_rights(r, c->reads))
		c->run(s, r);
}
