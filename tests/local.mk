# The tests, one a line, sorted.  A program NAME is made of NAME.c and the
# libraries of LDADD; each of its cmocka cases counts (TAP), in one group a
# program.  Each test is ended after TEST_SECONDS.
AM_DEFAULT_SOURCE_EXT = .c

UNIT_TESTS = \
	tests/unit/test_accept \
	tests/unit/test_activation \
	tests/unit/test_addr \
	tests/unit/test_answers \
	tests/unit/test_board \
	tests/unit/test_bounds \
	tests/unit/test_buf \
	tests/unit/test_call \
	tests/unit/test_callers \
	tests/unit/test_chain \
	tests/unit/test_chain_random \
	tests/unit/test_channel \
	tests/unit/test_cidr \
	tests/unit/test_client \
	tests/unit/test_clock \
	tests/unit/test_close \
	tests/unit/test_closing \
	tests/unit/test_condition \
	tests/unit/test_conf \
	tests/unit/test_connect \
	tests/unit/test_control \
	tests/unit/test_counters \
	tests/unit/test_counters_crash \
	tests/unit/test_ctl \
	tests/unit/test_cut \
	tests/unit/test_describe \
	tests/unit/test_dial \
	tests/unit/test_dial_options \
	tests/unit/test_end \
	tests/unit/test_end_answer \
	tests/unit/test_end_order \
	tests/unit/test_endpoint \
	tests/unit/test_engine \
	tests/unit/test_equip \
	tests/unit/test_events \
	tests/unit/test_extensions \
	tests/unit/test_facts \
	tests/unit/test_fd \
	tests/unit/test_flow \
	tests/unit/test_format \
	tests/unit/test_gather \
	tests/unit/test_hold \
	tests/unit/test_host \
	tests/unit/test_hostile \
	tests/unit/test_lag \
	tests/unit/test_late \
	tests/unit/test_limits \
	tests/unit/test_line \
	tests/unit/test_link \
	tests/unit/test_listeners \
	tests/unit/test_load \
	tests/unit/test_log \
	tests/unit/test_logfile \
	tests/unit/test_loop \
	tests/unit/test_msg \
	tests/unit/test_needs \
	tests/unit/test_notify \
	tests/unit/test_observe \
	tests/unit/test_option \
	tests/unit/test_override \
	tests/unit/test_pause \
	tests/unit/test_peer \
	tests/unit/test_pipe \
	tests/unit/test_poller \
	tests/unit/test_pool \
	tests/unit/test_race \
	tests/unit/test_rows \
	tests/unit/test_scan \
	tests/unit/test_seg \
	tests/unit/test_share \
	tests/unit/test_shm \
	tests/unit/test_signals \
	tests/unit/test_sink \
	tests/unit/test_sink_pipe \
	tests/unit/test_snapshot \
	tests/unit/test_socket \
	tests/unit/test_sockopt \
	tests/unit/test_source \
	tests/unit/test_splice \
	tests/unit/test_splice_faults \
	tests/unit/test_splice_stages \
	tests/unit/test_stage \
	tests/unit/test_tag \
	tests/unit/test_table \
	tests/unit/test_table_crash \
	tests/unit/test_table_full \
	tests/unit/test_table_others \
	tests/unit/test_table_share \
	tests/unit/test_table_share_spend \
	tests/unit/test_table_spend \
	tests/unit/test_table_stops \
	tests/unit/test_timeouts \
	tests/unit/test_timer \
	tests/unit/test_tracing \
	tests/unit/test_units \
	tests/unit/test_upkeep \
	tests/unit/test_verbs \
	tests/unit/test_wait \
	tests/unit/test_when \
	tests/unit/test_wild_random
MODULE_TESTS = \
	tests/module/test_acl \
	tests/module/test_claims \
	tests/module/test_count \
	tests/module/test_delay \
	tests/module/test_denylist \
	tests/module/test_forward \
	tests/module/test_holders \
	tests/module/test_limit_bytes \
	tests/module/test_limit_conn \
	tests/module/test_limit_hangs \
	tests/module/test_limit_new \
	tests/module/test_limit_rate \
	tests/module/test_log \
	tests/module/test_preface \
	tests/module/test_quota \
	tests/module/test_registry \
	tests/module/test_rewrite \
	tests/module/test_select \
	tests/module/test_stats \
	tests/module/test_stats_backends
