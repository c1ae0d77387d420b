# The comparison with other proxies: bench/run says what it can do.  It wants
# python3, nginx with its stream module, haproxy and iperf3, and nothing else
# does; make bench BENCH_FLAGS=--quick is the short one.
BENCH_LOADS = bench/drive bench/echo bench/table
check_PROGRAMS += $(BENCH_LOADS)
bench_drive_SOURCES = bench/drive.c
bench_drive_LDFLAGS = $(WEIR_LDFLAGS)
bench_drive_LDADD = $(LIBBSD_LIBS)
bench_echo_SOURCES = bench/echo.c
bench_echo_LDFLAGS = $(WEIR_LDFLAGS)
bench_echo_LDADD =
# What counting in shared memory costs; it is run by hand.
bench_table_SOURCES = bench/table.c
bench_table_LDFLAGS = $(WEIR_LDFLAGS)
bench_table_LDADD = libweir.a $(LIBBSD_LIBS)

EXTRA_DIST += \
	bench/backends.py \
	bench/chart.py \
	bench/listing \
	bench/machine.py \
	bench/process.py \
	bench/proxies.py \
	bench/report.py \
	bench/run \
	bench/selftest.py \
	bench/summary.py \
	bench/workloads.py

bench: all $(BENCH_LOADS)
	$(top_srcdir)/bench/run --weir '$(abs_builddir)/weir$(EXEEXT)' \
		--output bench $(BENCH_FLAGS)
CLEANFILES += bench/bench.json bench/bench.svg
.PHONY: bench
