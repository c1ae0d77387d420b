#!/bin/sh
# test_bench.sh - the comparison with other proxies works; what it measures is
# not looked at.
if ! command -v python3 >/dev/null; then
	echo 'not ok 1 - python3 is missing: install python3'
	echo '1..1'
	exit 1
fi
top=$(dirname "$0")/../..
exec "$top/bench/run" --self-test \
	--weir "${WEIR:-${builddir:-$top}/weir}"
