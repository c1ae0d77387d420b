#!/bin/sh
# failures.sh - every test that tests/failures names is there, and every test
# that bears the number of a failure is named.
. "$(dirname "$0")/lib.sh"

# Writes the tests below $1 that are named and not there, or the other way.
differing()
{
	sed '/^#/d' "$1/tests/failures" |
		grep -o 'test_f[0-9]*_[a-z0-9_]*' | sort -u >"$scratch/named"
	find "$1/tests" -name 'test_*.c' -exec \
		grep -ho '^test_f[0-9]*_[a-z0-9_]*(void' {} + |
		sed 's/(void//' | sort -u >"$scratch/there"
	comm -3 "$scratch/named" "$scratch/there"
}

mkdir -p "$scratch/tests/process"
printf '# f1\nF1  a failure: test_f1_it\n' >"$scratch/tests/failures"
printf 'test_f1_it(void **state)\n' >"$scratch/tests/process/test_a.c"
none 'a test that is named is fine' "$(differing "$scratch")"
printf 'test_f2_it(void **state)\n' >>"$scratch/tests/process/test_a.c"
some 'a test that is not named is found' "$(differing "$scratch")"
printf 'F2  another: test_f2_it test_f3_it\n' >>"$scratch/tests/failures"
some 'a name without a test is found' "$(differing "$scratch")"

none 'names and tests agree' "$(differing "$srcdir")"
finish
