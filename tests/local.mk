# The tests, one a line, sorted.  A program NAME is made of NAME.c and the
# libraries of LDADD; each of its cmocka cases counts (TAP), in one group a
# program.  Each test is ended after TEST_SECONDS.
AM_DEFAULT_SOURCE_EXT = .c

UNIT_TESTS = \
	tests/unit/test_buf \
	tests/unit/test_chain \
	tests/unit/test_chain_random \
	tests/unit/test_channel \
	tests/unit/test_flow \
	tests/unit/test_hold \
	tests/unit/test_limits \
	tests/unit/test_timeouts \
	tests/unit/test_verbs
MODULE_TESTS =
PROCESS_TESTS =
REAL_TESTS =
LONG_TESTS =
LINT_TESTS = \
	tests/lint/docs.sh \
	tests/lint/format.sh \
	tests/lint/layers.sh \
	tests/lint/shell.sh \
	tests/lint/sizes.sh \
	tests/lint/words.sh

check_LIBRARIES += libtest.a
libtest_a_SOURCES = \
	tests/lib/alloc.c \
	tests/lib/alloc.h \
	tests/lib/rig.c \
	tests/lib/rig.h \
	tests/lib/start.c \
	tests/lib/stream.c \
	tests/lib/stream.h

LDADD = libtest.a libmodules.a libweir.a libmodules.a \
	$(CMOCKA_LIBS) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(LIBBSD_LIBS)

# Programs in which one allocation of weir can be made to fail (lib/alloc.h).
WRAP_ALLOC = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray
tests_unit_test_buf_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_chain_random_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_hold_LDFLAGS = $(WRAP_ALLOC)
tests_unit_test_timeouts_LDFLAGS = $(WRAP_ALLOC)

TEST_RUNS = $(UNIT_TESTS) $(MODULE_TESTS) $(PROCESS_TESTS) $(REAL_TESTS)
if HAVE_CMOCKA
check_PROGRAMS += $(TEST_RUNS) $(LONG_TESTS)
endif
TESTS = $(TEST_RUNS) $(LINT_TESTS)
EXTRA_DIST += $(LINT_TESTS) tests/lint/lib.sh

TEST_SECONDS = 300
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = timeout
AM_LOG_FLAGS = -k 10 $(TEST_SECONDS)
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(LOG_COMPILER)
AM_SH_LOG_FLAGS = $(AM_LOG_FLAGS) $(SHELL)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=tap; export CMOCKA_MESSAGE_OUTPUT; \
	WEIR='$(abs_builddir)/weir$(EXEEXT)'; export WEIR; \
	WEIR_PLAIN="$${WEIR_PLAIN:-$$WEIR}"; export WEIR_PLAIN; \
	builddir='$(abs_builddir)'; export builddir; \
	srcdir='$(abs_top_srcdir)'; export srcdir; $(SANITIZER_ENVIRONMENT)

# A finding ends the process by a signal, so that nothing can overlook it.
if SANITIZERS
SANITIZER_ENVIRONMENT = \
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:handle_segv=2:handle_sigbus=2; \
	UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1:print_stacktrace=1; \
	export ASAN_OPTIONS UBSAN_OPTIONS;
else
SANITIZER_ENVIRONMENT =
endif

# Parts of "make check"; one test alone: make check TESTS=tests/unit/test_addr
CHECK_unit = $(UNIT_TESTS)
CHECK_module = $(MODULE_TESTS)
CHECK_lint = $(LINT_TESTS)
CHECK_process = $(PROCESS_TESTS)
CHECK_real = $(REAL_TESTS)
CHECK_quick = $(UNIT_TESTS) $(MODULE_TESTS) $(LINT_TESTS)
CHECK_slow = $(PROCESS_TESTS) $(REAL_TESTS)
CHECK_long = $(LONG_TESTS)
CHECKS = check-unit check-module check-lint check-process check-real \
	check-quick check-slow check-long

check-long: TEST_SECONDS = 3600
$(CHECKS): check-%: all
	$(MAKE) $(AM_MAKEFLAGS) check TEST_SECONDS=$(TEST_SECONDS) \
		TESTS='$(CHECK_$*)'

if !HAVE_CMOCKA
check-am: no-cmocka
no-cmocka:
	@echo 'make check needs cmocka: install libcmocka-dev' \
		'and run configure again' >&2
	@exit 1
endif

.PHONY: $(CHECKS) no-cmocka
