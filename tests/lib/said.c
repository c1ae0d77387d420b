/* said.c - what weir says about the options of a middleware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "lib/said.h"

void
said_of(const char *type, const char *options, const char *want)
{
	char *text = NULL, *said = NULL;
	size_t text_len = 0, said_len = 0;
	FILE *file = open_memstream(&text, &text_len);
	FILE *err = open_memstream(&said, &said_len);
	struct conf *conf;

	assert_non_null(file);
	assert_non_null(err);
	fprintf(file, "servers = { middlewares = { type = \"%s\"; %s }; };",
		type, options);
	assert_int_equal(fclose(file), 0);
	conf = conf_parse("said.conf", text, text_len, NULL, err);
	assert_int_equal(fclose(err), 0);
	if (*want == '\0' ? *said != '\0' : strstr(said, want) == NULL)
		fail_msg("%s\nwanted: %s\nsaid: %s", text, want, said);
	assert_int_equal(conf != NULL, *want == '\0');
	conf_free(conf);
	free(text);
	free(said);
}
