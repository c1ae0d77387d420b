#!/bin/sh
# completion.sh - bash completes weirctl as weirctl says.
. "$(dirname "$0")/lib.sh"

if ! command -v bash >/dev/null; then
	none 'bash' 'it is missing: install bash'
	finish
fi
mkdir "$scratch/bin"
ln -s "$WEIRCTL" "$scratch/bin/weirctl"
# Nobody answers there.
WEIR_API=$scratch/api
PATH=$scratch/bin:$PATH
export WEIR_API PATH

# What bash makes of these words, the last of which is unfinished.
completed()
{
	bash --norc -u -c '
		. "$1"
		shift
		COMP_WORDS=(weirctl "$@")
		COMP_CWORD=$#
		_weirctl weirctl
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$srcdir/etc/weirctl.bash" "$@" 2>&1
}

# Fails unless stdin is the words $1.
same()
{
	found=$(cat)
	[ "$found" = "$1" ] || printf '"%s" instead of "%s"\n' "$found" "$1"
}

"$WEIRCTL" -h | sed -n 's/^  \([a-z]*\) .*/\1/p' >"$scratch/commands"
none 'all commands are offered' \
	"$(completed '' | same "$(cat "$scratch/commands")")"
none 'a command is completed' "$(completed lis | same listeners)"
none 'an option is completed' \
	"$(completed channels --min-i | same --min-idle)"
none 'where nobody answers, no name is' "$(completed pause '' | same '')"
some 'another word is found' "$(completed lis | same lists)"
finish
