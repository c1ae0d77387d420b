/* logfile.c - the log files that a configuration names. */
#include <string.h>

#include "conf/core.h"
#include "conf/extension.h"
#include "conf/logfile.h"

static void rows_number(struct arena *a, const struct weir_opt *rows,
	const void *conf, struct conf *all);
static void stages_number(
	struct arena *a, const struct weir_list *stages, struct conf *all);
static void extensions_number(
	struct arena *a, const struct weir_list *exts, struct conf *all);
static void
file_number(struct arena *a, struct weir_logfile *file, struct conf *all);

struct weir_logfile *
logfile_new(struct arena *a, const char *text)
{
	struct weir_logfile *file = arena_alloc(a, sizeof(*file));

	file->text = text;
	return file;
}

void
logfile_number(struct arena *a, struct conf *conf)
{
	rows_number(a, core_rows, conf, conf);
}

/* Of a struct that rows describe, and of all that is in it: what a replaced
 * entry of a chain had asked for is not among it. */
static void
rows_number(struct arena *a, const struct weir_opt *rows, const void *conf,
	struct conf *all)
{
	const struct weir_opt *row;
	const struct weir_list *list;
	struct weir_logfile *file;
	size_t i;

	for (row = rows; row != NULL && row->key != NULL; row++) {
		const void *field = (const char *)conf + row->off;

		if (row->flags & WEIR_NOT_BUILT)
			continue;
		list = field;
		switch (row->type) {
		case WEIR_T_LOGFILE:
			memcpy(&file, field, sizeof(file));
			if (file != NULL)
				file_number(a, file, all);
			break;
		case WEIR_T_GROUP:
			rows_number(a, row->rows->opts, field, all);
			break;
		case WEIR_T_GROUPS:
			for (i = 0; i < list->n; i++)
				rows_number(a, row->rows->opts,
					(const char *)list->v +
						i * row->rows->size,
					all);
			break;
		case WEIR_T_MODULES:
			if (row->rows == &extension_rows) {
				extensions_number(a, list, all);
				break;
			}
			stages_number(a, list, all);
			break;
		default:
			break;
		}
	}
}

static void
stages_number(struct arena *a, const struct weir_list *stages, struct conf *all)
{
	const struct conf_stage *stage = stages->v;
	size_t i;

	for (i = 0; i < stages->n; i++)
		rows_number(a, stage[i].mw->opts, stage[i].conf, all);
}

static void
extensions_number(
	struct arena *a, const struct weir_list *exts, struct conf *all)
{
	const struct conf_extension *ext = exts->v;
	size_t i;

	for (i = 0; i < exts->n; i++)
		rows_number(a, ext[i].type->opts, ext[i].conf, all);
}

static void
file_number(struct arena *a, struct weir_logfile *file, struct conf *all)
{
	const struct weir_logfile **files = all->logfiles.v;
	size_t n = all->logfiles.n, i;

	for (i = 0; i < n; i++)
		if (strcmp(files[i]->text, file->text) == 0)
			break;
	file->index = i;
	if (i < n)
		return;
	files = arena_grow(a, files, n, sizeof(*files));
	files[n] = file;
	all->logfiles = (struct weir_list){ .n = n + 1, .v = files };
}
