#!/bin/sh
# fuzz.sh - lets libFuzzer look for findings, FUZZ_SECONDS for each target; what
# $FUZZ_TARGETS names is built for that in $builddir/fuzz.
set -u
: "${FUZZ_SECONDS:=60}"
# Both are of make.
: "${builddir:?}" "${srcdir:?}"
work=$builddir/fuzz

# An input that ends with a finding is kept in $work, named after target $1.
fuzz()
{
	target=$1
	# What was learnt the last time is not learnt again.
	mkdir -p "$work/corpus/$target"
	set -- "$work/corpus/$target"
	for inputs in corpus found; do
		inputs=$srcdir/tests/fuzz/$inputs/$target
		if [ -d "$inputs" ]; then
			set -- "$@" "$inputs"
		fi
	done
	nice -n 10 "$work/tests/fuzz/$target" -max_total_time="$FUZZ_SECONDS" \
		-timeout=10 -max_len=4096 -dict="$work/dictionary" \
		-print_final_stats=1 -artifact_prefix="$work/$target-" \
		"$@" >"$work/$target.log" 2>&1
}

# What to do about a finding of target $1, in one line.
advice()
{
	input=$(sed -n 's/.*Test unit written to //p' "$work/$1.log" | tail -n 1)
	if [ -n "$input" ]; then
		printf 'move %s to tests/fuzz/found/%s, replay it with %s' \
			"$input" "$1" "tests/fuzz/$1 FILE"
	else
		printf 'it did not run to its end, see %s' "$work/$1.log"
	fi
}

"$builddir/tests/fuzz/words" >"$work/dictionary" || exit 1
count=0
status=0
for program in $FUZZ_TARGETS; do
	target=${program##*/}
	count=$((count + 1))
	if fuzz "$target"; then
		printf 'ok %d - %s: %s inputs\n' "$count" "$target" "$(
			sed -n 's/^stat::number_of_executed_units: *//p' \
				"$work/$target.log")"
	else
		tail -n 60 "$work/$target.log" | sed 's/^/# /'
		printf 'not ok %d - %s: %s\n' "$count" "$target" \
			"$(advice "$target")"
		status=1
	fi
done
printf '1..%d\n' "$count"
exit "$status"
