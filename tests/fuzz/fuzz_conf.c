/* fuzz_conf.c - configurations of any text, with options of the command line:
 * one that is refused is told of, one that loads is the same each time. */
#include "fuzz/fuzz.h"
#include "unit/conf_try.h"

#define OPTIONS_MAX 8
#define SPLIT	    0xff /* not in UTF-8: before each option */

static char *environment[] = { "HOME=/", "A=one", "B=${A}", "C=\"",
	"WEIR_IDLE_TIMEOUT=30s", NULL };

/* Files that it names are none of this input. */
static bool
includes(const char *text, size_t len)
{
	return memmem(text, len, "@include", 8) != NULL;
}

/* All bytes of all that was loaded are there. */
static void
check_servers(const struct conf *conf)
{
	size_t i, j;

	assert_true(conf->servers.n > 0);
	for (i = 0; i < conf->servers.n; i++) {
		const struct conf_server *s = conf_server_at(conf, i);
		int64_t order = 0;

		assert_true(strlen(s->name) > 0);
		assert_true(s->listen.n > 0 && s->read_max > 0);
		assert_true(s->stages.n <= CONF_STAGES_MAX);
		for (j = 0; j < s->listen.n; j++)
			assert_true(conf_listen_at(s, j)->address.len > 0);
		for (j = 0; j < s->stages.n; j++) {
			const struct conf_stage *stage = conf_stage_at(s, j);

			assert_true(stage->order >= order);
			order = stage->order;
			assert_true(strlen(stage->name) > 0);
		}
	}
}

static void
check_settings(const struct conf *conf, const struct conf *again)
{
	const struct conf_setting *s = conf->settings.v, *t = again->settings.v;
	size_t i;

	assert_true(conf->settings.n > 0);
	assert_int_equal(conf->settings.n, again->settings.n);
	for (i = 0; i < conf->settings.n; i++) {
		assert_string_equal(s[i].path, t[i].path);
		assert_string_equal(s[i].value, t[i].value);
		assert_string_equal(s[i].def, t[i].def);
		assert_string_equal(s[i].origin, t[i].origin);
	}
}

static void
try_input(const char *text, size_t len, const struct conf_overrides *over)
{
	struct trial t = try_bytes(text, len, over);
	struct trial again = try_bytes(text, len, over);

	assert_string_equal(t.said, again.said);
	assert_int_equal(t.conf == NULL, again.conf == NULL);
	if (t.conf != NULL) {
		check_servers(t.conf);
		check_settings(t.conf, again.conf);
	} else if (over->options[0] == NULL) {
		assert_places(t.said);
	} else {
		assert_true(strlen(t.said) > 0);
	}
	try_end(&again);
	try_end(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *options[OPTIONS_MAX + 1] = { NULL };
	struct conf_overrides over = { options, environment };
	char *text = malloc(n + 1), *at;
	size_t count = 0, len;

	setenv("CMOCKA_TEST_ABORT", "1", 1);
	assert_non_null(text);
	memcpy(text, p, n);
	text[n] = '\0';
	at = memchr(text, SPLIT, n);
	len = at == NULL ? n : (size_t)(at - text);
	while (at != NULL && count < OPTIONS_MAX) {
		*at = '\0';
		options[count++] = at + 1;
		at = memchr(at + 1, SPLIT, n - (size_t)(at + 1 - text));
	}
	if (!includes(text, len))
		try_input(text, len, &over);
	free(text);
	return 0;
}
