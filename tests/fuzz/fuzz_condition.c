/* fuzz_condition.c - conditions and formats of any text: what compiles means
 * the same each time, and a text that is cut begins like the whole one. */
#include <errno.h>

#include "unit/conf_try.h"
#include "unit/registry_fake.h"

#include "conf/condition.h"
#include "conf/format.h"
#include "fuzz/fuzz.h"
#include "unit/call_fake.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CUTS	 80 /* sizes that are tried */

/* Bits of the first byte. */
enum { FORMAT = 1, JSON = 2, ENDED = 4, UNIX = 8, UNKNOWN = 16 };

static const struct conf_stage stages[] = {
	{ .mw = &fake_geo, .name = "geo" },
	{ .mw = &fake_geo, .name = "far.geo" },
	{ .mw = &fake_geo, .name = "twin" },
	{ .mw = &fake_geo, .name = "twin" },
};
static const struct conf_server server = {
	.stages = { COUNT(stages), (void *)stages },
};
static char whole[1 << 21], cut[sizeof(whole)];

static void
facts_set(unsigned flags, const char *country)
{
	fake_server = &server;
	fake_facts = (struct weir_facts){ .id = 7,
		.server = "pg",
		.listen = "127.0.0.1:5432",
		.client = fake_addr("[::ffff:10.1.2.3]:40000"),
		.target = fake_addr("10.0.0.9:5432"),
		.up_bytes = 11,
		.down_bytes = UINT64_MAX,
		.age_ms = 1500 };
	fake_locals[WEIR_FRONTEND] = fake_addr("10.1.2.1:5432");
	fake_locals[WEIR_BACKEND] = fake_addr("[fd00::1]:1025");
	fake_contexts[0] = country;
	fake_contexts[1] = NULL;
	if (flags & UNIX) {
		fake_facts.client = fake_addr("unix:/c\nx");
		fake_facts.target.len = 0;
	}
	if (flags & ENDED) {
		fake_facts.reason = WEIR_R_TIMEOUT;
		fake_facts.ended_by = WEIR_BACKEND;
		fake_facts.err = EPIPE;
		fake_facts.detail = "idle_timeout";
		fake_facts.module = "acl";
		fake_facts.ended_ms = 1400;
	}
}

/* The time goes on while a text is made twice. */
static bool
has_time(const char *text)
{
	return strstr(text, "time.") != NULL;
}

/* Is place n of the whole text inside an escape? */
static bool
is_inside(size_t n, enum weir_escape escape)
{
	size_t i = 0;

	while (i < n)
		if (whole[i] != '\\')
			i++;
		else if (escape == WEIR_ESCAPE_PLAIN)
			i += 4;
		else
			i += whole[i + 1] == 'u' ? 6 : 2;
	return i > n;
}

static void
try_cuts(const struct weir_format *f, enum weir_escape escape)
{
	size_t n =
		weir_format_text(&fake_call, f, escape, whole, sizeof(whole));
	size_t size, had = 0, i;

	assert_int_equal(n, strlen(whole));
	for (i = 0; i < CUTS; i++) {
		size = i < CUTS / 2	  ? i
		       : n + 2 + i > CUTS ? n + 2 + i - CUTS
					  : i;
		memset(cut, '#', size + 1);
		had = weir_format_text(&fake_call, f, escape, cut, size);
		assert_int_equal(cut[size], '#');
		if (size == 0)
			continue;
		assert_true(had < size && had <= n);
		assert_int_equal(had, strlen(cut));
		assert_memory_equal(cut, whole, had);
		assert_true(size <= n || had == n);
		/* A literal may hold half of anything. */
		if (strchr(f->text, '\\') == NULL)
			assert_false(is_inside(had, escape));
	}
}

static void
try_json(const struct weir_format *f)
{
	size_t n = weir_format_json(&fake_call, f, whole, sizeof(whole)), size;

	assert_true(n >= 2 && n == strlen(whole));
	for (size = 1; size < CUTS; size++) {
		n = weir_format_json(&fake_call, f, cut, size);
		assert_true(
			n < size && n == strlen(cut) && (n > 0) == (size > 2));
		if (n > 0)
			assert_true(cut[0] == '{' && cut[n - 1] == '}');
	}
}

static void
try_format(const char *text, const struct variable_scope *scope, bool json)
{
	struct weir_format f = { .text = text };
	struct variable_fault fault = { 0, NULL };

	if (format_compile(&f, scope, &fault) == -1) {
		assert_non_null(fault.why);
		assert_in_range(fault.column, 1, strlen(text) + 1);
		return;
	}
	if (has_time(text))
		return;
	try_cuts(&f, json ? WEIR_ESCAPE_JSON : WEIR_ESCAPE_PLAIN);
	try_json(&f);
}

static void
try_condition(const char *text, const struct variable_scope *scope)
{
	struct weir_condition k = { .text = text }, not_k = { 0 };
	struct variable_fault fault = { 0, NULL };
	char *inverse;
	bool holds;

	if (condition_compile(&k, scope, &fault) == -1) {
		assert_non_null(fault.why);
		assert_in_range(fault.column, 1, strlen(text) + 1);
		return;
	}
	holds = weir_condition_holds(&fake_call, &k);
	if (has_time(text))
		return;
	assert_int_equal(weir_condition_holds(&fake_call, &k), holds);
	/* One level and one part more may be too much. */
	inverse = arena_printf(scope->arena, "not (%s)", text);
	not_k.text = inverse;
	if (condition_compile(&not_k, scope, &fault) == 0)
		assert_int_equal(
			weir_condition_holds(&fake_call, &not_k), !holds);
	else
		assert_true(strchr(text, '(') != NULL ||
			    strstr(text, "not") != NULL ||
			    strlen(text) > CONDITION_PARTS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena arena = { NULL };
	struct variable_scope scope = { &arena, stages, COUNT(stages), false };
	unsigned flags = n > 0 ? p[0] : 0;
	char *text, *country;

	if (n == 0)
		return 0;
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	/* Behind the text, and a NUL, may come the value of a variable. */
	text = malloc(n);
	assert_non_null(text);
	memcpy(text, p + 1, n - 1);
	text[n - 1] = '\0';
	country = text + strlen(text);
	country += country < text + n - 1;
	facts_set(flags, flags & UNKNOWN ? NULL : country);
	if (flags & FORMAT)
		try_format(text, &scope, flags & JSON);
	else
		try_condition(text, &scope);
	arena_free(&arena);
	free(text);
	return 0;
}
