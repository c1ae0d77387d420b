# lib.sh - TAP for the lint scripts; sourced.  $srcdir, $builddir and $WEIR
# come from make check.
# shellcheck shell=sh

set -u
LC_ALL=C
export LC_ALL
# To weir these would be options that it does not know.
unset WEIR_PLAIN WEIR_TRIAL
: "${srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${builddir:=$srcdir}"
: "${WEIR:=$builddir/weir}" "${WEIRCTL:=$builddir/weirctl}"
lint_count=0
lint_failed=0

# A directory of its own for samples, removed at the end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Result $1 is good when there are no findings $2.
none()
{
	lint_count=$((lint_count + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' "$lint_count" "$1"
		return
	fi
	printf 'not ok %d - %s\n' "$lint_count" "$1"
	printf '%s\n' "$2" | sed 's/^/# /'
	lint_failed=1
}

# The other way round: the lint must find something in a bad sample.
some()
{
	if [ -n "$2" ]; then
		none "$1" ''
	else
		none "$1" 'nothing was found in a sample that is bad'
	fi
}

# All sources below directories of $1 that exist, as paths from $1.
sources()
{
	top=$1
	shift
	for dir; do
		if [ -d "$top/$dir" ]; then
			(cd "$top" && find "$dir" -name '*.[ch]' -print)
		fi
	done | sort
}

finish()
{
	printf '1..%d\n' "$lint_count"
	exit "$lint_failed"
}
