#!/bin/sh
# turn.sh - runs one test, for so many seconds at most.  Tests of processes look
# at time, memory and CPU: they take turns, and no other runs beside them,
# however many jobs make has.
seconds=$1
shift
# The lock is a file where the tests run.
how=-s
for word; do
	case $word in
	*/long/* | */process/* | */real/*) how=-x ;;
	esac
done
exec flock -o "$how" tests/turn.lock timeout -k 10 "$seconds" "$@"