MODULE_SHELL_TESTS = \
	tests/module/extra.sh
PROCESS_TESTS = \
	tests/process/test_activation \
	tests/process/test_backend \
	tests/process/test_background \
	tests/process/test_bulk \
	tests/process/test_calls \
	tests/process/test_capabilities \
	tests/process/test_chaos \
	tests/process/test_contract \
	tests/process/test_control \
	tests/process/test_crash_load \
	tests/process/test_crashes \
	tests/process/test_ctl \
	tests/process/test_ctl_faults \
	tests/process/test_ctl_top \
	tests/process/test_ctl_weir \
	tests/process/test_denylist \
	tests/process/test_denylist_file \
	tests/process/test_descriptors \
	tests/process/test_drain \
	tests/process/test_faults \
	tests/process/test_full \
	tests/process/test_keep \
	tests/process/test_keeper \
	tests/process/test_keeper_busy \
	tests/process/test_keeper_clients \
	tests/process/test_keeper_faults \
	tests/process/test_keeper_last \
	tests/process/test_keeper_links \
	tests/process/test_keeper_many \
	tests/process/test_limits \
	tests/process/test_load \
	tests/process/test_loader \
	tests/process/test_log_faults \
	tests/process/test_logs \
	tests/process/test_master \
	tests/process/test_orders \
	tests/process/test_orphans \
	tests/process/test_paths \
	tests/process/test_pidfile \
	tests/process/test_ports \
	tests/process/test_relay \
	tests/process/test_reload \
	tests/process/test_reopen \
	tests/process/test_retire \
	tests/process/test_rights \
	tests/process/test_rlimits \
	tests/process/test_segments \
	tests/process/test_shared_faults \
	tests/process/test_shared_starts \
	tests/process/test_sockets \
	tests/process/test_spread \
	tests/process/test_start \
	tests/process/test_states \
	tests/process/test_stats \
	tests/process/test_succession \
	tests/process/test_sync \
	tests/process/test_sync_faults \
	tests/process/test_time \
	tests/process/test_undo \
	tests/process/test_words
REAL_TESTS = \
	tests/real/test_bench.sh \
	tests/real/test_dashboard.sh \
	tests/real/test_nginx.sh \
	tests/real/test_postgresql.sh \
	tests/real/test_redis.sh \
	tests/real/test_sftp.sh
# Each replays what is kept for it; libFuzzer runs the same in check-long.
FUZZ_TESTS = \
	tests/fuzz/fuzz_chain \
	tests/fuzz/fuzz_condition \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_option
LONG_TESTS = \
	tests/long/test_bulk \
	tests/long/test_crashes \
	tests/long/test_keeper_faults \
	tests/long/test_keeper_many \
	tests/long/test_keeper_slow \
	tests/long/test_loader \
	tests/long/test_pulse \
	tests/long/test_reloads \
	tests/long/test_shared_faults \
	tests/long/test_shared_starts \
	tests/long/test_table_crash
LONG_SHELL_TESTS = \
	tests/fuzz/fuzz.sh \
	tests/mutants/run.sh
LINT_TESTS = \
	tests/lint/completion.sh \
	tests/lint/docs.sh \
	tests/lint/failures.sh \
	tests/lint/format.sh \
	tests/lint/layers.sh \
	tests/lint/listed.sh \
	tests/lint/mutants.sh \
	tests/lint/shell.sh \
	tests/lint/sizes.sh \
	tests/lint/unit.sh \
	tests/lint/words.sh

