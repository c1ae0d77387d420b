/* extension_try.h - what every extension of the build has to be; include it
 * once in a test that has an entry and test cases. */
#ifndef EXTENSION_TRY_H
#define EXTENSION_TRY_H

#include "conf/entry.h"
#include "conf/extension.h"
#include "lib/alloc.h"
#include "lib/described.h"
#include "lib/entry.h"
#include "lib/life.h"
#include "lib/procs.h"
#include "registry.h"

static void
test_extension_is_described(void **state)
{
	const struct weir_extension *ext = *state;
	const struct weir_command *word, *other;

	assert_true(entry_is_name(ext->name));
	assert_sentence(ext->name, ext->help);
	assert_rows(ext->opts);
	assert_rows_apart(ext->opts, extension_rows.opts);
	for (word = ext->commands; word != NULL && word->word != NULL; word++) {
		assert_key(word->word);
		assert_sentence(word->word, word->help);
		assert_non_null(word->run);
		for (other = ext->commands; other < word; other++)
			assert_string_not_equal(other->word, word->word);
	}
	if (ext->stage != NULL)
		assert_sentence(ext->stage->name, ext->stage->help);
}

static void
test_extension_fits_together(void **state)
{
	const struct weir_extension *ext = *state;
	bool has_opts = ext->opts != NULL && ext->opts[0].key != NULL;

	assert_int_equal(has_opts, ext->conf_size > 0);
	assert_true(
		ext->stop == NULL || ext->start != NULL || ext->keep != NULL);
	assert_true(ext->state_size == 0 || ext->start != NULL ||
		    ext->keep != NULL);
	/* It has the conf of the entry, and no options of its own. */
	if (ext->stage != NULL) {
		assert_string_equal(ext->stage->name, ext->name);
		assert_null(ext->stage->opts);
		assert_int_equal(ext->stage->conf_size, 0);
	}
	assert_true(ext->table != NULL || ext->count != NULL ||
		    ext->observer != NULL || ext->start != NULL ||
		    ext->keep != NULL || ext->stage != NULL);
}

static void
test_extension_defaults_are_good(void **state)
{
	const struct weir_extension *ext = *state;

	entry_try_extension(&entry, ext->name, "");
	assert_defaults(ext->name, ext->opts, ext->example, entry.said);
}

static void
extension_load_example(const struct weir_extension *ext)
{
	entry_try_extension(
		&entry, ext->name, ext->example != NULL ? ext->example : "");
	if (entry.conf == NULL)
		fail_msg("its example is refused: %s", entry.said);
	assert_int_equal(entry.conf->extensions.n, 1);
	assert_ptr_equal(conf_extension_at(entry.conf, 0)->type, ext);
}

static void
test_extension_starts_and_stops(void **state)
{
	int fds;

	extension_load_example(*state);
	assert_int_equal(life_run(entry.conf), 0);
	fds = procs_fds(getpid());
	assert_int_equal(life_run(entry.conf), 0);
	assert_int_equal(procs_fds(getpid()), fds);
}

static void
test_extension_without_memory(void **state)
{
	int fds, rc = -1;
	unsigned nth, refused = 0;
	bool failed = true;

	extension_load_example(*state);
	fds = procs_fds(getpid());
	for (nth = 1; failed && nth < 1000; nth++) {
		alloc_fail_at(nth);
		rc = life_run(entry.conf);
		failed = alloc_failed();
		refused += rc == -1;
		assert_true(rc == 0 || failed);
	}
	assert_false(failed);
	assert_int_not_equal(refused, 0);
	assert_int_equal(procs_fds(getpid()), fds);
}

static const struct test_case extension_cases[] = {
	{ "is described", test_extension_is_described },
	{ "fits together", test_extension_fits_together },
	{ "defaults are good", test_extension_defaults_are_good },
	{ "starts and stops", test_extension_starts_and_stops },
	{ "every allocation fails once", test_extension_without_memory },
};
#define NEXTENSION_CASES (sizeof(extension_cases) / sizeof(extension_cases[0]))

#endif
