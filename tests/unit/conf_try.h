/* conf_try.h - a configuration from text, and all that was said about it. */
#ifndef CONF_TRY_H
#define CONF_TRY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

#define TRY_FILE "weir.conf"

/* One of most things that a file may hold. */
#define TRY_WHOLE                                                              \
	"# a comment\n"                                                        \
	"process = { workers = 2; user = \"root\"; };\n"                       \
	"log = { level = \"debug\"; target = \"/var/log/weir\"; };\n"          \
	"servers = (\n"                                                        \
	"  { name = \"pg\";\n"                                                 \
	"    listen = ( \"127.0.0.1:0\", { address = \"[::]:9400\";\n"         \
	"      backlog = 512; reuseport = false; }, \"unix:/run/pg\" );\n"     \
	"    idle_timeout = \"2m\"; session_timeout = 0;\n"                    \
	"    middlewares = ( { type = \"log\"; order = 90; },\n"               \
	"      { type = \"forward\"; to = [ \"10.0.0.1:1\", \"10.0.0.2:2\" "   \
	"];\n"                                                                 \
	"        source = \"${SRC:-127.0.0.1:0}\"; } ); },\n"                  \
	"  { listen = \"127.0.0.1:81\"; middlewares = \"echo\"; } );\n"

struct trial {
	struct conf *conf; /* NULL: refused */
	char *said;
};

static inline struct trial
try_bytes(const char *text, size_t len, const struct conf_overrides *over)
{
	struct trial t = { NULL, NULL };
	size_t size = 0;
	FILE *err = open_memstream(&t.said, &size);

	assert_non_null(err);
	t.conf = conf_parse(TRY_FILE, text, len, over, err);
	assert_int_equal(fclose(err), 0);
	return t;
}

static inline struct trial
try_text(const char *text)
{
	return try_bytes(text, strlen(text), NULL);
}

static inline struct trial
try_file(const char *file, const struct conf_overrides *over)
{
	struct trial t = { NULL, NULL };
	size_t size = 0;
	FILE *err = open_memstream(&t.said, &size);

	assert_non_null(err);
	t.conf = conf_load(file, over, err);
	assert_int_equal(fclose(err), 0);
	return t;
}

static inline void
try_end(struct trial *t)
{
	conf_free(t->conf);
	free(t->said);
	*t = (struct trial){ NULL, NULL };
}

/* The text is refused, and this is among what is said. */
static inline void
assert_refused(const char *text, const char *said)
{
	struct trial t = try_text(text);

	if (t.conf != NULL || strstr(t.said, said) == NULL)
		fail_msg("%s\nwanted: %s\nsaid: %s", text, said, t.said);
	try_end(&t);
}

/* Every line said is "weir.conf:LINE: ...", but for "and N errors more". */
static inline void
assert_places(const char *said)
{
	const char *line, *end;
	size_t digits;
	int more = 0;

	assert_true(*said != '\0');
	for (line = said; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (line != said && end[1] == '\0' &&
			sscanf(line, "and %*u errors more%n", &more) == 0 &&
			line + more == end)
			return;
		digits = strspn(line + sizeof(TRY_FILE), "0123456789");
		if (strncmp(line, TRY_FILE ":", sizeof(TRY_FILE)) != 0 ||
			digits == 0 ||
			strncmp(line + sizeof(TRY_FILE) + digits, ": ", 2) != 0)
			fail_msg("no place: %s", line);
	}
}

static inline const struct conf_setting *
setting_of(const struct conf *conf, const char *path)
{
	const struct conf_setting *s = conf->settings.v;
	size_t i;

	for (i = 0; i < conf->settings.n; i++)
		if (strcmp(s[i].path, path) == 0)
			return &s[i];
	fail_msg("no setting %s", path);
	return NULL;
}

#endif
