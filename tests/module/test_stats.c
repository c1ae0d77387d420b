/* test_stats.c - what stats counts of known traffic, and how it shows it. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "stats_try.h"

#define MB ((uint64_t)1 << 20)

/* ---- figures ------------------------------------------------------------- */

static void
test_known_traffic_is_counted_exactly(void **state)
{
	double copied, spliced;

	(void)state;
	join();
	pair_carry(client, server, 0, MB);
	pair_carry(server, client, 0, 3 * MB);
	/* While it lasts. */
	assert_true(
		counted_metric(
			"weir_channels_accepted_total{server=\"web\"}") == 1);
	assert_true(
		counted_metric("weir_channels_active{server=\"web\"}") == 1);
	copied =
		counted_metric("weir_read_bytes_total{server=\"web\",direction="
			       "\"down\",way=\"copied\"}");
	spliced =
		counted_metric("weir_read_bytes_total{server=\"web\",direction="
			       "\"down\",way=\"spliced\"}");
	assert_true(copied + spliced == 3 * MB);
	assert_true(
		counted_metric("weir_sent_bytes_total{server=\"web\",direction="
			       "\"up\"}") == MB);
	assert_true(
		counted_metric(
			"weir_first_byte_seconds_count{server=\"web\"}") == 1);
	assert_true(counted_metric(
			    "weir_connect_seconds_count{server=\"web\"}") == 1);
	assert_true(counted_metric(
			    "weir_session_seconds_count{server=\"web\"}") == 0);
	end();
	assert_true(
		counted_metric("weir_channels_active{server=\"web\"}") == 0);
	assert_true(counted_metric(
			    "weir_channels_ended_total{server=\"web\",reason="
			    "\"done\"}") == 1);
	assert_true(counted_metric(
			    "weir_channels_ended_total{server=\"web\",reason="
			    "\"reset\"}") == 0);
	assert_true(counted_metric(
			    "weir_session_seconds_count{server=\"web\"}") == 1);
}

static void
test_an_age_is_in_its_bucket(void **state)
{
	(void)state;
	join();
	rig_advance(&rig, 20000);
	end();
	assert_true(
		counted_metric("weir_session_seconds_bucket{server=\"web\",le="
			       "\"10.0\"}") == 0);
	assert_true(
		counted_metric("weir_session_seconds_bucket{server=\"web\",le="
			       "\"30.0\"}") == 1);
	assert_in_range(
		counted_metric("weir_session_seconds_sum{server=\"web\"}"), 20,
		29);
}

/* ---- middlewares --------------------------------------------------------- */

static const char *const words[] = { "lines", "words", NULL };
static uint64_t burn_ms;

static struct weir_verdict
look_up(struct weir_call *c, struct weir_bytes in)
{
	struct timespec from, to;

	weir_count(c, 0, 2);
	weir_count(c, 1, in.len);
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &to);
	while ((uint64_t)(to.tv_sec - from.tv_sec) * 1000000000 +
			(uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec <
		burn_ms * 1000000);
	return weir_pass(in.len);
}

static const struct weir_middleware looks = {
	.name = "looks", .counters = words, .up = look_up
};

static void
test_a_middleware_is_timed_and_counts_itself(void **state)
{
	(void)state;
	burn_ms = 2;
	rig_add(&rig, &looks, NULL);
	join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	assert_true(counted_metric("weir_middleware_calls_total{server=\"web\","
				   "middleware=\"looks\"}") == 1);
	assert_true(counted_metric("weir_middleware_bytes_total{server=\"web\","
				   "middleware=\"looks\"}") == 5);
	assert_true(
		counted_metric("weir_middleware_seconds_total{server=\"web\","
			       "middleware=\"looks\"}") >= 0.002);
	assert_true(
		counted_metric("weir_middleware_longest_seconds{server=\"web\","
			       "middleware=\"looks\"}") >= 0.002);
	assert_true(
		counted_metric("weir_middleware_events_total{server=\"web\","
			       "middleware=\"looks\",event=\"lines\"}") == 2);
	assert_true(
		counted_metric("weir_middleware_events_total{server=\"web\","
			       "middleware=\"looks\",event=\"words\"}") == 5);
	end();
}