check_LIBRARIES += libtest.a
libtest_a_SOURCES = \
	tests/lib/alloc.c \
	tests/lib/alloc.h \
	tests/lib/carry.c \
	tests/lib/carry.h \
	tests/lib/chance.c \
	tests/lib/chance.h \
	tests/lib/crash.c \
	tests/lib/crash.h \
	tests/lib/crowd.c \
	tests/lib/crowd.h \
	tests/lib/ctl.c \
	tests/lib/ctl.h \
	tests/lib/cut.c \
	tests/lib/cut.h \
	tests/lib/daemon.c \
	tests/lib/daemon.h \
	tests/lib/daemon_private.h \
	tests/lib/described.c \
	tests/lib/described.h \
	tests/lib/echo.c \
	tests/lib/echo.h \
	tests/lib/entry.c \
	tests/lib/entry.h \
	tests/lib/feed.c \
	tests/lib/feed.h \
	tests/lib/fleet.c \
	tests/lib/fleet.h \
	tests/lib/gauge.c \
	tests/lib/gauge.h \
	tests/lib/hand.c \
	tests/lib/hand.h \
	tests/lib/held.c \
	tests/lib/held.h \
	tests/lib/hole.c \
	tests/lib/hole.h \
	tests/lib/hostile.c \
	tests/lib/hostile.h \
	tests/lib/http.c \
	tests/lib/http.h \
	tests/lib/idle.c \
	tests/lib/idle.h \
	tests/lib/life.c \
	tests/lib/life.h \
	tests/lib/limits.c \
	tests/lib/limits.h \
	tests/lib/load.c \
	tests/lib/load.h \
	tests/lib/load_client.c \
	tests/lib/load_private.h \
	tests/lib/load_run.c \
	tests/lib/logdir.c \
	tests/lib/logdir.h \
	tests/lib/look.c \
	tests/lib/low.c \
	tests/lib/low.h \
	tests/lib/metrics.c \
	tests/lib/metrics.h \
	tests/lib/mode.c \
	tests/lib/mode.h \
	tests/lib/narrow.c \
	tests/lib/narrow.h \
	tests/lib/net.c \
	tests/lib/net.h \
	tests/lib/options.c \
	tests/lib/options.h \
	tests/lib/page.c \
	tests/lib/page.h \
	tests/lib/pair.c \
	tests/lib/pair.h \
	tests/lib/peer.c \
	tests/lib/peer.h \
	tests/lib/plain.c \
	tests/lib/plain.h \
	tests/lib/plan.c \
	tests/lib/plan.h \
	tests/lib/procs.c \
	tests/lib/procs.h \
	tests/lib/pump.c \
	tests/lib/ready.c \
	tests/lib/ready.h \
	tests/lib/redis.c \
	tests/lib/redis.h \
	tests/lib/relay.c \
	tests/lib/relay.h \
	tests/lib/reload.c \
	tests/lib/reload.h \
	tests/lib/rig.c \
	tests/lib/rig.h \
	tests/lib/said.c \
	tests/lib/said.h \
	tests/lib/shared.c \
	tests/lib/shared.h \
	tests/lib/spawn.c \
	tests/lib/spawn.h \
	tests/lib/spy.c \
	tests/lib/spy.h \
	tests/lib/start.c \
	tests/lib/stream.c \
	tests/lib/stream.h \
	tests/lib/tag.c \
	tests/lib/tag.h \
	tests/lib/tempdir.c \
	tests/lib/tempdir.h \
	tests/lib/text.c \
	tests/lib/text.h \
	tests/lib/traces.c \
	tests/lib/traces.h \
	tests/lib/watch.c \
	tests/lib/watch.h \
	tests/lib/wild.c \
	tests/lib/wild.h

# A weir that has the middlewares of tests/lib/trial.c beside the real ones, and
# system calls that fail when asked to.
tests_trial_SOURCES = \
	src/main.c \
	tests/lib/faults.c \
	tests/lib/frail.c \
	tests/lib/trial.c
tests_trial_LDFLAGS = $(WEIR_LDFLAGS) \
	-Wl,--wrap=accept4 \
	-Wl,--wrap=connect \
	-Wl,--wrap=pipe2 \
	-Wl,--wrap=recv \
	-Wl,--wrap=send \
	-Wl,--wrap=sendmsg \
	-Wl,--wrap=setsockopt \
	-Wl,--wrap=splice
tests_trial_LDADD = $(weir_LDADD)

check_LIBRARIES += libreplay.a
libreplay_a_SOURCES = \
	tests/fuzz/fuzz.h \
	tests/fuzz/replay.c

tests_fuzz_fuzz_chain_SOURCES = \
	tests/fuzz/act.c \
	tests/fuzz/act.h \
	tests/fuzz/fuzz_chain.c
tests_fuzz_fuzz_chain_LDADD = libreplay.a $(LDADD)
tests_fuzz_fuzz_condition_LDADD = libreplay.a $(LDADD)
tests_fuzz_fuzz_conf_LDADD = libreplay.a $(LDADD)
tests_fuzz_fuzz_option_LDADD = libreplay.a $(LDADD)

