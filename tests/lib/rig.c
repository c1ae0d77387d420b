/* rig.c - one engine on a loop of its own, driven turn by turn, with real
 * sockets on the loopback as its clients and backends. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/splice.h"
#include "lib/mode.h"
#include "lib/rig.h"

#define TURN_WAIT_MS 5
#define LOG_BYTES    ((size_t)1 << 20)

struct rig_ends rig_ends;

static void
dial_next(struct weir_call *c)
{
	const struct rig_dial *cf = c->conf;
	unsigned *tried = c->ctx;

	weir_connect(c, &cf->to[(*tried)++],
		&(struct weir_dial){
			.source = &cf->source, .timeout_ms = cf->timeout_ms });
}

static void
dial_connected(struct weir_call *c, int err)
{
	const struct rig_dial *cf = c->conf;

	if (err != 0 && *(unsigned *)c->ctx < cf->n)
		dial_next(c);
}

const struct weir_middleware rig_dial = {
	.name = "dial",
	.ctx_size = sizeof(unsigned),
	.route = dial_next,
	.connected = dial_connected,
};

static struct weir_verdict
witness_close(struct weir_call *c, enum weir_reason reason)
{
	rig_ends.n++;
	rig_ends.reason = reason;
	weir_facts(c, &rig_ends.facts);
	return weir_pass(0);
}

static const struct weir_middleware witness = {
	.name = "witness",
	.close = witness_close,
};

/* All of the log, without an allocation, which might be made to fail. */
static char *
log_text(const struct rig *r)
{
	static char all[LOG_BYTES];
	ssize_t n = pread(r->log, all, LOG_BYTES - 1, 0);

	assert_int_not_equal(n, -1);
	all[n] = '\0';
	return all;
}

static unsigned
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
rig_woken(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
rig_use_mode(struct rig *r)
{
	const struct mode *mode = mode_now();

	splice_dices = mode != NULL && mode->dices;
	if (splice_dices)
		srandom(mode_seed());
	if (mode == &mode_copied)
		r->server.splice = CONF_SPLICE_OFF;
	else if (mode == &mode_spliced)
		r->server.splice = CONF_SPLICE_ON;
}

void
rig_init(struct rig *r)
{
	signal(SIGPIPE, SIG_IGN); /* as the master does */
	call_aborts = false; /* what a breach does to its channel is seen */
	*r = (struct rig){ .listener = -1, .log_least = LOG_LEVEL_INFO };
	r->listen.text = "rig";
	r->listen.backlog = 128;
	r->server = (struct conf_server){ .name = "rig",
		.listen = { 1, NULL },
		.read_max = 65536,
		.hold_max = 131072 };
	rig_use_mode(r);
	sockopts_add(&r->server.backend.options, SOCKOPT_NODELAY, 1);
}

void
rig_add(struct rig *r, const struct weir_middleware *mw, const void *conf)
{
	assert_true(r->server.stages.n < CONF_STAGES_MAX);
	r->stages[r->server.stages.n++] =
		(struct conf_stage){ .mw = mw, .name = mw->name, .conf = conf };
}

/* Into a file, from here on. */
static void
rig_log(struct rig *r)
{
	char path[] = "/tmp/rig.XXXX"
		      "XX";

	/* Of a test that failed, the log is open still. */
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	r->fds = count_fds();
	rig_ends = (struct rig_ends){ 0 };
	r->log = mkstemp(path);
	assert_int_not_equal(r->log, -1);
	assert_int_equal(log_open(path, r->log_least), 0);
	assert_int_equal(unlink(path), 0);
	r->server.listen.v = &r->listen;
	r->server.stages.v = r->stages;
	assert_int_equal(loop_init(&r->loop, r->server.read_max), 0);
	r->loop.services = r->services;
	r->loop.observers = r->observers;
}

void
rig_start(struct rig *r)
{
	struct weir_addr at;

	rig_log(r);
	rig_add(r, &witness, NULL);
	assert_int_equal(engine_init(&r->engine, &r->loop, &r->server), 0);
	r->wake = event_new(r->loop.base, -1, 0, rig_woken, NULL);
	assert_non_null(r->wake);
	r->listener = rig_backend(&at);
	r->listen.address = at;
}

void
rig_starts_not(struct rig *r, const char *said)
{
	rig_log(r);
	assert_int_equal(engine_init(&r->engine, &r->loop, &r->server), -1);
	loop_done(&r->loop);
	if (!rig_logged(r, said))
		fail_msg("the log has: %s", log_text(r));
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	rig_close(&r->log);
}

void
rig_stop(struct rig *r)
{
	const char *alert;
	unsigned fds;

	engine_stop(&r->engine);
	rig_turn(r);
	assert_int_equal(r->loop.channels, 0);
	assert_true(TAILQ_EMPTY(&r->engine.channels));
	assert_int_equal(rig_ends.n, r->opened);
	engine_done(&r->engine);
	event_free(r->wake);
	loop_done(&r->loop);
	rig_close(&r->listener);
	alert = rig_alert(r);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	rig_close(&r->log);
	if (alert != NULL && !r->alerts_wanted)
		fail_msg("%s", alert);
	if (alert == NULL && r->alerts_wanted)
		fail_msg("no [alert] was logged");
	fds = count_fds();
	if (fds != r->fds)
		fail_msg("%u descriptors are open, before the rig started "
			 "there were %u",
			fds, r->fds);
}

void
rig_turn(struct rig *r)
{
	event_active(r->wake, EV_TIMEOUT, 0);
	r->loop.poller.next_ms = 0;
	loop_turn(&r->loop);
}

void
rig_quiet(struct rig *r)
{
	int i;

	for (i = 0; i < RIG_QUIET; i++)
		rig_turn(r);
}

void
rig_turn_wait(struct rig *r)
{
	const char *ms = getenv("RIG_WAIT_MS"); /* who fails, fails sooner */

	assert_int_equal(
		poller_timer(&r->loop.poller, r->wake,
			ms == NULL ? TURN_WAIT_MS : (uint64_t)(*ms - '0')),
		0);
	loop_turn(&r->loop);
	event_del(r->wake);
}

void
rig_advance(struct rig *r, uint64_t ms)
{
	clock_advance(ms);
	/* As if its timer had fired, which knows nothing of our clock. */
	event_get_callback(r->loop.tick)(
		-1, EV_TIMEOUT, event_get_callback_arg(r->loop.tick));
	rig_turn(r);
}

static void
rig_accepted(struct rig *r, int fd, const struct weir_addr *peer, int client)
{
	if (r->front_sndbuf != 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF,
					 &r->front_sndbuf, sizeof(int)),
			0);
	assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	r->opened++;
	engine_accept(&r->engine, fd, peer, 0);
}

