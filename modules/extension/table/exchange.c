/* exchange.c - what is said to a Redis of rows, and what it answers.
 *
 * KEYS[1] is a prefix P.  Below it, each with a time to live:
 *   P e      a text of its own: another one when all was lost
 *   P s      number of the last change; microseconds, or 1 more than before
 *   P m      hash: of each machine, its life, and when it was here last (ms)
 *   P c      sorted set: keys, by the number of their last change
 *   P k:KEY  hash: of each machine, what it has of the columns: 4 numbers each;
 *            and behind a semicolon when it has said so (ms)
 * A machine writes what it has, all of it, so to do that twice does no harm.
 * The sums it gets back are those of the others; whose clock is so far ahead
 * that there a window or a period has begun which has not for who asks, adds
 * nothing to them.  What is held counts only of machines that were here lately,
 * and only what they said in this life of theirs: a machine that was away, or
 * cannot know what of its words arrived, begins another one, and says all
 * again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "exchange.h"

#define HEAD	    6 /* elements before the rows */
#define AHEAD_MS    1000
#define NUMBER_MOST ((uint64_t)1 << 56) /* about: sums of some are numbers */

const char exchange_script[] =
	"if redis.replicate_commands then redis.replicate_commands() end\n"
	"local call = redis.call\n"
	"local p, me, types = KEYS[1], ARGV[1], ARGV[2]\n"
	"local stale, ttl, most = ARGV[3] + 0, ARGV[4] + 0, ARGV[5] + 0\n"
	"local life, epoch, from = ARGV[6] + 0, ARGV[7], ARGV[8]\n"
	"local latest = {}\n"
	"for n in string.gmatch(ARGV[9], '%d+') do\n"
	"  latest[#latest + 1] = n + 0\n"
	"end\n"
	"local t = call('TIME')\n"
	"local us = t[1] * 1000000 + t[2]\n"
	"local now = math.floor(us / 1000)\n"
	"local function text(n) return string.format('%.0f', n) end\n"
	/* Who is there. */
	"local known, alive, gone = {}, {}, {}\n"
	"local names = { me .. ' ' .. text(life) }\n"
	"local m = call('HGETALL', p .. 'm')\n"
	"for i = 1, #m, 2 do\n"
	"  local l, seen = string.match(m[i + 1], '(%d+) (%d+)')\n"
	"  l, seen = l + 0, seen + 0\n"
	"  if m[i] == me then\n"
	"    if l >= life and seen <= now - stale then\n"
	"      return redis.error_reply('" EXCHANGE_AWAY "')\n"
	"    elseif l > life then\n"
	"      return redis.error_reply('" EXCHANGE_LATE "')\n"
	"    end\n"
	"  elseif seen <= now - ttl then\n"
	"    gone[#gone + 1] = m[i]\n"
	"  else\n"
	"    known[m[i]] = true\n"
	"    if seen > now - stale then\n"
	"      alive[m[i]] = l\n"
	"      names[#names + 1] = m[i] .. ' ' .. text(l)\n"
	"    end\n"
	"  end\n"
	"end\n"
	"table.sort(names)\n"
	"for i = 1, #gone do call('HDEL', p .. 'm', gone[i]) end\n"
	"call('HSET', p .. 'm', me, text(life) .. ' ' .. text(now))\n"
	"call('PEXPIRE', p .. 'm', ttl)\n"
	"local e = call('GET', p .. 'e')\n"
	"if not e then e = text(us) .. me end\n"
	"if e ~= epoch then from = '0' end\n"
	"call('SET', p .. 'e', e, 'PX', ttl)\n"
	"local out = { e, from, '0',\n"
	"  redis.sha1hex(table.concat(names, ' ')), text(#names), text(us) }\n"
	/* What all others have of a key. */
	"local function sum(key)\n"
	"  local E, N, B = {}, {}, {}\n"
	"  for i = 1, #types do E[i], N[i], B[i] = 0, 0, 0 end\n"
	"  local h = call('HGETALL', p .. 'k:' .. key)\n"
	"  for f = 1, #h, 2 do\n"
	"    local told = string.match(h[f + 1], ';(%d+)$') or 0\n"
	"    if h[f] ~= me and\n"
	"        (not known[h[f]] or told + 0 <= now - ttl) then\n"
	"      call('HDEL', p .. 'k:' .. key, h[f])\n"
	"    elseif h[f] ~= me then\n"
	"      local i = 1\n"
	"      for e, n, b, a in string.gmatch(h[f + 1],\n"
	"          '(%d+) (%d+) (%d+) (%d+)') do\n"
	"        local c = string.sub(types, i, i)\n"
	"        e, n, b, a = e + 0, n + 0, b + 0, a + 0\n"
	"        if c == 'c' or (c == 'h' and alive[h[f]] == a) then\n"
	"          N[i] = N[i] + n\n"
	"        elseif (c == 'r' and e <= latest[i]) or\n"
	"            (c == 'p' and e <= latest[i] + b) then\n"
	"          if c == 'p' then b = 0 end\n"
	"          if e > E[i] then\n"
	"            if e ~= E[i] + 1 then N[i] = 0 end\n"
	"            E[i], N[i], B[i] = e, n, N[i] + b\n"
	"          elseif e == E[i] then\n"
	"            N[i], B[i] = N[i] + n, B[i] + b\n"
	"          elseif e + 1 == E[i] then\n"
	"            B[i] = B[i] + n\n"
	"          end\n"
	"        elseif c == 't' then\n"
	"          b = b - math.max(0, now - a) * e / 1000000\n"
	"          E[i], N[i] = math.max(E[i], e), N[i] + n\n"
	"          if b > 0 then B[i] = B[i] + math.floor(b) end\n"
	"        end\n"
	"        i = i + 1\n"
	"      end\n"
	"    end\n"
	"  end\n"
	"  local s = {}\n"
	"  for i = 1, #types do\n"
	"    s[i] = text(E[i]) .. ' ' .. text(N[i]) .. ' ' .. text(B[i]) .. "
	"' 0'\n"
	"  end\n"
	"  out[#out + 1] = key\n"
	"  out[#out + 1] = table.concat(s, ' ')\n"
	"end\n"
	/* What was changed since. */
	"call('ZREMRANGEBYSCORE', p .. 'c', '-inf',\n"
	"  text(us - ttl * 1000))\n"
	"local feed = call('ZRANGEBYSCORE', p .. 'c', '(' .. from,\n"
	"  '+inf', 'WITHSCORES', 'LIMIT', 0, most)\n"
	"for i = 1, #feed, 2 do\n"
	"  sum(feed[i])\n"
	"  out[2] = text(feed[i + 1])\n"
	"end\n"
	"if #feed == 2 * most then out[3] = '1' end\n"
	/* What the caller has. */
	"local s = (call('GET', p .. 's') or 0) + 0\n"
	"for i = 10, #ARGV, 2 do\n"
	"  local key, value = ARGV[i], ARGV[i + 1]\n"
	"  local h = p .. 'k:' .. key\n"
	"  local at = call('ZSCORE', p .. 'c', key)\n"
	"  local was, told = string.match(call('HGET', h, me) or '',\n"
	"    '(.*);(%d+)')\n"
	"  local said = value .. ';' .. text(now)\n"
	"  if not at or at + 0 < us - ttl * 500 or was ~= value then\n"
	"    s = math.max(s + 1, us)\n"
	"    call('HSET', h, me, said)\n"
	"    call('ZADD', p .. 'c', text(s), key)\n"
	"  elseif told + 0 < now - ttl / 4 then\n"
	"    call('HSET', h, me, said)\n"
	"  end\n"
	"  call('PEXPIRE', h, ttl)\n"
	"  sum(key)\n"
	"end\n"
	"call('SET', p .. 's', text(s), 'PX', ttl)\n"
	"call('PEXPIRE', p .. 'c', ttl)\n"
	"if out[3] == '0' and s > out[2] + 0 then out[2] = text(s) end\n"
	"return out\n";

