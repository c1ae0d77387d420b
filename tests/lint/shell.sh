#!/bin/sh
# shell.sh - scripts are clean POSIX sh.
. "$(dirname "$0")/lib.sh"

cd "$srcdir" || exit 1
if ! command -v shellcheck >/dev/null; then
	none 'shellcheck' 'it is missing: install shellcheck'
	finish
fi
for script in bootstrap .ci/run $(find tests bench -name '*.sh' 2>/dev/null); do
	none "$script" "$(shellcheck -x -P SCRIPTDIR -s sh -f gcc "$script" 2>&1)"
done
finish
