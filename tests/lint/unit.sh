#!/bin/sh
# unit.sh - the unit of systemd runs weir as this weir wants to be run.
. "$(dirname "$0")/lib.sh"

# The values of setting $2 of unit $1.
setting()
{
	sed -n "s/^$2=//p" "$1"
}

# Writes what the configuration has that command line $1 of a unit leads to,
# with our weir and etc/weir.conf in the place of what is installed; and what
# weir has against it.
effect()
{
	# shellcheck disable=SC2086 # words as systemd finds them
	set -- $1
	case ${1-} in
	*/weir) shift ;;
	*) printf '%s is not weir\n' "${1-}" ;;
	esac
	for word; do
		shift
		case $word in
		-d) printf 'it goes to the background\n' ;;
		*/weir.conf) word=$srcdir/etc/weir.conf ;;
		esac
		set -- "$@" "$word"
	done
	"$WEIR" -q "$@" -t 2>&1 || printf 'exit %d\n' "$?"
	"$WEIR" "$@" -T 2>&1
}

# What stdin, written by effect(), says that the command line sets $1 to.
set_to()
{
	awk -v option="$1" '$1 == option && $NF == "-o" { print $2 }'
}

# Writes what is wrong with unit $1.
unit_findings()
{
	effect "$(setting "$1" ExecStart)" >"$scratch/effect"
	grep -e 'exit [0-9]' -e 'is not weir' -e 'background' -e '^weir: ' \
		"$scratch/effect"
	[ "$(set_to process.daemon <"$scratch/effect")" = false ] ||
		printf 'weir may not stay in the foreground\n'
	pidfile=$(set_to process.pidfile <"$scratch/effect")
	case $pidfile in
	"/run/$(setting "$1" RuntimeDirectory)"/*) ;;
	*) printf 'the pidfile "%s" has no directory\n' "$pidfile" ;;
	esac
	for file in $(setting "$1" PIDFile); do
		[ "$file" = "$pidfile" ] ||
			printf 'PIDFile=%s is not %s\n' "$file" "$pidfile"
	done
	case $(setting "$1" Type) in
	notify-reload)
		[ -z "$(setting "$1" ExecReload)" ] ||
			printf 'there are two ways to reload\n'
		;;
	notify)
		reload=$(setting "$1" ExecReload)
		case $reload in
		*' -s reload '*) ;;
		*) printf 'nothing reloads\n' ;;
		esac
		[ "$(effect "$(printf '%s\n' "$reload" |
			sed 's/ -s reload//')" |
			set_to process.pidfile)" = "$pidfile" ] ||
			printf '"%s" asks another one\n' "$reload"
		;;
	*) printf 'systemd is not told when weir is ready\n' ;;
	esac
}

# The unit with line $1 in the place of the one that sets the same, and what is
# wrong with it then.
unit_with()
{
	{
		grep -v "^${1%%=*}=" "$builddir/etc/weir.service"
		printf '%s\n' "$1"
	} >"$scratch/bad.service"
	unit_findings "$scratch/bad.service"
}

run='/usr/sbin/weir -c /etc/weir.conf'
pid='process.pidfile=/run/weir/weir.pid'
none 'weir.service runs weir as it wants to be run' \
	"$(unit_findings "$builddir/etc/weir.service")"
none 'every setting of it is set by its source' "$(
	grep -n '@' "$builddir/etc/weir.service" | grep -v '@system-service')"
some 'an option that weir does not know is found' \
	"$(unit_with "ExecStart=$run -o process.daemon=false -o $pid -x")"
some 'a setting that weir does not know is found' "$(
	unit_with "ExecStart=$run -o process.daemon=false -o $pid -o log.x=1")"
some 'another program is found' "$(
	unit_with "ExecStart=/bin/sh -o process.daemon=false -o $pid")"
some 'a weir in the background is found' \
	"$(unit_with "ExecStart=$run -d -o process.daemon=false -o $pid")"
some 'a weir that may go there is found' \
	"$(unit_with "ExecStart=$run -o process.daemon=true -o $pid")"
some 'a pidfile that nobody makes room for is found' \
	"$(unit_with 'RuntimeDirectory=wier')"
some 'another PIDFile= is found' "$(unit_with 'PIDFile=/run/weir.pid')"
some 'a type that waits for nothing is found' "$(unit_with 'Type=simple')"
printf '[Service]\nType=notify\nRuntimeDirectory=weir\nExecStart=%s\n' \
	"$run -o process.daemon=false -o $pid" >"$scratch/plain.service"
some 'a unit that cannot reload is found' \
	"$(unit_findings "$scratch/plain.service")"
printf 'ExecReload=%s\n' "$run -s reload" >>"$scratch/plain.service"
some 'a reload of another weir is found' \
	"$(unit_findings "$scratch/plain.service")"
sed -i "s|-s reload|-s reload -o $pid|" "$scratch/plain.service"
none 'and one of this weir is fine' \
	"$(unit_findings "$scratch/plain.service")"
sed -i 's/^Type=.*/Type=notify-reload/' "$scratch/plain.service"
some 'two ways to reload are found' \
	"$(unit_findings "$scratch/plain.service")"
finish
