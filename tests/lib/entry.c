/* entry.c - one entry of a chain, as a file would have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/entry.h"

static void entry_parse(struct entry *e, const struct conf_overrides *over,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void
entry_try(struct entry *e, const char *type, const char *options,
	const struct weir_addr *backend)
{
	char address[WEIR_ADDR_TEXT] = "127.0.0.1:9";
	char variable[sizeof("BACKEND=") + WEIR_ADDR_TEXT];
	char *environment[] = { variable, NULL };
	struct conf_overrides over = { .environ = environment };

	if (backend != NULL)
		weir_addr_text(backend, address);
	snprintf(variable, sizeof(variable), "BACKEND=%s", address);
	entry_parse(e, &over,
		"extensions = ( { type = \"table\"; ttl = \"30d\"; } );\n"
		"servers = ( { name = \"s\"; listen = \"127.0.0.1:0\";\n"
		"middlewares = ( { type = \"%s\";\n%s\n} ); } );\n",
		type, options);
	if (e->conf != NULL)
		e->stage = conf_stage_at(conf_server_at(e->conf, 0), 0);
}

void
entry_try_extension(struct entry *e, const char *type, const char *options)
{
	static const struct conf_overrides over;

	entry_parse(e, &over,
		"extensions = ( { type = \"%s\";\n%s\n} );\n"
		"servers = ( { name = \"s\"; listen = \"127.0.0.1:0\";\n"
		"middlewares = ( { type = \"echo\"; } ); } );\n",
		type, options);
}

void
entry_load(struct entry *e, const char *type, const char *options,
	const struct weir_addr *backend)
{
	entry_try(e, type, options, backend);
	if (e->stage == NULL)
		fail_msg("{ type = \"%s\"; %s } is refused: %s", type, options,
			e->said);
}

void
entry_free(struct entry *e)
{
	conf_free(e->conf);
	free(e->said);
	*e = (struct entry){ .conf = NULL };
}

static void
entry_parse(struct entry *e, const struct conf_overrides *over, const char *fmt,
	...)
{
	char text[8192];
	size_t size = 0;
	va_list ap;
	FILE *err;
	int n;

	*e = (struct entry){ .conf = NULL };
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(n > 0 && n < (int)sizeof(text));
	err = open_memstream(&e->said, &size);
	assert_non_null(err);
	e->conf = conf_parse("entry", text, (size_t)n, over, err);
	assert_int_equal(fclose(err), 0);
}
