/* test_forward.c - the first address that takes the connection gets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/entry.h"
#include "lib/pair.h"
#include "lib/said.h"
#include "lib/spy.h"

extern const struct weir_middleware mw_forward;

static struct weir_addr to[2]; /* nobody, and the backend */
static struct entry entry;

/* Forwards to nobody, and then to the backend (most = 2). */
static void
forward_start(int most)
{
	char nobody[WEIR_ADDR_TEXT], options[256];

	pair_start(NULL);
	rig_refusing(&to[0]);
	to[1] = dial.to[0];
	snprintf(options, sizeof(options), "to = [ \"%s\"%s ];",
		weir_addr_text(&to[0], nobody),
		most > 1 ? ", \"${BACKEND}\"" : "");
	entry_load(&entry, "forward", options, &to[1]);
	rig_add(&rig, spy_on(&mw_forward), entry.stage->conf);
	rig_start(&rig);
	client = rig_client(&rig);
}

static void
forward_stop(void)
{
	pair_stop(NULL);
	entry_free(&entry);
}

static void
address_is(const struct weir_addr *a)
{
	char text[WEIR_ADDR_TEXT];

	assert_string_equal(spy_text("address"), weir_addr_text(a, text));
}

static void
test_bytes_pass_as_they_are(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_forward,
			    .options = "to = [ \"127.0.0.1:1\", "
				       "\"${BACKEND}\" ];",
			    .text = "hello" },
		&(struct cut_seen){ .up = "hello", .why = "done" });
}

static void
test_the_next_address_is_tried(void **state)
{
	(void)state;
	forward_start(2);
	server = rig_take(&rig, listener);
	rig_say(client, "hello");
	rig_hear(&rig, server, "hello");
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	address_is(&to[1]);
	forward_stop();
}

static void
test_the_last_address_is_the_last(void **state)
{
	(void)state;
	forward_start(1);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	address_is(&to[0]);
	forward_stop();
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("forward", "to = \"127.0.0.1:1\"; source = \"127.0.0.2:0\";",
		"");
	said_of("forward", "to = [ \"127.0.0.1:1\", \"[::1]:0\" ];",
		"\"to\" wants a port from 1, not [::1]:0");
	said_of("forward", "to = \"[::1]:1\"; source = \"127.0.0.1:0\";",
		"\"source\" is of another family than [::1]:1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_pass_as_they_are),
		cmocka_unit_test(test_the_next_address_is_tried),
		cmocka_unit_test(test_the_last_address_is_the_last),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
