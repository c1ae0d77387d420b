# lib.sh - servers in a directory of their own, a weir before them, and TAP;
# sourced.  $builddir and $WEIR come from make check.
# shellcheck shell=sh

set -u
umask 022
LC_ALL=C
export LC_ALL
# To weir these would be options that it does not know.
unset WEIR_PLAIN WEIR_TRIAL
unset http_proxy https_proxy all_proxy ALL_PROXY NO_PROXY no_proxy
: "${builddir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${WEIR:=$builddir/weir}"
PATH=$PATH:/usr/sbin:/sbin
AID=$builddir/tests/aid
WAIT_MS=30000 # the longest that a start or an end may take

claims=0
failed=0
running='' # processes that are ours to end

scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-real-XXXXXX") || exit 1
trap 'leave' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Whoever the servers are: some refuse to be root, and sshd to let in
# the user nobody.
if [ "$(id -u)" -eq 0 ]; then
	someone=daemon
	set_user="--reuid $someone --regid $(id -g $someone) --clear-groups"
else
	someone=$(id -un)
	set_user=
fi
HOME=$scratch
export HOME
cd "$scratch" || exit 1
mkdir logs front
chown "$someone" . logs

# --- results -----------------------------------------------------------------

# Result $1 is good when the rest is a command that succeeds; what the command
# says is shown when it does not.
claim()
{
	claims=$((claims + 1))
	claim_text=$1
	shift
	if "$@" >claim.out 2>&1; then
		printf 'ok %d - %s\n' "$claims" "$claim_text"
		return
	fi
	printf 'not ok %d - %s\n' "$claims" "$claim_text"
	shown 20 claim.out
	failed=1
	return 1
}

# The last $1 lines of files, for whoever reads the results.
shown()
{
	tail -n "$@" 2>/dev/null | cut -c 1-300 | sed 's/^/# /'
}

# A claim that the rest of the script stands on.
must()
{
	claim "$@" || finish
}