static unsigned
times_logged(const char *word)
{
	char log[65536] = "";
	const char *p = log;
	unsigned n = 0;

	assert_true(pread(rig.log, log, sizeof(log) - 1, 0) >= 0);
	while ((p = strstr(p, word)) != NULL) {
		n++;
		p++;
	}
	return n;
}

static void
test_who_stalls_is_named_but_not_all_the_time(void **state)
{
	int i;

	(void)state;
	burn_ms = 2;
	counted_conf.stall_ms = 1;
	rig_add(&rig, &looks, NULL);
	join();
	for (i = 0; i < 3; i++) {
		rig_say(client, "x");
		rig_hear(&rig, server, "x");
	}
	assert_true(rig_logged(&rig, "[warn] extension \"stats\": web/looks: "
				     "#1: its up took "));
	assert_int_equal(times_logged("its up took"), 1);
	end();
}

static void
test_who_is_quick_is_not_named(void **state)
{
	(void)state;
	burn_ms = 2;
	counted_conf.stall_ms = 0;
	rig_add(&rig, &looks, NULL);
	join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	assert_int_equal(times_logged("took"), 0);
	end();
}

/* ---- pages --------------------------------------------------------------- */

static void
test_names_are_escaped(void **state)
{
	const char *json;

	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	counted_begin("a\"b\\c\nd\x01"
		      "e\xff\xc3\xa9");
	assert_true(
		counted_metric("weir_channels_active{server=\"a\\\"b\\\\c\\nd e"
			       "\xef\xbf\xbd\xc3\xa9\"}") == 0);
	json = counted_page("/v1/stats");
	assert_non_null(strstr(json, "\"name\":\"a\\\"b\\\\c\\nd\\u0001e"
				     "\xef\xbf\xbd\xc3\xa9\""));
	rig_start(&rig);
}

static void
test_types_of_the_pages(void **state)
{
	(void)state;
	join();
	counted_page("/metrics");
	assert_string_equal(counted_type, "application/openmetrics-text; "
					  "version=1.0.0; charset=utf-8");
	counted_page("/v1/stats");
	assert_string_equal(counted_type, "application/json");
	counted_page("/");
	assert_string_equal(counted_type, "text/html; charset=utf-8");
	end();
}

/* Script and style of the page are those that the header lets run; no other
 * page's word is. */
static void
test_the_page_for_people_has_a_word_of_its_own(void **state)
{
	char word[80], before[80] = "";
	const char *page, *at;
	unsigned round, n;

	(void)state;
	join();
	for (round = 0; round < 3; round++) {
		page = counted_page("/");
		at = strstr(counted_policy, "script-src 'nonce-");
		assert_non_null(at);
		snprintf(word, sizeof(word), " nonce=\"%.32s\">", at + 18);
		assert_string_not_equal(word, before);
		memcpy(before, word, sizeof(word));
		for (n = 0; (page = strstr(page, " nonce=")) != NULL; n++)
			assert_memory_equal(page++, word, strlen(word));
		assert_int_equal(n, 2);
	}
	end();
}

static void
test_the_same_as_json(void **state)
{
	const char *json;

	(void)state;
	burn_ms = 0;
	rig_add(&rig, &looks, NULL);
	join();
	rig_say(client, "12345");
	rig_hear(&rig, server, "12345");
	end();
	json = counted_page("/v1/stats");
	assert_non_null(strstr(json, "{\"time_ms\":"));
	assert_non_null(
		strstr(json, ",\"totals\":{\"accepted\":1,\"active\":0,"));
	assert_non_null(
		strstr(json, "\"servers\":[{\"name\":\"web\",\"accepted\":1,"));
	assert_non_null(strstr(json, "\"ended\":{\"done\":1,"));
	assert_non_null(strstr(json,
		"\"connects\":1,\"failures\":0,\"active\":"
		"0,\"up_bytes\":5,\"down_bytes\":0,\"connect_us\":"));
	assert_non_null(strstr(json, "\"events\":{\"lines\":4,\"words\":5}"));
	assert_string_equal(json + strlen(json) - 3, "]}\n");
}

/* ---- many, and the dead -------------------------------------------------- */

