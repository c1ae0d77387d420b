#!/bin/sh
# test_postgresql.sh - pgbench, psql and pg_dump to PostgreSQL.
# Claims call functions by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

# Debian keeps the newest one last, and most of it out of the PATH.
for bin in /usr/lib/postgresql/*/bin; do
	[ ! -x "$bin/initdb" ] || PATH=$bin:$PATH
done
needs <<'END'
initdb postgresql
postgres postgresql
pgbench postgresql-contrib
psql postgresql-client
pg_dump postgresql-client
setpriv util-linux
ps procps
END

# Of these, what a user has set must not count.
unset PGHOSTADDR PGSERVICE PGPASSWORD PGSSLMODE PGSSLNEGOTIATION PGREQUIRESSL
PGUSER=$someone
PGDATABASE=postgres
PGOPTIONS='-c timezone=UTC'
PGCONNECT_TIMEOUT=20
PSQLRC=/dev/null
export PGUSER PGDATABASE PGOPTIONS PGCONNECT_TIMEOUT PSQLRC

TABLES='pgbench_accounts pgbench_branches pgbench_tellers pgbench_history'

cluster_init()
{
	as_server initdb -D cluster -A trust -E UTF8 --locale=C --no-sync &&
		echo 'host all all 127.0.0.2/32 trust' >>cluster/pg_hba.conf
}

postgresql_start()
{
	start_server postgresql.log postgres -D cluster -p "$port" \
		-c listen_addresses=127.0.0.1 \
		-c unix_socket_directories="$scratch/back" \
		-c fsync=off -c log_connections=on \
		-c log_line_prefix='%h %d ' -c max_connections=50
	postgresql_id=$start_id
}

# pg_isready waits, where connecting alone says little.
postgresql_ready()
{
	start_on_port postgresql_start &&
		timeout 60 sh -c "until pg_isready -h 127.0.0.1 -p $port -t 5
			do :; done"
}

# Program $2 of PostgreSQL with more arguments, over way $1.
over()
{
	case $1 in
	direct) PGHOST=127.0.0.1 PGPORT=$port ;;
	tcp) PGHOST=127.0.0.1 PGPORT=$(weir_port tcp) ;;
	unix) PGHOST=$scratch/front PGPORT=1 ;;
	esac
	export PGHOST PGPORT
	shift
	timeout 60 "$@"
}

# Runs SQL over way $1; fails at its first error.
sql()
{
	sql_way=$1
	shift
	over "$sql_way" psql -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# A line of numbers for each table, made by the server itself.
sums()
{
	for table in $TABLES; do
		sql "$1" -c "SELECT '$table', count(*),
			sum(hashtextextended(t::text, 0)) FROM $table t"
	done
}

# Did it leave with status 0, without a word of error?
pgbench_fine()
{
	has_no pgbench.out '[Ee]rror\|FATAL' && equal "$1" 0
}

# The tables of pgbench, made over way $1.
tables_make()
{
	over "$1" pgbench -i -s 3 -q >pgbench.out 2>&1
	pgbench_fine $? &&
		has pgbench.out '^done in'
}

tables_like_direct()
{
	tables_make "$1" && sums direct >sums.now &&
		same sums.direct sums.now && sums "$1" >sums.now &&
		same sums.direct sums.now
}

# 4000 transactions of 8 clients over way $1, with more options.
bench()
{
	bench_way=$1
	shift
	over "$bench_way" pgbench -n -c 8 -j 2 -t 500 "$@" >pgbench.out 2>&1
	pgbench_fine $? &&
		has pgbench.out 'actually processed: 4000/4000' &&
		has pgbench.out 'failed transactions: 0 '
}

# Each transaction of pgbench leaves the same sum in four places.
sums_agree()
{
	sql direct >agree -c 'SELECT
		(SELECT sum(abalance) FROM pgbench_accounts) =
		(SELECT sum(bbalance) FROM pgbench_branches) AND
		(SELECT sum(tbalance) FROM pgbench_tellers) =
		(SELECT sum(delta) FROM pgbench_history) AND
		(SELECT sum(abalance) FROM pgbench_accounts) =
		(SELECT sum(delta) FROM pgbench_history),
		(SELECT count(*) FROM pgbench_history)' &&
		equal "$(cat agree)" "t|$1"
}

# COPY of the big table out, over way $1.
copy_out()
{
	sql "$1" -c 'COPY (SELECT * FROM pgbench_accounts ORDER BY aid)
		TO STDOUT' >"copy.$1"
}

copy_out_like_direct()
{
	copy_out direct && copy_out "$1" && same copy.direct "copy.$1"
}

# And in again, into another table.
copy_in()
{
	sql direct -c 'DROP TABLE IF EXISTS copied; CREATE TABLE copied
		(LIKE pgbench_accounts)' &&
		sql "$1" -c '\copy copied FROM copy.direct' &&
		sql direct -c 'COPY (SELECT * FROM copied ORDER BY aid)
			TO STDOUT' >copied && same copy.direct copied
}

# The dump of everything, without what is random in it.
dump()
{
	over "$1" pg_dump >dump.out &&
		sed '/^\\\(un\)*restrict /d' dump.out >"dump.$1"
}

dump_like_direct()
{
	dump direct && dump "$1" && same dump.direct "dump.$1"
}

# Someone else ends the connection: the client hears the server's last words.
last_words()
{
	sql "$1" -c 'SELECT pg_terminate_backend(pg_backend_pid())' \
		>"words.$1" 2>&1
	equal $? 2 && has "words.$1" '^FATAL:  terminating connection'
}

last_words_like_direct()
{
	last_words direct && last_words "$1" && same words.direct "words.$1"
}

# How many clients came from host $1: weir from 127.0.0.2, or by unix.
authorized()
{
	grep -c "^$1 .*connection authorized" logs/postgresql.log
}

mkdir cluster back
chown "$someone" cluster back
chmod 700 cluster
# The client wants a name like this one.
ln -s unix front/.s.PGSQL.1

must 'initdb makes a cluster' cluster_init
must 'PostgreSQL starts' postgresql_ready
must 'weir starts' weir_start "tcp=127.0.0.1:$port" \
	"unix=unix:back/.s.PGSQL.$port"
must 'direct: pgbench makes its tables' tables_make direct
sums direct >sums.direct
must 'the server has sums of them' has sums.direct '^pgbench_accounts|300000|'
for way in tcp unix; do
	claim "$way: pgbench makes the same tables" tables_like_direct "$way"
	claim "$way: pgbench, 8 clients, 4000 transactions" bench "$way"
	claim "$way: the sums agree" sums_agree 4000
	claim "$way: the same, prepared" bench "$way" -M prepared
	claim "$way: the sums agree" sums_agree 8000
	claim "$way: COPY out gives the same bytes" copy_out_like_direct "$way"
	claim "$way: COPY in, too" copy_in "$way"
	claim "$way: pg_dump gives the same bytes" dump_like_direct "$way"
	claim "$way: last words come through" last_words_like_direct "$way"
done
claim 'tcp: a connection for each of 400 transactions' \
	over tcp pgbench -n -S -C -c 8 -j 2 -t 50
claim 'unix: a connection for each of 400 transactions' \
	over unix pgbench -n -S -C -c 8 -j 2 -t 50
rm front/.s.PGSQL.1
weir_stop
claim 'PostgreSQL ends with status 0' stop "$postgresql_id" INT
claim 'unix: one access line for each connection' as_many \
	"$(weir_channels unix)" "$(authorized '\[local\]')"
claim 'tcp: one access line for each connection' as_many \
	"$(weir_channels tcp)" "$(authorized '127\.0\.0\.2')"
claim 'every channel is done' \
	equal "$(grep ' reason=' logs/weir.log | grep -v reason=done)" ''
finish
