/* page_config.c - the configuration that is in force. */
#include <string.h>

#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"

/* What lets somebody in is not for everybody who may read: ends of paths. */
static const char *const secret[] = { "api.token", ".sync" };

static bool
setting_is_secret(const struct conf_setting *s)
{
	size_t len = strlen(s->path), n, i;

	for (i = 0; i < sizeof(secret) / sizeof(*secret); i++) {
		n = strlen(secret[i]);
		if (n <= len && strcmp(s->path + len - n, secret[i]) == 0)
			return true;
	}
	return false;
}

static json_t *
text_of(const char *text)
{
	return text == NULL ? json_null() : text_json(text, strlen(text));
}

void
page_config(struct weir_request *r)
{
	const struct conf *conf = r->keeper->heritage->conf;
	const struct conf_setting *s = conf->settings.v;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < conf->settings.n; i++, s++)
		(void)json_array_append_new(
			list, json_pack("{s:o,s:o,s:o,s:o}", "path",
				      text_of(s->path), "value",
				      setting_is_secret(s) && *s->value != '\0'
					      ? json_string("(secret)")
					      : text_of(s->value),
				      "default", text_of(s->def), "origin",
				      text_of(s->origin)));
	request_answer(r, 200,
		json_pack("{s:o,s:o}", "file", text_of(conf->file), "settings",
			list));
}

json_t *
text_json(const char *text, size_t n)
{
	json_t *json = json_stringn(text, n);
	char clean[512];
	size_t i;

	if (json != NULL)
		return json;
	/* It has bytes that no UTF-8 has. */
	for (i = 0; i < n && i < sizeof(clean); i++)
		clean[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
	return json_stringn(clean, i);
}
