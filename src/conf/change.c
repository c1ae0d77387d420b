/* change.c - what a reload cannot change. */
#include <stdio.h>
#include <string.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/core.h"

/* The effective setting of that path; NULL when there is none. */
static const struct conf_setting *
setting_find(const struct conf *conf, const char *path)
{
	const struct conf_setting *s = conf->settings.v;
	size_t i;

	for (i = 0; i < conf->settings.n; i++)
		if (strcmp(s[i].path, path) == 0)
			return &s[i];
	return NULL;
}

static const char *
setting_text(const struct conf_setting *s)
{
	return s == NULL ? "none" : s->value;
}

bool
change_needs_start(
	const struct conf *is, const struct conf *wanted, char why[CHANGE_WHY])
{
	const struct weir_opt *group, *row;
	const struct conf_setting *a, *b;
	char path[128];

	for (group = core_rows; group->key != NULL; group++) {
		if (group->type != WEIR_T_GROUP)
			continue;
		for (row = group->rows->opts; row->key != NULL; row++) {
			if (!(row->flags & WEIR_NEEDS_START))
				continue;
			snprintf(path, sizeof(path), "%s.%s", group->key,
				row->key);
			a = setting_find(is, path);
			b = setting_find(wanted, path);
			if (strcmp(setting_text(a), setting_text(b)) == 0)
				continue;
			snprintf(why, CHANGE_WHY,
				"%s: %s: option \"%s\" is %.100s and cannot "
				"become %.100s by a reload: start weir anew",
				b != NULL ? b->origin : wanted->file,
				group->key, row->key, setting_text(a),
				setting_text(b));
			return true;
		}
	}
	return false;
}