void
exchange_write(char text[static EXCHANGE_TEXT],
	const struct weir_share *columns, unsigned n)
{
	size_t len = 0;
	unsigned i;

	text[0] = '\0';
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, EXCHANGE_TEXT - len,
			"%s%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			i == 0 ? "" : " ", columns[i].epoch, columns[i].n,
			columns[i].before, columns[i].at_ms);
}

/* A little ahead is who has a clock that is right. */
void
exchange_latest(char text[static EXCHANGE_TEXT],
	const struct weir_table_spec *spec, uint64_t clock_ms)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < spec->ncolumns; i++) {
		const struct weir_column *c = &spec->columns[i];

		len += (size_t)snprintf(text + len, EXCHANGE_TEXT - len,
			"%" PRIu64 " ",
			c->type == WEIR_COLUMN_RATE
				? clock_ms / c->window_ms + 1
				: clock_ms + AHEAD_MS);
	}
}

/* A number with a blank or the end behind it; NULL: there is none. */
static const char *
number_read(const char *p, const char *end, uint64_t *n)
{
	const char *begin = p;

	for (*n = 0; p < end && *p >= '0' && *p <= '9'; p++)
		if (*n < NUMBER_MOST)
			*n = *n * 10 + (uint64_t)(*p - '0');
	if (p == begin || (p < end && *p != ' '))
		return NULL;
	return p < end ? p + 1 : p;
}

