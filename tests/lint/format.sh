#!/bin/sh
# format.sh - all C is as clang-format leaves it.  Version 14 alone: others
# disagree with it, and with each other.
. "$(dirname "$0")/lib.sh"

formatter=
for name in clang-format-14 clang-format; do
	if "$name" --version 2>/dev/null | grep -q 'version 14\.'; then
		formatter=$name
		break
	fi
done
if [ -z "$formatter" ]; then
	none 'clang-format' 'version 14 is missing: install clang-format-14'
	finish
fi

format_wrong()
{
	sources "$1" src modules tests bench | (
		cd "$1" && xargs -r "$formatter" --dry-run -Werror \
			--style="file:$srcdir/.clang-format" 2>&1
	) | grep 'error:'
}

mkdir "$scratch/src"
echo 'int f(void) { return 1; }' >"$scratch/src/a.c"
some 'a line in another format is found' "$(format_wrong "$scratch")"
none "all sources are as $formatter leaves them" "$(format_wrong "$srcdir")"
finish
