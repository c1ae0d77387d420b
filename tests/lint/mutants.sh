#!/bin/sh
# mutants.sh - the changes of tests/mutants fit the sources as they are now.
. "$(dirname "$0")/lib.sh"

awk -v top="$srcdir" -v out="$scratch" -v only= \
	-f "$srcdir/tests/mutants/apply.awk" "$srcdir"/tests/mutants/*.list
some 'there are mutants' "$(find "$scratch" -name '*.name')"
for stale in "$scratch"/*.stale; do
	[ -e "$stale" ] || continue
	number=${stale%.stale}
	none "$(cat "$number.name")" "$(cat "$stale")"
done
none 'all of them fit' "$(find "$scratch" -name '*.stale')"
finish
