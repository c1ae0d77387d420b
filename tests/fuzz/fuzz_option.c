/* fuzz_option.c - options of every type with any value: what loads keeps to its
 * row, and its text loads as the same again. */
#include <bsd/string.h>

#include "base/addr.h"
#include "fuzz/fuzz.h"
#include "unit/conf_try.h"
#include "unit/registry_fake.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATH	 "servers.server0.middlewares.every."
#define HEAD	 "servers = ( { middlewares = ( { type = \"every\"; "
#define TAIL	 " } ); } );"

/* How the value is written: the second byte. */
enum { RAW, QUOTED, LIST, OPTION, WAYS };

static char *environment[] = { "A=one", "N=42", NULL };
static const struct conf_overrides plain = { NULL, environment };

/* Writes a string of libconfig; returns where it ends. */
static const uint8_t *
quote(FILE *out, const uint8_t *p, const uint8_t *end)
{
	fputc('"', out);
	for (; p < end; p++)
		fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	fputc('"', out);
	return end;
}

static void
value_put(FILE *out, unsigned how, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n, *at;

	if (how == RAW) {
		fwrite(p, 1, n, out);
	} else if (how == QUOTED) {
		quote(out, p, end);
	} else {
		fputs("( ", out);
		while ((at = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			p = quote(out, p, at) + 1;
			fputs(", ", out);
		}
		quote(out, p, end);
		fputs(" )", out);
	}
}

static void
check_addr(const struct weir_addr *a)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr again;
	const char *why;

	weir_addr_text(a, text);
	assert_int_equal(addr_parse(&again, text, &why), 0);
	assert_int_equal(again.len, a->len);
	assert_memory_equal(&again.sa, &a->sa, a->len);
}

static void
check_lists(const struct fake_every *e)
{
	const struct fake_part *part = e->parts.v;
	const struct weir_cidr *net = e->networks.v;
	const struct weir_addr *addr = e->addresses.v;
	const char *const *word = e->words.v;
	size_t i;

	for (i = 0; i < e->words.n; i++)
		assert_in_range(strlen(word[i]), 0, 1 << 20);
	for (i = 0; i < e->addresses.n; i++)
		check_addr(&addr[i]);
	for (i = 0; i < e->networks.n; i++)
		assert_in_range(net[i].bits, 0, 128);
	assert_in_range(e->parts.n, 0, 3);
	for (i = 0; i < e->parts.n; i++) {
		assert_in_range(strlen(part[i].name), 1, 8);
		assert_in_range(part[i].weight, 1, 10);
	}
}

static void
check_every(const struct fake_every *e)
{
	assert_in_range(e->number + 10, 0, 65545);
	assert_in_range(e->size, 16, 1 << 20);
	assert_true(
		e->time_ms == 0 || (e->time_ms >= 10 && e->time_ms <= 3600000));
	assert_in_range(e->colour, 0, COUNT(fake_colours) - 2);
	assert_true(e->word != NULL && e->blank != NULL);
	assert_true(e->file != NULL && e->line != NULL);
	check_addr(&e->address);
	check_lists(e);
}

static void
check_conf(const struct conf *conf)
{
	size_t i, j;

	for (i = 0; i < conf->servers.n; i++) {
		const struct conf_server *s = conf_server_at(conf, i);

		for (j = 0; j < s->stages.n; j++)
			if (conf_stage_at(s, j)->mw == &fake_every)
				check_every(conf_stage_at(s, j)->conf);
	}
}

/* May it be a list of addresses with a path that has a blank or a comma, which
 * part two of them? */
static bool
is_parted(const char *value)
{
	const char *path = strstr(value, "unix:");

	return strchr(value, ' ') != NULL ||
	       (path != NULL && strchr(path, ',') != NULL);
}

/* Can the value be given by -o: as one word, without what that refuses? */
static bool
is_word(const struct weir_opt *row, const char *value)
{
	const char *s = value;

	while (*s != '\0' && (unsigned char)*s >= ' ' && *s != 0x7f)
		s++;
	if (row->type == WEIR_T_ADDRS && is_parted(value))
		return false;
	return *s == '\0' && *value != '\0' && row->type != WEIR_T_STRINGS &&
	       row->type != WEIR_T_GROUPS;
}

/* The value that -T shows is the value. */
static void
check_again(const struct conf *conf, const struct weir_opt *row)
{
	const struct conf_setting *s = conf->settings.v;
	char path[64], *option;
	const char *options[2] = { NULL, NULL };
	struct conf_overrides over = { options, environment };
	struct trial t;
	size_t i = 0;

	snprintf(path, sizeof(path), PATH "%s", row->key);
	while (i < conf->settings.n && strcmp(s[i].path, path) != 0)
		i++;
	if (i == conf->settings.n || !is_word(row, s[i].value))
		return;
	assert_int_not_equal(asprintf(&option, "%s=%s", path, s[i].value), -1);
	options[0] = option;
	t = try_bytes(HEAD TAIL, strlen(HEAD TAIL), &over);
	if (t.conf == NULL)
		fail_msg("%s: %s", option, t.said);
	assert_string_equal(setting_of(t.conf, path)->value, s[i].value);
	try_end(&t);
	free(option);
}

static struct trial
try_value(const struct weir_opt *row, unsigned how, const uint8_t *p, size_t n)
{
	const char *options[2] = { NULL, NULL };
	struct conf_overrides over = { options, environment };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct trial t;

	assert_non_null(out);
	if (how == OPTION) {
		fprintf(out, PATH "%s=%.*s", row->key, (int)n, (const char *)p);
		assert_int_equal(fclose(out), 0);
		options[0] = text;
		t = try_bytes(HEAD TAIL, strlen(HEAD TAIL), &over);
	} else {
		fprintf(out, HEAD "%s = ", row->key);
		value_put(out, how, p, n);
		fputs("; " TAIL, out);
		assert_int_equal(fclose(out), 0);
		t = try_bytes(text, len, &plain);
	}
	free(text);
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct weir_opt *row;
	struct trial t;

	if (n < 2)
		return 0;
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	row = &fake_every_opts[p[0] % (COUNT(fake_every_opts) - 1)];
	/* Files that it names are none of this input. */
	if (memmem(p, n, "@include", 8) != NULL)
		return 0;
	t = try_value(row, p[1] % WAYS, p + 2, n - 2);
	assert_int_equal(t.conf == NULL, strlen(t.said) > 0);
	if (t.conf != NULL) {
		check_conf(t.conf);
		check_again(t.conf, row);
	} else if (p[1] % WAYS != OPTION) {
		assert_places(t.said);
	}
	try_end(&t);
	return 0;
}