int
rig_client(struct rig *r)
{
	struct weir_addr peer = { .len = sizeof(peer.un) };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	assert_int_not_equal(client, -1);
	if (r->client_rcvbuf != 0)
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVBUF,
					 &r->client_rcvbuf, sizeof(int)),
			0);
	assert_int_equal(
		connect(client, &r->listen.address.sa, r->listen.address.len),
		0);
	fd = accept4(
		r->listener, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	rig_accepted(r, fd, &peer, client);
	return client;
}

int
rig_client_unix(struct rig *r)
{
	struct weir_addr peer = { .len = sizeof(sa_family_t),
		.sa.sa_family = AF_UNIX };
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, pair),
		0);
	rig_accepted(r, pair[0], &peer, pair[1]);
	return pair[1];
}

struct weir_channel *
rig_channel(struct rig *r)
{
	struct weir_channel *ch, *last = NULL;

	TAILQ_FOREACH(ch, &r->engine.channels, all_link)
	last = ch;
	return last;
}

int
rig_backend(struct weir_addr *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct weir_addr){ .len = sizeof(at->in) };
	at->in.sin_family = AF_INET;
	at->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, &at->sa, at->len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, &at->sa, &at->len), 0);
	return fd;
}

void
rig_refusing(struct weir_addr *at)
{
	int fd = rig_backend(at);

	rig_close(&fd);
}

int
rig_take(struct rig *r, int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int fd;

	rig_until(r, poll(&p, 1, 0) == 1);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

void
rig_join(struct rig *r, int listener, int *client, int *server)
{
	*client = rig_client(r);
	*server = rig_take(r, listener);
	rig_until(r, rig_channel(r)->state == CHANNEL_JOINED);
}

void
rig_send(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

void
rig_say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

long
rig_read(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_DONTWAIT);
}

static bool
can_read(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

void
rig_hear(struct rig *r, int fd, const char *text)
{
	size_t want = strlen(text), have = 0;
	char got[4096] = "";

	assert_true(want < sizeof(got));
	while (have < want) {
		long n;

		rig_until(r, can_read(fd));
		n = rig_read(fd, got + have, want - have);
		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_string_equal(got, text);
}

void
rig_hear_end(struct rig *r, int fd)
{
	char c;

	rig_until(r, can_read(fd));
	assert_int_equal(rig_read(fd, &c, 1), 0);
}

void
rig_hear_reset(struct rig *r, int fd)
{
	char c;

	rig_until(r, can_read(fd));
	assert_int_equal(rig_read(fd, &c, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

void
rig_hear_nothing(struct rig *r, int fd)
{
	rig_quiet(r);
	assert_false(can_read(fd));
}

void
rig_reset(int *fd)
{
	static const struct linger at_once = { .l_onoff = 1 };

	assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once)),
		0);
	rig_close(fd);
}

void
rig_close(int *fd)
{
	if (*fd != -1)
		assert_int_equal(close(*fd), 0);
	*fd = -1;
}

bool
rig_logged(const struct rig *r, const char *text)
{
	return strstr(log_text(r), text) != NULL;
}

const char *
rig_alert(const struct rig *r)
{
	char *alert = strstr(log_text(r), "[alert]");

	if (alert != NULL)
		alert[strcspn(alert, "\n")] = '\0';
	return alert;
}