# The dictionary of libFuzzer.
tests_fuzz_words_SOURCES = tests/fuzz/words.c
tests_fuzz_words_LDFLAGS = $(WEIR_LDFLAGS)
tests_fuzz_words_LDADD = $(weir_LDADD)

# The load generator as a program: tests/load says how.
tests_load_SOURCES = tests/lib/load_main.c

# What the scripts of tests/real need beside a shell.
tests_aid_SOURCES = tests/lib/aid.c
tests_aid_LDFLAGS = $(WEIR_LDFLAGS)
tests_aid_LDADD = libweir.a $(LIBBSD_LIBS)

LDADD = libtest.a libctl.a libmodules.a libweir.a libmodules.a libweir.a \
	$(CMOCKA_LIBS) $(HIREDIS_LIBS) $(LIBEVENT_LIBS) $(LIBEVENT_EXTRA_LIBS) \
	$(JANSSON_LIBS) $(LIBCONFIG_LIBS) $(LIBBSD_LIBS)

# Programs in which one allocation of weir can be made to fail (lib/alloc.h).
WRAP_ALLOC = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=aligned_alloc \
	-Wl,--wrap=seg_free
tests_module_test_acl_LDFLAGS = $(WRAP_ALLOC)
tests_module_test_registry_LDFLAGS = $(WRAP_ALLOC)
tests_module_test_delay_LDFLAGS = $(WRAP_ALLOC)
tests_module_test_limit_conn_LDFLAGS = $(WRAP_ALLOC)
tests_module_test_rewrite_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_buf_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_chain_random_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_cidr_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_endpoint_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_engine_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_loop_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_hold_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_pool_LDFLAGS = $(WRAP_ALLOC)

# One that sees the parts of an extension.
tests_module_test_stats_backends_CPPFLAGS = $(AM_CPPFLAGS) \
	-I$(top_srcdir)/src/api -I$(top_srcdir)/modules/extension/stats

tests_unit_test_pipe_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fcntl,--wrap=fcntl64,--wrap=pipe2
tests_unit_test_splice_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=splice

TEST_RUNS = $(UNIT_TESTS) $(MODULE_TESTS) $(FUZZ_TESTS) $(PROCESS_TESTS)
if HAVE_CMOCKA
check_PROGRAMS += tests/aid tests/fuzz/words tests/load tests/trial \
	$(TEST_RUNS) $(LONG_TESTS)
endif
TESTS = $(TEST_RUNS) $(MODULE_SHELL_TESTS) $(REAL_TESTS) $(LINT_TESTS)
if NEVER
TESTS += $(LONG_TESTS)
endif
EXTRA_DIST += $(MODULE_SHELL_TESTS) $(LONG_SHELL_TESTS) $(REAL_TESTS) \
	$(LINT_TESTS) $(TEST_EXTRAS)

# What tests include, source or load.
TEST_EXTRAS = \
	tests/conf \
	tests/fuzz/corpus \
	tests/fuzz/found \
	tests/lib/sum.awk \
	tests/lib/turn.sh \
	tests/failures \
	tests/lint/lib.sh \
	tests/module/extension_try.h \
	tests/module/stats_try.h \
	tests/process/denylist_try.h \
	tests/module/template/Makefile \
	tests/module/template/bang.c \
	tests/module/template/modules.list \
	tests/module/template/test_bang.c \
	tests/mutants/apply.awk \
	tests/mutants/chain.list \
	tests/mutants/channel.list \
	tests/mutants/ctl.list \
	tests/mutants/limits.list \
	tests/mutants/modules.list \
	tests/mutants/shm.list \
	tests/mutants/sockets.list \
	tests/mutants/splice.list \
	tests/mutants/spread.list \
	tests/mutants/stats.list \
	tests/unit/call_fake.h \
	tests/unit/callers_try.h \
	tests/unit/conf_try.h \
	tests/unit/ender.h \
	tests/unit/link_try.h \
	tests/unit/listeners_try.h \
	tests/unit/registry_fake.h \
	tests/unit/sink_try.h \
	tests/unit/waiter.h \
	tests/real/browser.py \
	tests/real/figures.py \
	tests/real/lib.sh

