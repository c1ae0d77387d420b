#!/bin/sh
# test_redis.sh - redis-cli and redis-benchmark to redis-server: a set of data,
# a big value, many requests in flight.
# Claims call functions by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

needs <<'END'
redis-server redis-server
redis-cli redis-tools
redis-benchmark redis-tools
setpriv util-linux
ps procps
END

redis_start()
{
	start_server redis.log redis-server --bind 127.0.0.1 --port "$port" \
		--unixsocket redis.sock --unixsocketperm 700 --dir "$scratch" \
		--save '' --appendonly no --databases 1 \
		--loglevel verbose --protected-mode no
	redis_id=$start_id
}

# Program $1 of redis with more arguments, over way $2: direct, or server $2 of
# weir (tcp to tcp, unix to unix).
redis()
{
	redis_program=$1
	redis_way=$2
	shift 2
	case $redis_way in
	direct) set -- -p "$port" "$@" ;;
	tcp) set -- -p "$(weir_port tcp)" "$@" ;;
	unix) set -- -s front/unix "$@" ;;
	esac
	timeout 60 "$redis_program" "$@"
}

# Commands that make the set of data, as redis-cli --pipe takes them.
data()
{
	awk 'BEGIN {
		for (i = 0; i < 20000; i++) {
			long = sprintf("%0*d", i % 1500, i)
			print "SET string:" i " value:" i ":" long
			print "RPUSH list:" i % 100 " " i " " i * 7919 % 65537
			print "ZADD set:" i % 50 " " i % 977 " member:" i
			print "INCRBY counter:" i % 10 " " i
		}
	}'
}

# Commands that read all of it.
data_asked()
{
	awk 'BEGIN {
		for (i = 0; i < 20000; i += 2)
			print "MGET string:" i " string:" i + 1
		for (i = 0; i < 100; i++)
			print "LRANGE list:" i " 0 -1"
		for (i = 0; i < 50; i++)
			print "ZRANGE set:" i " 0 -1 WITHSCORES"
		for (i = 0; i < 10; i++)
			print "GET counter:" i
	}'
}

# A digest of every key and value, made by the server itself.
digest()
{
	redis redis-cli direct --raw EVAL '
		local keys = redis.call("KEYS", "*")
		local sum = #keys .. " keys "
		table.sort(keys)
		for _, key in ipairs(keys) do
			local value = redis.call("DUMP", key)
			sum = #keys .. " keys " ..
				redis.sha1hex(sum .. key .. value)
		end
		return sum' 0
}

# Writes the set of data over way $1.
data_write()
{
	redis redis-cli direct FLUSHALL &&
		redis redis-cli "$1" --pipe <data.set >pipe.out &&
		has pipe.out '^errors: 0, replies: 80000$'
}

data_like_direct()
{
	data_write "$1" && equal "$(digest)" "$want_digest"
}

# Reads it over way $1, one request after the other in one connection.
data_read()
{
	redis redis-cli "$1" --raw <data.asked >"data.$1" &&
		has_no "data.$1" '^ERR'
}

answers_like_direct()
{
	data_read direct && data_read "$1" && same data.direct "data.$1"
}

# 64 MB to the server and back.
big_value()
{
	equal "$(redis redis-cli "$1" -x SET big <big.value)" OK &&
		big_is_whole direct && big_is_whole "$1"
}

big_is_whole()
{
	# The client adds the end of a line.
	redis redis-cli "$1" --raw GET big | head -c -1 >big.back
	same big.value big.back
}

# Calls and failures of each command since the last look, as the server counts.
calls()
{
	redis redis-cli direct INFO commandstats | tr -d '\r' |
		sed -n '/config\|info/d; s/,usec.*,rejected/ rejected/p' | sort
	redis redis-cli direct CONFIG RESETSTAT >/dev/null
}

# 200000 requests of each kind, 32 in flight on each of 50 connections.
benchmark()
{
	redis redis-cli direct FLUSHALL && calls >/dev/null
	redis redis-benchmark "$1" -P 32 -n 200000 -c 50 -d 100 -q \
		-t set,get,incr,lpush >benchmark.out 2>&1 || return 1
	tr '\r' '\n' <benchmark.out >benchmark.lines
	has_no benchmark.lines 'rror\|refused\|closed' || return 1
	equal "$(grep -c 'requests per second, p50' benchmark.lines)" 4 &&
		calls >"calls.$1" && counters >>"calls.$1"
}

# What the benchmark left behind.
counters()
{
	redis redis-cli direct MGET counter:__rand_int__ key:__rand_int__
	redis redis-cli direct LLEN mylist
}

benchmark_like_direct()
{
	benchmark "$1" && has "calls.$1" '^cmdstat_set:calls=200000 ' &&
		same calls.direct "calls.$1"
}

# Bytes that come by themselves, and an end that is the server's.
published()
{
	mkfifo "news.$1"
	redis redis-cli "$1" --raw SUBSCRIBE news >"news.$1" 2>&1 &
	subscriber=$!
	{
		# Three lines when the subscription counts, three of the news.
		read -r word && read -r word && read -r word &&
			redis redis-cli direct PUBLISH news 'good news' >heard &&
			read -r word && read -r word && read -r news
		redis redis-cli direct CLIENT KILL TYPE pubsub
		wait "$subscriber"
	} <"news.$1"
	equal "$(cat heard)" 1 && equal "$news" 'good news'
}

# How many connections the server accepted with words like $1.
accepted()
{
	grep -c "Accepted $1" logs/redis.log
}

data >data.set
data_asked >data.asked
head -c 64000000 /dev/urandom >big.value

must 'redis-server starts' start_on_port redis_start
must 'weir starts' weir_start "tcp=127.0.0.1:$port" unix=unix:redis.sock
must 'direct: 80000 commands without an answer in between' data_write direct
want_digest=$(digest)
must 'the server has a digest of them' \
	equal "${want_digest%% *}" "$(redis redis-cli direct DBSIZE)"
for way in tcp unix; do
	claim "$way: the same commands leave the same data" \
		data_like_direct "$way"
	claim "$way: it reads the same" answers_like_direct "$way"
	claim "$way: a value of 64 MB is whole" big_value "$way"
	claim "$way: news come when nothing was asked" published "$way"
done
must 'direct: redis-benchmark, 32 in flight on 50 connections' benchmark direct
for way in tcp unix; do
	claim "$way: redis-benchmark leaves the same counts" \
		benchmark_like_direct "$way"
done
weir_stop
claim 'redis-server ends with status 0' stop "$redis_id" TERM
claim 'unix: one access line for each connection' as_many \
	"$(weir_channels unix)" "$(accepted 'connection to ')"
claim 'tcp: one access line for each connection' as_many \
	"$(weir_channels tcp)" "$(accepted '127\.0\.0\.2:')"
claim 'every channel is done, or its client left' \
	equal "$(grep ' reason=' logs/weir.log | grep -v \
		-e reason=done -e 'reason=reset by=client')" ''
finish