int
exchange_read(
	const char *text, size_t len, struct weir_share *columns, unsigned n)
{
	const char *p = text, *end = text + len;
	unsigned i;

	for (i = 0; i < n && p != NULL; i++) {
		uint64_t *to[] = { &columns[i].epoch, &columns[i].n,
			&columns[i].before, &columns[i].at_ms };
		unsigned j;

		for (j = 0; j < 4 && p != NULL; j++)
			p = number_read(p, end, to[j]);
	}
	return p == end ? 0 : -1;
}

/* The i-th text of an answer; NULL: it is none. */
static const struct redisReply *
text_at(const struct redisReply *reply, size_t i)
{
	const struct redisReply *r = reply->element[i];

	return r->type == REDIS_REPLY_STRING ? r : NULL;
}

static int
text_copy(const struct redisReply *reply, size_t i, char *to, size_t size)
{
	const struct redisReply *r = text_at(reply, i);

	if (r == NULL || (size_t)r->len >= size)
		return -1;
	memcpy(to, r->str, r->len + 1);
	return 0;
}

int
exchange_head(const struct redisReply *reply, struct exchange_head *head)
{
	char more[2], n[EXCHANGE_NUMBER], as_of[EXCHANGE_NUMBER];

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < HEAD ||
		reply->elements % 2 != 0 ||
		text_copy(reply, 0, head->epoch, sizeof(head->epoch)) == -1 ||
		text_copy(reply, 1, head->cursor, sizeof(head->cursor)) == -1 ||
		text_copy(reply, 2, more, sizeof(more)) == -1 ||
		text_copy(reply, 3, head->machines, sizeof(head->machines)) ==
			-1 ||
		text_copy(reply, 4, n, sizeof(n)) == -1 ||
		text_copy(reply, 5, as_of, sizeof(as_of)) == -1)
		return -1;
	head->more = more[0] == '1';
	head->nmachines = (unsigned)strtoul(n, NULL, 10);
	head->as_of = strtoull(as_of, NULL, 10);
	head->rows = (reply->elements - HEAD) / 2;
	return 0;
}

int
exchange_row(const struct redisReply *reply, size_t i, struct weir_bytes *key,
	struct weir_share *columns, unsigned n)
{
	const struct redisReply *name = text_at(reply, HEAD + 2 * i);
	const struct redisReply *text = text_at(reply, HEAD + 2 * i + 1);

	if (name == NULL || text == NULL)
		return -1;
	*key = (struct weir_bytes){ .p = (const uint8_t *)name->str,
		.len = (size_t)name->len };
	return exchange_read(text->str, (size_t)text->len, columns, n);
}

void
exchange_types(char *types, const struct weir_table_spec *spec)
{
	static const char letters[] = {
		[WEIR_COLUMN_COUNT] = 'c',
		[WEIR_COLUMN_RATE] = 'r',
		[WEIR_COLUMN_HELD] = 'h',
		[WEIR_COLUMN_TOKENS] = 't',
		[WEIR_COLUMN_VALUE] = 'v',
		[WEIR_COLUMN_PERIOD] = 'p',
	};
	unsigned i;

	for (i = 0; i < spec->ncolumns; i++)
		*types++ = letters[spec->columns[i].type];
	*types = '\0';
}

/* FNV-1a (Fowler, Noll, Vo). */
uint32_t
exchange_layout(const struct weir_table_spec *spec)
{
	uint32_t hash = 2166136261u;
	char text[128], *p;
	unsigned i;

	for (i = 0; i < spec->ncolumns; i++) {
		const struct weir_column *c = &spec->columns[i];

		snprintf(text, sizeof(text), "%.64s,%d,%u;", c->name,
			(int)c->type, (unsigned)c->window_ms);
		for (p = text; *p != '\0'; p++)
			hash = (hash ^ (uint8_t)*p) * 16777619u;
	}
	return hash;
}