finish()
{
	if [ "$failed" -ne 0 ]; then
		shown 15 logs/*
	fi
	printf '1..%d\n' "$claims"
	exit "$failed"
}

equal()
{
	[ "$1" = "$2" ] || say_not '"%.2000s" is not "%.2000s"' "$1" "$2"
}

# The same for counts of what must have happened.
as_many()
{
	equal "$1" "$2" && [ "$1" -gt 0 ]
}

# Are the files the same, byte for byte, and not empty?
same()
{
	[ -s "$1" ] || say_not '%s is empty' "$1" || return 1
	cmp "$1" "$2"
}

# Does file $1 have a line like $2?
has()
{
	grep -q -e "$2" "$1" || { tail -n 20 "$1" && false; }
}

# Does it have none?
has_no()
{
	! grep -e "$2" "$1"
}

say_not()
{
	# The first argument is a format.
	# shellcheck disable=SC2059
	printf "$@" && echo && false
}

# --- what must be installed ----------------------------------------------------

# Reads lines "TOOL PACKAGE"; fails when a tool is missing.
needs()
{
	while read -r tool package; do
		command -v "$tool" >/dev/null ||
			printf '%s is missing: install %s\n' "$tool" "$package"
	done >missing
	[ ! -s missing ] && return
	while read -r line; do
		claim "$line" false
	done <missing
	finish
}

# --- processes -----------------------------------------------------------------

# Starts a command in the background, its output in logs/$1; it ends when we do.
# Its pid is in $start_id.
start()
{
	log=logs/$1
	shift
	setpriv --pdeathsig TERM "$@" >>"$log" 2>&1 </dev/null &
	start_id=$!
	running="$running $start_id"
}

# The same as the user of servers.
start_server()
{
	server_log=$1
	shift
	# One option a word.
	# shellcheck disable=SC2086
	start "$server_log" $set_user "$@"
}

# Runs a command as the user of servers.
as_server()
{
	# One option a word.
	# shellcheck disable=SC2086
	setpriv --pdeathsig TERM $set_user "$@"
}

# Sends signal $2 to process $1 of ours and waits until it has ended; its status.
stop()
{
	kill -s "$2" "$1"
	"$AID" end "$1" "$WAIT_MS" || return 255
	kept=''
	for pid in $running; do
		[ "$pid" = "$1" ] || kept="$kept $pid"
	done
	running=$kept
	wait "$1" || say_not 'it ended with status %d' $?
}

# Starts a server on a TCP port: function $1 starts it in the background at
# $port, which was free a moment ago; for the case that it is not any more
# there is a second and a third one.
start_on_port()
{
	for try in 1 2 3; do
		port=$("$AID" port) || return 1
		"$1" || return 1
		"$AID" open "$start_id" "127.0.0.1:$port" "$WAIT_MS" && return
		grep -i 'address already in use' logs/* || return 1
	done
	say_not 'no port after %d attempts' "$try"
}

# --- weir ----------------------------------------------------------------------

# Starts a weir that forwards; of each argument NAME=ADDRESS it makes a server
# that listens on a port, see weir_port, and on the unix socket front/NAME.  A
# backend on TCP sees it come from 127.0.0.2, everybody else from 127.0.0.1.  An
# ADDRESS that is "echo" is no backend: weir itself answers.  $weir_more are more
# settings.
weir_start()
{
	{
		echo 'process = { workers = 2;'
		[ -z "$set_user" ] || echo "user = \"$someone\";"
		echo '};'
		printf '%s\n' "${weir_more:-}"
		echo 'servers = ('
		comma=''
		for word; do
			weir_server "${word%%=*}" "${word#*=}"
			comma=,
		done
		echo ');'
	} >weir.conf
	[ -p weir.fifo ] || mkfifo weir.fifo
	# Lasts until weir is ready or gone.
	timeout $((WAIT_MS / 1000)) cat weir.fifo >weir.ready &
	reader=$!
	start weir.log "$WEIR" -c weir.conf --ready-fd 3 3>weir.fifo
	weir_id=$start_id
	wait "$reader"
	has weir.ready '^ready '
}

weir_server()
{
	case $2 in
	echo) last='type = "echo";' ;;
	unix:*) last="type = \"forward\"; to = \"$2\";" ;;
	*) last="type = \"forward\"; to = \"$2\"; source = \"127.0.0.2:0\";" ;;
	esac
	cat <<END
  $comma { name = "$1"; listen = ( "127.0.0.1:0", "unix:front/$1" );
    middlewares = ( { type = "log"; }, { $last } ); }
END
}

# Port of weir's server $1.
weir_port()
{
	sed -n "s/^listen .*server=$1 address=127\.0\.0\.1:\(.*\)/\1/p" \
		weir.ready
}

# How many channels of server $1 ended, those whose line has text like $2.
weir_channels()
{
	grep "server=$1 .* reason=" logs/weir.log | grep -c -e "${2:-}"
}

# Ends weir, and looks at what must be true of every one that ends.
weir_stop()
{
	workers=$(ps -o pid= --ppid "$weir_id")
	claim 'weir ends with status 0 on QUIT' stop "$weir_id" QUIT
	claim 'its workers are gone' gone "$workers"
	claim 'it leaves no socket' equal "$(ls front)" ''
	claim 'its log has no alert' has_no logs/weir.log '\[alert\]'
	claim 'nor words of a sanitizer' has_no logs/weir.log \
		'Sanitizer\|runtime error'
}

# Were there processes, and is none left?
gone()
{
	[ -n "$1" ] || say_not 'there were none' || return 1
	for worker in $1; do
		"$AID" end "$worker" 1000 || return 1
	done
}

# --- the end --------------------------------------------------------------------

leave()
{
	trap '' HUP INT TERM
	trap - EXIT
	for pid in $running; do
		kill -s TERM "$pid" 2>/dev/null
	done
	for pid in $running; do
		"$AID" end "$pid" 10000 || kill -s KILL "$pid"
		wait "$pid"
	done 2>/dev/null
	cd / && rm -rf "$scratch"
}