static const char *const others[] = { "pages", NULL };
/* What a name has stood for before is not what it stands for now. */
static const struct weir_middleware reads = {
	.name = "reads", .counters = others, .up = look_up
};

static void
test_a_type_that_comes_back(void **state)
{
	static const struct weir_middleware *const types[] = { &looks, &reads,
		&looks };
	struct conf_stage stage = { .name = "it" };
	struct conf_server server_of_it = { .name = "s",
		.stages = { 1, &stage } };
	unsigned i;

	(void)state;
	join();
	end();
	counted_plan.servers = (struct weir_list){ 1, &server_of_it };
	for (i = 0; i < 3; i++) {
		stage.mw = types[i];
		assert_int_equal(
			ext_stats.count(&counted_conf, counted.plan, &counters),
			0);
		counted_page("/metrics");
		assert_int_equal(strstr(reply, "event=\"lines\"") != NULL,
			types[i] == &looks);
		assert_int_equal(strstr(reply, "event=\"pages\"") != NULL,
			types[i] == &reads);
	}
	counted_plan.servers.n = 0;
}

static void
test_a_thousand_servers(void **state)
{
	struct conf_server *servers = calloc(1000, sizeof(*servers));
	struct conf_stage stages[5] = { { .mw = &looks, .name = "one" },
		{ .mw = &looks, .name = "two" },
		{ .mw = &rig_dial, .name = "three" },
		{ .mw = &rig_dial, .name = "four" },
		{ .mw = &rig_dial, .name = "five" } };
	char(*names)[32] = calloc(1000, sizeof(*names));
	unsigned i;

	(void)state;
	assert_non_null(servers);
	assert_non_null(names);
	for (i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]), "server number %u", i);
		servers[i] = (struct conf_server){ .name = names[i],
			.stages = { 5, stages } };
	}
	join();
	end();
	counted_plan.servers = (struct weir_list){ 1000, servers };
	ext_stats.stop(&counted);
	assert_int_equal(
		ext_stats.count(&counted_conf, counted.plan, &counters), 0);
	assert_int_equal(ext_stats.start(&counted), 0);
	counted_plan.servers.n = 0;
	counted_page("/metrics");
	assert_non_null(strstr(counted_page("/metrics"),
		"\nweir_channels_active{server=\"server "
		"number 999\"} 0\n"));
	free(servers);
	free(names);
}

/* Another process has a channel, and is killed. */
static void
test_a_worker_is_killed(void **state)
{
	struct owners *owners = shm_owners(&shm);
	struct weir_seen seen = { .own = calloc(1, 64) };
	struct weir_addr at = dial.to[0];
	uint64_t other;
	int status;
	pid_t pid;

	(void)state;
	join();
	other = owner_begin(owners);
	assert_non_null(seen.own);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		counters_own(&counters, other);
		if (ext_stats.start(&counted) == -1)
			_exit(1);
		ext_stats.observer->opened(&counted, &seen);
		ext_stats.observer->connected(&counted, &seen, &at, 0, 5);
		raise(SIGKILL);
	}
	free(seen.own);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(
		counted_metric("weir_channels_active{server=\"web\"}") == 2);
	assert_true(backend("active", &at, "") == 2);
	assert_true(backend("connects_total", &at, "") == 2);
	owner_end(owners, other);
	assert_true(
		counted_metric("weir_channels_active{server=\"web\"}") == 1);
	assert_true(
		counted_metric(
			"weir_channels_accepted_total{server=\"web\"}") == 2);
	assert_true(backend("active", &at, "") == 1);
	assert_true(backend("connects_total", &at, "") == 2);
	end();
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, counted_start, counted_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		mode_tests(test_known_traffic_is_counted_exactly, counted_start,
			counted_stop),
		CASE(test_an_age_is_in_its_bucket),
		CASE(test_a_middleware_is_timed_and_counts_itself),
		CASE(test_who_stalls_is_named_but_not_all_the_time),
		CASE(test_who_is_quick_is_not_named),
		CASE(test_names_are_escaped),
		CASE(test_types_of_the_pages),
		CASE(test_the_page_for_people_has_a_word_of_its_own),
		CASE(test_the_same_as_json),
		CASE(test_a_type_that_comes_back),
		CASE(test_a_thousand_servers),
		CASE(test_a_worker_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