TEST_SECONDS = 300
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/turn.sh
AM_LOG_FLAGS = $(TEST_SECONDS)
CLEANFILES += tests/turn.lock
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(LOG_COMPILER)
AM_SH_LOG_FLAGS = $(AM_LOG_FLAGS) $(SHELL)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=tap; export CMOCKA_MESSAGE_OUTPUT; \
	WEIR='$(abs_builddir)/weir$(EXEEXT)'; export WEIR; \
	WEIRCTL='$(abs_builddir)/weirctl$(EXEEXT)'; export WEIRCTL; \
	WEIR_PLAIN="$${WEIR_PLAIN:-$(PLAIN)}"; export WEIR_PLAIN; \
	WEIR_TRIAL='$(abs_builddir)/tests/trial$(EXEEXT)'; export WEIR_TRIAL; \
	FUZZ_TARGETS='$(FUZZ_TESTS)'; export FUZZ_TARGETS; \
	builddir='$(abs_builddir)'; export builddir; \
	srcdir='$(abs_top_srcdir)'; export srcdir; $(SANITIZER_ENVIRONMENT)

# A finding ends the process by a signal, so that nothing can overlook it.
if SANITIZERS
SANITIZER_ENVIRONMENT = \
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:handle_segv=2:handle_sigbus=2; \
	UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1:print_stacktrace=1; \
	export ASAN_OPTIONS UBSAN_OPTIONS;
else
SANITIZER_ENVIRONMENT =
endif

# What measures memory or time wants a weir without sanitizers: WEIR_PLAIN of
# the environment, or one that is built here beside the other.
if SANITIZERS
PLAIN = $(abs_builddir)/plain/weir$(EXEEXT)
check-am: plain-weir
plain-weir:
	@test -n "$$WEIR_PLAIN" || { $(MKDIR_P) plain && cd plain && \
		{ test -f Makefile || \
			$(abs_top_srcdir)/configure -q CC='$(CC)'; } && \
		$(MAKE) weir$(EXEEXT); }
else
PLAIN = $(abs_builddir)/weir$(EXEEXT)
endif

# The fuzz targets with libFuzzer: all is compiled once more, by clang.
fuzzers:
	@test -n '$(FUZZ_CC)' || { \
		echo 'make check-long needs clang with libFuzzer: install' \
			'clang-14 and libclang-rt-14-dev, and run configure' \
			'again' >&2; \
		exit 1; \
	}
	@$(MKDIR_P) fuzz && cd fuzz && \
		{ test -f Makefile || \
			$(abs_top_srcdir)/configure -q CC='$(FUZZ_CC)' \
				CFLAGS='$(FUZZ_CFLAGS)' \
				--enable-sanitizers; } && \
		$(MAKE) $(AM_MAKEFLAGS) LDFLAGS=-fsanitize=fuzzer $(FUZZ_TESTS)

FUZZ_CFLAGS = -g -O1 -fsanitize=fuzzer-no-link

distclean-local:
	rm -rf fuzz plain

# Parts of "make check"; one test alone: make check TESTS=tests/unit/test_addr
CHECK_unit = $(UNIT_TESTS)
CHECK_module = $(MODULE_TESTS) $(MODULE_SHELL_TESTS)
CHECK_lint = $(LINT_TESTS)
CHECK_process = $(PROCESS_TESTS)
CHECK_real = $(REAL_TESTS)
CHECK_quick = $(UNIT_TESTS) $(MODULE_TESTS) $(MODULE_SHELL_TESTS) \
	$(FUZZ_TESTS) $(LINT_TESTS)
CHECK_slow = $(PROCESS_TESTS) $(REAL_TESTS)
CHECKS = check-unit check-module check-lint check-process check-real \
	check-quick check-slow

$(CHECKS): check-%: all
	$(MAKE) $(AM_MAKEFLAGS) check TEST_SECONDS=$(TEST_SECONDS) \
		TESTS='$(CHECK_$*)'

# How tests/mutants/run.sh compiles a source, and links a test with it.
mutant-compile:
	@:$(info $(COMPILE) -I$(top_srcdir)/src/api \
		-I$(top_srcdir)/modules/extension/stats)
mutant-link:
	@:$(info $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(WRAP_ALLOC) \
		-Wl,-u,__wrap_malloc $(LDFLAGS))
