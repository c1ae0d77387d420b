/* caller.c - one who calls the master over its control socket. */
#include <sys/socket.h>

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "master/caller.h"

#define CALLER_WORD 31	  /* bytes of a word, at most */
#define CALLER_OUT  65536 /* bytes that wait to be sent, at most */
/* Always left for what is lost and for the end. */
#define CALLER_LAST (2 * CALLER_LINE)

const struct caller_row caller_rows[] = {
#define X(id, word, limit_ms, help) { word, limit_ms, help },
	CALLER_WORDS(X)
#undef X
		{ NULL, 0, NULL }
};

const char *const caller_kind_words[] = {
#define X(id, word) word,
	CALLER_KINDS(X)
#undef X
		NULL
};

static void caller_unknown(struct caller *c, const char *word, size_t n);
static void caller_add(struct caller *c, size_t room, enum caller_kind kind,
	const char *text, size_t n);
static size_t caller_line(char line[static CALLER_LINE], enum caller_kind kind,
	const char *text, size_t n);
static size_t caller_packet(const struct caller *c);

const struct caller_row *
caller_find(const char *word, size_t n)
{
	const struct caller_row *row;

	for (row = caller_rows; row->word != NULL; row++)
		if (strlen(row->word) == n && memcmp(row->word, word, n) == 0)
			return row;
	return NULL;
}

const char *
caller_words(char *text, size_t size)
{
	const struct caller_row *row;

	*text = '\0';
	for (row = caller_rows; row->word != NULL; row++) {
		if (row != caller_rows)
			strlcat(text, ", ", size);
		strlcat(text, row->word, size);
	}
	return text;
}

int
caller_open(struct caller *c, int fd, const uint64_t *now_ms)
{
	*c = (struct caller){ .fd = fd,
		.state = CALLER_NEW,
		.now_ms = now_ms,
		.due_ms = *now_ms + CALLER_MS,
		.out = malloc(CALLER_OUT) };
	if (c->out != NULL)
		return 0;
	caller_drop(c);
	errno = ENOMEM;
	return -1;
}

bool
caller_hear(struct caller *c)
{
	char text[CALLER_WORD + 1];
	const struct caller_row *row;
	ssize_t got = recv(c->fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
	size_t n;

	if (got == -1) {
		if (errno != EAGAIN && errno != EINTR)
			caller_drop(c);
		return false;
	}
	n = (size_t)got;
	/* As it comes from echo(1). */
	if (n > 0 && n <= sizeof(text) && text[n - 1] == '\n')
		n--;
	row = n < sizeof(text) ? caller_find(text, n) : NULL;
	if (row == NULL) {
		caller_unknown(c, text, n);
		return false;
	}
	c->word = (enum caller_word)(row - caller_rows);
	c->state = CALLER_WAITS;
	c->due_ms = UINT64_MAX;
	return true;
}

void
caller_text(struct caller *c, enum caller_kind kind, const char *text)
{
	size_t n;

	for (; c->state == CALLER_WAITS && *text != '\0'; text += n) {
		n = strcspn(text, "\n");
		caller_add(c, CALLER_OUT - CALLER_LAST, kind, text, n);
		n += text[n] == '\n';
	}
	caller_flush(c);
}

void
caller_say(struct caller *c, enum caller_kind kind, const char *fmt, ...)
{
	char text[CALLER_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	caller_text(c, kind, text);
}

void
caller_end(struct caller *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	caller_vend(c, code, fmt, ap);
	va_end(ap);
}

void
caller_vend(struct caller *c, int code, const char *fmt, va_list ap)
{
	char text[CALLER_LINE];
	int n;

	if (c->state != CALLER_NEW && c->state != CALLER_WAITS)
		return;
	if (c->lost > 0) {
		n = snprintf(text, sizeof(text),
			"(%u more lines could not be shown)", c->lost);
		caller_add(c, CALLER_OUT, CALLER_SAYS_ERROR, text, (size_t)n);
	}
	n = snprintf(text, sizeof(text), "%d ", code);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	caller_add(c, CALLER_OUT, CALLER_SAYS_END, text, strlen(text));
	c->state = CALLER_LEAVES;
	c->due_ms = *c->now_ms + CALLER_MS;
	caller_flush(c);
}

void
caller_flush(struct caller *c)
{
	size_t n;
	ssize_t sent = 0;

	if (c->state == CALLER_FREE)
		return;
	while (c->len > 0) {
		n = caller_packet(c);
		sent = send(c->fd, c->out, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			break;
		/* A packet goes as a whole or not at all. */
		c->len -= n;
		memmove(c->out, c->out + n, c->len);
		c->due_ms = UINT64_MAX;
	}
	if (sent == -1 && errno != EAGAIN)
		caller_drop(c);
	else if (c->len == 0 && c->state == CALLER_LEAVES)
		caller_drop(c);
	else if (c->len > 0 && c->due_ms == UINT64_MAX)
		c->due_ms = *c->now_ms + CALLER_MS;
}

void
caller_drop(struct caller *c)
{
	fd_close(&c->fd);
	free(c->out);
	*c = (struct caller){ .fd = -1 };
}

void
caller_refuse(int fd, const char *fmt, ...)
{
	char text[CALLER_LINE], line[CALLER_LINE];
	va_list ap;
	size_t n;

	strlcpy(text, "1 ", sizeof(text));
	va_start(ap, fmt);
	vsnprintf(text + 2, sizeof(text) - 2, fmt, ap);
	va_end(ap);
	n = caller_line(line, CALLER_SAYS_END, text, strlen(text));
	/* What lies unread when a unix socket is closed becomes an error at the
	 * other end, before it can read the answer.  Nothing can come after
	 * the shutdown, so this ends. */
	shutdown(fd, SHUT_RD);
	while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
	(void)send(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	fd_close(&fd);
}

static void
caller_unknown(struct caller *c, const char *word, size_t n)
{
	char known[256];
	size_t shown = n < CALLER_WORD ? n : CALLER_WORD;

	caller_end(c, 1, "no such word: \"%.*s\"%s; known: %s", (int)shown,
		word, shown < n ? "..." : "",
		caller_words(known, sizeof(known)));
}

static void
caller_add(struct caller *c, size_t room, enum caller_kind kind,
	const char *text, size_t n)
{
	char line[CALLER_LINE];
	size_t len = caller_line(line, kind, text, n);

	if (c->len + len > room) {
		c->lost++;
		return;
	}
	memcpy(c->out + c->len, line, len);
	c->len += len;
}

/* The bytes of that line, its end included.  It may be shown on a terminal: no
 * control characters. */
static size_t
caller_line(char line[static CALLER_LINE], enum caller_kind kind,
	const char *text, size_t n)
{
	static const char cut[] = "...";
	size_t head = (size_t)snprintf(
		line, CALLER_LINE, "%s ", caller_kind_words[kind]);
	size_t room = CALLER_LINE - 1 - head, i;

	for (i = 0; i < n && i < room; i++) {
		unsigned char ch = (unsigned char)text[i];

		line[head + i] = ch < 0x20 || ch == 0x7f ? '?' : text[i];
	}
	if (n > room)
		memcpy(line + head + room - strlen(cut), cut, strlen(cut));
	line[head + i] = '\n';
	return head + i + 1;
}

/* How many of the first bytes are a packet: as many whole lines as fit. */
static size_t
caller_packet(const struct caller *c)
{
	size_t n = c->len;

	if (n <= CALLER_PACKET)
		return n;
	for (n = CALLER_PACKET; c->out[n - 1] != '\n'; n--)
		continue;
	return n;
}
