/* test_bulk.c - much traffic, however bytes are moved, among channels that
 * break off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/crowd.h"
#include "lib/daemon.h"
#include "lib/relay.h"

static void
test_f41_no_byte_is_anothers(void **state)
{
	struct relay r;

	(void)state;
	relay_start(&r, "");
	crowd_run(&(struct crowd){ .port = relay_port(&r),
		.backend = r.backend,
		.channels = 800,
		.bytes_log = 18 });
	relay_stop(&r); /* its descriptors are as many as before */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_f41_no_byte_is_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
