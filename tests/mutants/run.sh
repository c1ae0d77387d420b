#!/bin/sh
# run.sh - breaks sources on purpose, one line at a time, and wants a test to
# notice each time.  MUTANTS='words of a name' picks some; JOBS are run at once.
. "$(dirname "$0")/../lint/lib.sh"

MUTANT_SECONDS=20 # a hang is noticed as well

# Ours, not that of the make which runs us, nor what picks cases of tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES TESTS ONLY SEED
# The first assert that fails is enough, and need not be waited for so long.
CMOCKA_MESSAGE_OUTPUT=tap CMOCKA_TEST_ABORT=1 RIG_WAIT_MS=1
export CMOCKA_MESSAGE_OUTPUT CMOCKA_TEST_ABORT RIG_WAIT_MS
# shellcheck disable=SC3045 # no core files, where that can be said
ulimit -c 0 2>/dev/null
here=$srcdir/tests/mutants
cd "$builddir" || exit 1

# Builds test $2 as $1 with the objects that follow, which stand in the place of
# those of the libraries.
build()
{
	program=$1
	test=$2
	shift 2
	eval "$link -o $program tests/$test.o $* $libraries"
}

# Runs cases $3 of program $2 and keeps what it says in file $1; false when it
# fails.
passes()
{
	said=$1
	program=$2
	shift 2
	ONLY="${1:-*}" timeout -k 5 "$MUTANT_SECONDS" "$program" >"$said" 2>&1
}

# Writes what is wrong with test $1 when nothing is broken.
fails_unbroken()
{
	base=$scratch/whole.$2
	case $1 in *:*) cases=${1#*:} ;; *) cases='*' ;; esac
	if ! build "$base" "${1%%:*}" >"$base.said" 2>&1 ||
		! passes "$base.said" "$base" "$cases" ||
		! grep -q '^ok' "$base.said"; then
		tail -n 20 "$base.said"
	fi
	rm -f "$base"
}

# Writes who has not noticed mutant $1, or why nobody could.
unnoticed()
{
	base=$scratch/$1
	if [ -e "$base.stale" ]; then
		cat "$base.stale"
		return
	fi
	if ! eval "$compile -c -o $base.o $base.c" >"$base.said" 2>&1; then
		head -n 5 "$base.said"
		return
	fi
	# shellcheck disable=SC2013 # these are words
	for test in $(cat "$base.tests"); do
		case $test in *:*) cases=${test#*:} ;; *) cases='*' ;; esac
		if ! build "$base.test" "${test%%:*}" "$base.o" \
			>"$base.said" 2>&1; then
			head -n 5 "$base.said"
		elif passes "$base.said" "$base.test" "$cases"; then
			printf '%s has not noticed\n' "$test"
		elif ! grep -q 'error: Failure!' "$base.said"; then
			printf '%s died or hung\n' "$test" >>"$base.ends"
		fi
	done
	rm -f "$base.o" "$base.test"
}

# Every JOBS-th of the mutants, from the $1-th on.
share()
{
	number=$1
	while [ "$number" -le "$mutants" ]; do
		unnoticed "$number" >"$scratch/$number.found"
		number=$((number + JOBS))
	done
}

: "${JOBS:=3}" "${MUTANTS:=}"
# As make would, but fast, and without words about what is odd in a mutant.
make -s mutant-compile >"$scratch/compile" || exit 1
make -s mutant-link >"$scratch/link" || exit 1
make -s mutant-libraries >"$scratch/libraries" || exit 1
compile="$(cat "$scratch/compile") -O0 -w"
link=$(cat "$scratch/link")
libraries=$(cat "$scratch/libraries")

# Writes the mutants of the lists that follow into $scratch, and counts them.
read_lists()
{
	awk -v top="$srcdir" -v out="$scratch" -v only="$MUTANTS" \
		-f "$here/apply.awk" "$@"
	mutants=$(find "$scratch" -name '*.name' | wc -l)
}

# Writes $1 of list.
sample()
{
	rm -f "$scratch"/*.name "$scratch"/*.stale
	printf 'file src/base/reason.c\nby unit/test_units\nx\n%s\n' "$1" \
		>"$scratch/sample"
	MUTANTS='' read_lists "$scratch/sample"
	unnoticed 1
	rm -f "$scratch"/*.name "$scratch"/*.stale
}

some 'a change that does not fit any more is found' "$(sample '- no such line
+ a line')"
some 'so is one that fits in two places' "$(sample '- ;
+ ')"
some 'one that does not compile' "$(sample '- const
+ const const x y')"
some 'one that nobody notices' "$(sample '- #include
+ /**/
+ #include')"

read_lists "$here"/*.list
some 'there are mutants' "$(find "$scratch" -name 1.name)"
sort -u "$scratch"/*.tests | tr ' ' '\n' | sort -u >"$scratch/programs"
number=0
while read -r test; do
	number=$((number + 1))
	none "$test passes when nothing is broken" \
		"$(fails_unbroken "$test" "$number")"
done <"$scratch/programs"

job=1
jobs=
while [ "$job" -le "$JOBS" ]; do
	share "$job" &
	jobs="$jobs $!"
	job=$((job + 1))
done
# shellcheck disable=SC2086
wait $jobs
number=1
while [ "$number" -le "$mutants" ]; do
	none "$(cat "$scratch/$number.name")" "$(cat "$scratch/$number.found" ||
		echo 'was not tried')"
	[ ! -e "$scratch/$number.ends" ] || sed 's/^/# /' "$scratch/$number.ends"
	number=$((number + 1))
done
finish
