#!/bin/sh
# listed.sh - every source is built and every test runs: one that no list names
# would be missed by nobody.
. "$(dirname "$0")/lib.sh"

# Writes the sources below $1 that its lists do not name.
unlisted()
{
	cat "$1"/*/local.mk | tr -s '\\[:space:]' '\n' \
		>"$scratch/named"
	{
		sources "$1" src tests bench
		(cd "$1" && find tests bench \( -name '*.sh' -o -name '*.py' \) \
			-print 2>/dev/null)
	} | while read -r file; do
		grep -qxF -e "$file" -e "${file%.c}" "$scratch/named" ||
			printf '%s\n' "$file"
	done
	sed 's/#.*//' "$1/modules/modules.list" | tr -s '[:space:]' '\n' \
		>"$scratch/named"
	sources "$1" modules | while read -r file; do
		name=${file#modules/*/}
		name=${name%%/*}
		grep -qxF -e "${name%.[ch]}" "$scratch/named" ||
			printf '%s\n' "$file"
	done
}

mkdir -p "$scratch/src/base" "$scratch/tests" "$scratch/modules/middleware"
echo 'libweir_a_SOURCES = src/base/a.c' >"$scratch/src/local.mk"
echo '# none' >"$scratch/modules/modules.list"
: >"$scratch/src/base/a.c"
none 'a file that is listed is fine' "$(unlisted "$scratch")"
: >"$scratch/tests/test_a.c"
some 'a test that no list names is found' "$(unlisted "$scratch")"
rm "$scratch/tests/test_a.c"
mkdir "$scratch/bench"
: >"$scratch/bench/a.py"
some 'a part of the comparison that no list names is found' \
	"$(unlisted "$scratch")"
rm "$scratch/bench/a.py"
: >"$scratch/modules/middleware/a.c"
some 'a module that no list names is found' "$(unlisted "$scratch")"

none 'every source is in a list' "$(unlisted "$srcdir")"
finish
