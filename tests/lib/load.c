/* load.c - a load on listeners of the loopback, from a child process. */
#include <sys/mman.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/load.h"
#include "lib/load_private.h"
#include "lib/procs.h"

#define LOAD_MS	     10000 /* the longest that we wait for anything */
#define LOAD_SECONDS 60
#define LOAD_MIN     8
#define LOAD_MAX     4096
#define LOAD_LATE_MS 5000

static const char *const load_kind_words[] = {
#define X(id, word, text) [LOAD_##id] = word,
	LOAD_KINDS(X)
#undef X
};

static const char *const load_sort_words[] = {
#define X(id, word, text) [LOAD_##id] = word,
	LOAD_SORTS(X)
#undef X
};

static struct load *loads;

static bool
has_pace(const struct load_plan *p, enum load_sort sort, unsigned rate);
static void load_leave(struct load *l, int ms, struct load_result *r);
static void load_wait(struct load *l, int64_t end_ms, const char *what);
static void load_list(const struct load_result *r, FILE *to);

struct load *
load_new(void)
{
	struct load *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	/* Both see it; the child alone writes, but for nothing. */
	l->result = mmap(NULL, sizeof(*l->result), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(l->result != MAP_FAILED);
	assert_int_equal(pipe2(l->stop_fds, O_CLOEXEC), 0);
	assert_int_equal(pipe2(l->progress_fds, O_CLOEXEC | O_NONBLOCK), 0);
	return l;
}

uint16_t
load_echo(struct load *l, const struct echo *fault)
{
	struct echo *e = &l->echoes[l->nechoes];

	assert_true(l->nechoes < LOAD_ECHOES);
	if (fault != NULL)
		*e = *fault;
	echo_listen(e);
	l->nechoes++;
	return e->port;
}

void
load_start(struct load *l, const struct load_plan *plan)
{
	struct load_plan *p = &l->plan;
	unsigned i;

	*p = *plan;
	p->seconds = p->seconds > 0 ? p->seconds : LOAD_SECONDS;
	p->bytes_min = p->bytes_min > 0 ? p->bytes_min : LOAD_MIN;
	p->bytes_max = p->bytes_max > 0 ? p->bytes_max : LOAD_MAX;
	p->late_ms = p->late_ms > 0 ? p->late_ms : LOAD_LATE_MS;
	p->bytes_max =
		p->bytes_max > p->bytes_min ? p->bytes_max : p->bytes_min;
	assert_int_not_equal(p->ports[0], 0);
	memcpy(l->result->asked, p->connections, sizeof(p->connections));
	l->result->connects = has_pace(p, LOAD_BRIEF, p->brief_rate);
	l->result->requests =
		l->result->connects || has_pace(p, LOAD_KEPT, p->kept_rate);
	fflush(NULL);
	l->pid = fork();
	assert_int_not_equal(l->pid, -1);
	if (l->pid == 0)
		run_main(l);
	l->next = loads;
	loads = l;
	close(l->stop_fds[0]);
	close(l->progress_fds[1]);
	/* Only the child listens; when it is gone nobody does. */
	for (i = 0; i < l->nechoes; i++)
		close(l->echoes[i].wire.fd);
	load_wait(l, procs_now() + LOAD_MS, "the load to start");
}

void
load_settle(struct load *l)
{
	const struct load_plan *p = &l->plan;
	int64_t end_ms = procs_now() + LOAD_MS;
	/* The turn that runs may have begun to look before. */
	uint64_t turns = l->result->turns + 2;

	while (l->result->turns < turns ||
		l->result->standing[0] < p->connections[LOAD_KEPT] ||
		l->result->standing[1] < p->connections[LOAD_IDLE])
		load_wait(l, end_ms, "all connections to be answered");
}

void
load_await(struct load *l, uint64_t n)
{
	int64_t end_ms = procs_now() + LOAD_MS;
	uint64_t goal = load_ok(l->result) + n;

	while (load_ok(l->result) < goal)
		load_wait(l, end_ms, "more requests to be answered");
}

const struct load_result *
load_look(const struct load *l)
{
	return l->result;
}

void
load_stop(struct load *l, struct load_result *r)
{
	close(l->stop_fds[1]);
	l->stop_fds[1] = -1;
	load_leave(l, (int)l->plan.late_ms + LOAD_MS, r);
}

void
load_end(struct load *l, struct load_result *r)
{
	const struct load_plan *p = &l->plan;

	load_leave(l, (int)(p->seconds * 1000 + p->late_ms) + LOAD_MS, r);
}

bool
load_is(pid_t pid)
{
	const struct load *l;

	for (l = loads; l != NULL; l = l->next)
		if (l->pid == pid)
			return true;
	return false;
}

uint64_t
load_failed(const struct load_result *r, enum load_kind kind)
{
	unsigned sort, k;
	uint64_t n = 0;

	for (sort = 0; sort < LOAD_SORTS_N; sort++)
		for (k = 0; k < LOAD_KINDS_N; k++)
			if (k == kind || kind == LOAD_KINDS_N)
				n += r->failed[sort][k];
	return n;
}

uint64_t
load_ok(const struct load_result *r)
{
	return r->ok[LOAD_BRIEF] + r->ok[LOAD_KEPT] + r->ok[LOAD_IDLE];
}

unsigned
load_time(uint64_t us)
{
	unsigned log = 0;
	uint64_t top = us | 8;

	while (top >> log > 15)
		log++;
	return us < 8 ? (unsigned)us
		      : (log + 1) * 8 + (unsigned)(us >> log & 7);
}

/* The end of a class. */
static uint64_t
time_us(unsigned class)
{
	return class < 8 ? class : (uint64_t)(class % 8 + 9) << (class / 8 - 1);
}

uint64_t
load_took_us(const struct load_result *r, const struct load_result *before,
	unsigned per_mille)
{
	static const struct load_result none;
	const struct load_result *from = before != NULL ? before : &none;
	uint64_t all = 0, n = 0;
	unsigned i;

	for (i = 0; i < LOAD_TIMES; i++)
		all += r->times[i] - from->times[i];
	for (i = 0; i < LOAD_TIMES && all > 0; i++) {
		n += r->times[i] - from->times[i];
		if (n * 1000 >= all * per_mille)
			return time_us(i);
	}
	return 0;
}

void
load_say(const struct load_result *r, const char *label)
{
	unsigned sort, kind;

	print_message("# %s: %llu ms, %llu connected, longest gap %llu ms; "
		      "%llu answered, longest gap %llu ms, 99 %% in %llu us, "
		      "slowest %llu ms; "
		      "%u of %u idle unbroken; the load's CPU %llu ms\n",
		label, (unsigned long long)r->took_ms,
		(unsigned long long)r->connected,
		(unsigned long long)r->connect_gap_us / 1000,
		(unsigned long long)load_ok(r),
		(unsigned long long)r->request_gap_us / 1000,
		(unsigned long long)load_took_us(r, NULL, 990),
		(unsigned long long)r->slowest_us / 1000, r->unbroken,
		r->asked[LOAD_IDLE], (unsigned long long)r->cpu_ms);
	for (sort = 0; sort < LOAD_SORTS_N; sort++) {
		if (r->asked[sort] == 0)
			continue;
		print_message("#   %s: %llu ok", load_sort_words[sort],
			(unsigned long long)r->ok[sort]);
		for (kind = 0; kind < LOAD_KINDS_N; kind++)
			print_message(", %llu %s",
				(unsigned long long)r->failed[sort][kind],
				load_kind_words[kind]);
		print_message("\n");
	}
}

char *
load_complaint(const struct load_result *r)
{
	char *text = NULL;
	size_t size = 0;
	unsigned sort;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	if (load_failed(r, LOAD_KINDS_N) > 0)
		load_list(r, to);
	for (sort = 0; sort < LOAD_SORTS_N; sort++)
		if (r->asked[sort] > 0 && r->ok[sort] == 0)
			fprintf(to, "no %s connection was ever answered\n",
				load_sort_words[sort]);
	if (r->unbroken < r->asked[LOAD_IDLE])
		fprintf(to, "%u of %u idle connections are unbroken\n",
			r->unbroken, r->asked[LOAD_IDLE]);
	if (r->connects && r->connect_gap_us >= LOAD_GAP_MS * 1000)
		fprintf(to, "nobody was connected for %llu ms\n",
			(unsigned long long)r->connect_gap_us / 1000);
	if (r->requests && r->request_gap_us >= LOAD_GAP_MS * 1000)
		fprintf(to, "nobody was answered for %llu ms\n",
			(unsigned long long)r->request_gap_us / 1000);
	fclose(to);
	if (size > 0)
		return text;
	free(text);
	return NULL;
}

void
load_check(const struct load_result *r)
{
	char *complaint = load_complaint(r);

	if (complaint == NULL)
		return;
	load_say(r, "load");
	print_error("%s", complaint);
	free(complaint);
	fail();
}

/* A rate of 0 is as fast as it goes. */
static bool
has_pace(const struct load_plan *p, enum load_sort sort, unsigned rate)
{
	return p->connections[sort] > 0 && (rate == 0 || rate >= LOAD_PACE);
}

/* Waits for its end, and frees it. */
static void
load_leave(struct load *l, int ms, struct load_result *r)
{
	struct load **at = &loads;
	int status = -1;
	bool ended;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	ended = procs_reap(l->pid, &status, ms);
	*r = *l->result;
	if (!ended) {
		kill(l->pid, SIGKILL);
		waitpid(l->pid, &status, 0);
		fail_msg("the load did not end");
	}
	assert_int_equal(status, 0);
	close(l->progress_fds[0]);
	if (l->stop_fds[1] != -1)
		close(l->stop_fds[1]);
	munmap(l->result, sizeof(*l->result));
	free(l);
}

/* Waits for the next sign of life. */
static void
load_wait(struct load *l, int64_t end_ms, const char *what)
{
	struct pollfd pfd = { .fd = l->progress_fds[0], .events = POLLIN };
	int64_t left_ms = end_ms - procs_now();
	char signs[64];

	if (left_ms > 0 && poll(&pfd, 1, (int)left_ms) == 1 &&
		read(pfd.fd, signs, sizeof(signs)) > 0)
		return;
	load_say(l->result, "load");
	load_list(l->result, stderr);
	fail_msg("waited in vain for %s", what);
}

static void
load_list(const struct load_result *r, FILE *to)
{
	const struct load_failure *f;

	fprintf(to, "%llu failures, the first of which are:\n",
		(unsigned long long)load_failed(r, LOAD_KINDS_N));
	for (f = r->failures; f < r->failures + r->nfailures; f++)
		fprintf(to, "%u ms: %s connection %u %s: %s%s%s\n", f->at_ms,
			load_sort_words[f->sort], f->id,
			load_kind_words[f->kind], f->text,
			f->err != 0 ? ": " : "",
			f->err != 0 ? strerror(f->err) : "");
}