mutant-libraries:
	@:$(info $(LDADD) $(LIBS))

# What takes long; the last line tells how many passed and failed.
LONG_RESULTS = $(LONG_TESTS:=.trs) $(LONG_SHELL_TESTS:.sh=.trs)
LONG_SECONDS = 36000
check-long: all fuzzers
	@rm -f $(LONG_RESULTS)
	@ok=1; \
	$(MAKE) $(AM_MAKEFLAGS) check TEST_SECONDS=$(LONG_SECONDS) \
		TESTS='$(LONG_TESTS) $(LONG_SHELL_TESTS)' || ok=0; \
	touch $(LONG_RESULTS); \
	$(AWK) -v ok=$$ok -f $(top_srcdir)/tests/lib/sum.awk $(LONG_RESULTS) | \
		$(SED) 's/\(.*\) \(.*\)/\1 passed, \2 failed/'; \
	test $$ok = 1

# The tests of --with-extra-modules: DIR/test_NAME.c for each, seen by people.
MORE_TESTS = $(patsubst %.c,extra/%,$(notdir \
	$(wildcard $(MORE_TESTS_WANTED))))
MORE_MISSING = $(filter-out $(wildcard $(MORE_TESTS_WANTED)), \
	$(MORE_TESTS_WANTED))

$(MORE_TESTS): libtest.a libmodules.a libweir.a Makefile
	$(AM_V_CCLD)$(CC) $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) \
		$(AM_LDFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ \
		-o $@ $(filter %/$(@F).c,$^) $(LDADD) $(LIBS)

-include $(MORE_TESTS:=.d)
MOSTLYCLEANFILES += $(MORE_TESTS) $(MORE_TESTS:=.d)

# What has to be true of every module is tried with these as well.
MORE_REGISTRY = $(if $(strip $(MORE_MODULES)), \
	tests/module/test_registry$(EXEEXT))

check-extra: extra-notes $(MORE_TESTS) $(MORE_REGISTRY)
	@test -n '$(MORE_LISTS)' || { \
		echo 'check-extra: configure was run without' \
			'--with-extra-modules=DIR' >&2; \
		exit 1; \
	}
	@test -n '$(MORE_MODULES)' || { \
		echo 'check-extra: no module is named in' $(MORE_LISTS) >&2; \
		exit 1; \
	}
	@for test in $(MORE_MISSING); do \
		echo "check-extra: there is no $$test" >&2; \
		exit 1; \
	done
	@$(AM_TESTS_ENVIRONMENT) \
	CMOCKA_MESSAGE_OUTPUT=stdout; status=0; \
	for test in $(MORE_TESTS); do \
		timeout -k 10 $(TEST_SECONDS) $$test || status=1; \
	done; \
	test -z "$$ONLY" || exit $$status; \
	for name in $(MORE_MODULES); do \
		ONLY="$$name *" timeout -k 10 $(TEST_SECONDS) \
			$(MORE_REGISTRY) || status=1; \
	done; \
	exit $$status

# Modules that wait to be named.
MORE_NAME = s/^const struct weir_middleware mw_\([A-Za-z0-9_]*\).*/\1/p
extra-notes:
	@for list in $(MORE_LISTS); do \
		dir=`dirname $$list`; \
		for file in $$dir/*.c $$dir/*/*.c; do \
			name=`sed -n '$(MORE_NAME)' $$file 2>/dev/null`; \
			case " $(MORE_MODULES) " in *" $$name "*) name= ;; \
			esac; \
			test -z "$$name" || \
				echo "note: $$file has mw_$$name, but $$list" \
					"does not name $$name" >&2; \
		done; \
	done

if !ALL_MODULES
check-am: not-all-modules
not-all-modules:
	@echo 'make check needs all modules: run configure again without' \
		'--with-modules and --with-modules-except' >&2
	@exit 1
endif

if !HAVE_CMOCKA
check-am check-extra: no-cmocka
no-cmocka:
	@echo 'make check needs cmocka: install libcmocka-dev' \
		'and run configure again' >&2
	@exit 1
endif

.PHONY: $(CHECKS) check-extra check-long fuzzers no-cmocka not-all-modules plain-weir
.PHONY: $(CHECKS) check-extra extra-notes no-cmocka not-all-modules plain-weir
