/* test_dial_options.c - sockets to backends have the options and the source
 * that the server says.  In a network of its own. */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "lib/net.h"
#include "lib/options.h"
#include "lib/pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct weir_addr sources[4];

static void
set_sources(const char *const *texts, size_t n)
{
	const char *why;
	size_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(addr_parse(&sources[i], texts[i], &why), 0);
	rig.server.backend.source = (struct weir_list){ n, sources };
}

/* The socket to the backend of the channel that was opened last. */
static int
dialled(void)
{
	return rig_channel(&rig)->ends[WEIR_BACKEND].fd;
}

static const char *
peer_of(int fd)
{
	static char text[WEIR_ADDR_TEXT];
	struct weir_addr a = { .len = sizeof(a.un) };

	assert_int_equal(getpeername(fd, &a.sa, &a.len), 0);
	weir_addr_text(&a, text);
	*strrchr(text, ':') = '\0';
	return text;
}

static void
cannot_connect(int err, const char *said)
{
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	assert_int_equal(rig_ends.facts.err, err);
	if (!rig_logged(&rig, said))
		fail_msg("not logged: %s", said);
}

static void
dial_start(void)
{
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
}

static void
test_defaults(void **state)
{
	(void)state;
	pair_join();
	assert_int_not_equal(option_of(dialled(), IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(option_of(dialled(), SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option_of(dialled(), SOL_SOCKET, SO_BUF_LOCK), 0);
	assert_int_equal(
		option_of(dialled(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 0);
	assert_int_equal(
		option_of(dialled(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 0);
}

static void
test_each_option(void **state)
{
	struct sockopts *o = &rig.server.backend.options;

	(void)state;
	o->n = 0;
	options_add(o);
	sockopts_add(o, SOCKOPT_MARK, 77);
	sockopts_add(o, SOCKOPT_TRANSPARENT, 1);
	pair_join();
	options_expect(dialled(), true);
	assert_int_equal(option_of(dialled(), IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(option_of(dialled(), SOL_SOCKET, SO_MARK), 77);
	assert_int_equal(option_of(dialled(), IPPROTO_IP, IP_TRANSPARENT), 1);
}

static void
test_an_option_that_fails_is_named(void **state)
{
	(void)state;
	sockopts_add(&rig.server.backend.options, SOCKOPT_KEEPCNT, 1000);
	dial_start();
	cannot_connect(EINVAL,
		": option \"keepalive_count\" (TCP_KEEPCNT) cannot be set: "
		"Invalid argument");
}

/* One after the other, each with the ports that it has. */
static void
test_sources_take_turns(void **state)
{
	static const char *const texts[] = { "127.0.0.7:0", "[::1]:0",
		"127.0.0.8:0" };
	int clients[6], servers[6], sevens = 0, eights = 0;
	size_t i;

	(void)state;
	set_sources(texts, COUNT(texts));
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	for (i = 0; i < COUNT(clients); i++) {
		rig_join(&rig, listener, &clients[i], &servers[i]);
		assert_int_equal(option_of(dialled(), IPPROTO_IP,
					 IP_BIND_ADDRESS_NO_PORT),
			1);
		sevens += strcmp(peer_of(servers[i]), "127.0.0.7") == 0;
		eights += strcmp(peer_of(servers[i]), "127.0.0.8") == 0;
	}
	assert_int_equal(sevens, COUNT(clients) / 2);
	assert_int_equal(eights, COUNT(clients) / 2);
	for (i = 0; i < COUNT(clients); i++) {
		rig_close(&clients[i]);
		rig_close(&servers[i]);
	}
}

/* An address that this machine does not have leads on to the next. */
static void
test_a_wrong_source_leads_on(void **state)
{
	static const char *const texts[] = { "192.0.2.1:0", "127.0.0.8:0" };
	int i;

	(void)state;
	set_sources(texts, COUNT(texts));
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	for (i = 0; i < 2; i++) {
		rig_join(&rig, listener, &client, &server);
		assert_string_equal(peer_of(server), "127.0.0.8");
		rig_close(&client);
		rig_close(&server);
	}
}

static void
test_no_source_is_ours(void **state)
{
	static const char *const texts[] = { "192.0.2.1:0" };

	(void)state;
	set_sources(texts, COUNT(texts));
	dial_start();
	cannot_connect(EADDRNOTAVAIL,
		" from 192.0.2.1:0: this machine does not have the source "
		"address");
}

/* A port that was asked for is bound, with what that costs. */
static void
test_a_source_port(void **state)
{
	static const char *const texts[] = { "127.0.0.7:40123" };
	struct weir_addr a = { .len = sizeof(a.un) };

	(void)state;
	set_sources(texts, COUNT(texts));
	pair_join();
	assert_int_equal(
		option_of(dialled(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 0);
	assert_int_equal(getpeername(server, &a.sa, &a.len), 0);
	assert_int_equal(ntohs(a.in.sin_port), 40123);
	rig_close(&client);
	client = rig_client(&rig);
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_logged(&rig, " from 127.0.0.7:40123: "));
}

static void
test_a_middlewares_own_source_goes_before(void **state)
{
	static const char *const texts[] = { "127.0.0.7:0" };
	const char *why;

	(void)state;
	set_sources(texts, COUNT(texts));
	assert_int_equal(addr_parse(&dial.source, "127.0.0.9:0", &why), 0);
	pair_join();
	assert_string_equal(peer_of(server), "127.0.0.9");
}

/* ---- transparent --------------------------------------------------------- */

static void
be_transparent(enum conf_transparent how)
{
	rig.server.backend.transparent = (int)how;
	sockopts_add(&rig.server.backend.options, SOCKOPT_TRANSPARENT, 1);
	sockopts_add(&rig.server.backend.options, SOCKOPT_TRANSPARENT6, 1);
}

/* The rig's clients come from 127.0.0.1, which can be told from the address
 * that connecting to 127.0.0.3 has by itself: that is 127.0.0.3. */
static void
test_from_the_clients_address(void **state)
{
	struct weir_addr front = { .len = sizeof(front.un) };
	struct weir_addr back = { .len = sizeof(back.un) };

	(void)state;
	be_transparent(CONF_TRANSPARENT_CLIENT);
	pair_join();
	assert_int_equal(getsockname(client, &front.sa, &front.len), 0);
	assert_int_equal(getpeername(server, &back.sa, &back.len), 0);
	assert_int_equal(back.in.sin_addr.s_addr, front.in.sin_addr.s_addr);
	assert_int_equal(
		option_of(dialled(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
}

static void
test_a_middlewares_own_source_goes_before_the_clients(void **state)
{
	const char *why;

	(void)state;
	be_transparent(CONF_TRANSPARENT_CLIENT);
	assert_int_equal(addr_parse(&dial.source, "127.0.0.9:0", &why), 0);
	pair_join();
	assert_string_equal(peer_of(server), "127.0.0.9");
}

/* Bound, though it is of no interface; from there on it is the routes' turn,
 * and here nothing leads back. */
static void
test_a_source_that_is_not_ours(void **state)
{
	static const char *const texts[] = { "192.0.2.1:0" };
	struct weir_addr a = { .len = sizeof(a.un) };
	int fd;

	(void)state;
	set_sources(texts, COUNT(texts));
	be_transparent(CONF_TRANSPARENT_SOURCE);
	dial_start();
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_CONNECT);
	fd = dialled();
	assert_int_not_equal(fd, -1);
	assert_int_equal(getsockname(fd, &a.sa, &a.len), 0);
	assert_int_equal(ntohl(a.in.sin_addr.s_addr), 0xc0000201);
}

static void
test_a_client_of_another_family(void **state)
{
	(void)state;
	be_transparent(CONF_TRANSPARENT_CLIENT);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client_unix(&rig);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.facts.err, EAFNOSUPPORT);
	assert_true(rig_logged(&rig, "transparent = \"client\": the client's "
				     "address is of another family"));
}

/* ---- fast open ----------------------------------------------------------- */

static struct weir_verdict
first_byte(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return in.len == 0 ? weir_need(1) : weir_detach();
}

static const struct weir_middleware mw_preread = {
	.name = "preread", .flags = WEIR_PREREAD, .up = first_byte
};

/* Without client bytes nothing would be sent at all. */
static void
test_fastopen_needs_bytes(void **state)
{
	(void)state;
	rig.server.backend.fastopen = true;
	pair_join();
	assert_int_equal(
		option_of(dialled(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 0);
	rig_say(server, "hello");
	rig_hear(&rig, client, "hello");
}

static void
fast_start(void)
{
	int queue = 16;

	assert_int_equal(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue,
				 sizeof(queue)),
		0);
	rig.server.backend.fastopen = true;
	rig_add(&rig, &mw_preread, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
}

/* One connection with bytes; did they go with its first packet? */
static bool
fast_once(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	client = rig_client(&rig);
	rig_say(client, "bytes");
	server = rig_take(&rig, listener);
	assert_int_equal(
		option_of(dialled(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 1);
	rig_hear(&rig, server, "bytes");
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	assert_int_equal(
		getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	rig_close(&client);
	rig_close(&server);
	rig_quiet(&rig);
	return (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
}

/* The first connection brings a cookie home, which others use. */
static void
test_fastopen_with_bytes(void **state)
{
	(void)state;
	fast_start();
	assert_false(fast_once());
	assert_true(fast_once());
	assert_true(fast_once());
}

/* One whose client has said all before anybody was connected to. */
static void
fast_half_closed(void)
{
	client = rig_client(&rig);
	rig_say(client, "bytes");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "bytes");
	rig_hear_end(&rig, server);
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	rig_close(&server);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.facts.reason, WEIR_R_DONE);
}

/* With and without a cookie. */
static void
test_fastopen_with_an_end_behind_the_bytes(void **state)
{
	(void)state;
	fast_start();
	fast_half_closed();
	fast_half_closed();
	fast_half_closed();
}

/* Noticed too late to be a connect that failed, but at once. */
static void
test_fastopen_that_is_refused(void **state)
{
	(void)state;
	fast_start();
	while (!fast_once())
		continue;
	assert_int_equal(shutdown(listener, SHUT_RDWR), 0);
	client = rig_client(&rig);
	rig_say(client, "bytes");
	rig_hear_reset(&rig, client);
	rig_until(&rig, rig_ends.n == rig.opened);
	assert_int_equal(rig_ends.facts.err, ECONNREFUSED);
}

static int
setup(void **state)
{
	(void)state;
	net_make();
	net_fastopen();
	return 0;
}

#define pair_test(f) cmocka_unit_test_setup_teardown(f, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pair_test(test_defaults),
		pair_test(test_each_option),
		pair_test(test_an_option_that_fails_is_named),
		pair_test(test_sources_take_turns),
		pair_test(test_a_wrong_source_leads_on),
		pair_test(test_no_source_is_ours),
		pair_test(test_a_source_port),
		pair_test(test_a_middlewares_own_source_goes_before),
		pair_test(test_from_the_clients_address),
		pair_test(
			test_a_middlewares_own_source_goes_before_the_clients),
		pair_test(test_a_source_that_is_not_ours),
		pair_test(test_a_client_of_another_family),
		pair_test(test_fastopen_needs_bytes),
		pair_test(test_fastopen_with_bytes),
		pair_test(test_fastopen_with_an_end_behind_the_bytes),
		pair_test(test_fastopen_that_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
