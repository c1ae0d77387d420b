# weir.m4 - what weir's configure asks in words of its own.

m4_ifndef([PKG_PROG_PKG_CONFIG],
	[m4_fatal([pkg.m4 is missing: install pkgconf (Debian: apt-get install pkgconf)])])

# WEIR_IF_FLAG(FLAGS, [IF-TAKEN], [IF-NOT])
# Does the compiler take FLAGS?
AC_DEFUN([WEIR_IF_FLAG], [
	AC_MSG_CHECKING([whether $CC takes $1])
	weir_saved=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [weir_taken=yes],
		[weir_taken=no])
	CFLAGS=$weir_saved
	AC_MSG_RESULT([$weir_taken])
	AS_IF([test $weir_taken = yes], [$2], [$3])
])

# WEIR_STD(FLAG)
# The language: the one thing about the compiler that cannot be done without.
AC_DEFUN([WEIR_STD], [
	WEIR_IF_FLAG([$1], [WEIR_CFLAGS="$1"],
		[AC_MSG_ERROR([$CC does not take $1: install gcc or clang])])
	AC_SUBST([WEIR_CFLAGS])
])

# WEIR_WARNINGS(FLAGS)
# Adds every warning of FLAGS that the compiler knows; --enable-werror makes
# them fatal.
AC_DEFUN([WEIR_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [a warning ends the build])])
	for weir_flag in m4_normalize([$1]); do
		WEIR_IF_FLAG([$weir_flag], [AS_VAR_APPEND([WEIR_CFLAGS],
			[" $weir_flag"])])
	done
	AS_IF([test "x$enable_werror" = xyes],
		[AS_VAR_APPEND([WEIR_CFLAGS], [" -Werror"])])
])

# WEIR_SANITIZERS
AC_DEFUN([WEIR_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers],
			[find memory errors, undefined behaviour and misuse of
			the module contract while running (for tests, not for
			service)])])
	WEIR_LDFLAGS=
	AS_IF([test "x$enable_sanitizers" = xyes], [
		weir_flags="-fsanitize=address,undefined -fno-sanitize-recover=all"
		AS_VAR_APPEND([weir_flags], [" -fno-omit-frame-pointer"])
		WEIR_IF_FLAG([$weir_flags],
			[AS_VAR_APPEND([WEIR_CFLAGS], [" $weir_flags -DWEIR_DEBUG"])
			WEIR_LDFLAGS=$weir_flags],
			[weir_missing="$weir_missing
  the sanitizer runtime of $CC (Debian: libasan of gcc, libclang-rt-VERSION-dev of clang)"])
	])
	AC_SUBST([WEIR_LDFLAGS])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])

# WEIR_FUZZER
# Only "make check-long" needs it, and says so (FUZZ_CC is empty then): a clang
# that has libFuzzer, whatever CC is.
AC_DEFUN([WEIR_FUZZER], [
	AC_REQUIRE([AC_PROG_CC])
	AC_ARG_VAR([FUZZ_CC], [clang that has libFuzzer, for check-long])
	AC_CHECK_PROGS([FUZZ_CC], [clang-14 clang])
	AS_IF([test -n "$FUZZ_CC"], [
		AC_MSG_CHECKING([whether $FUZZ_CC has libFuzzer])
		weir_cc=$CC weir_cflags=$CFLAGS
		CC=$FUZZ_CC CFLAGS="-fsanitize=fuzzer,address,undefined"
		AC_LINK_IFELSE([AC_LANG_SOURCE(
			[int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
			{ return p == 0 && n != 0; }])],
			[weir_taken=yes], [weir_taken=no FUZZ_CC=])
		CC=$weir_cc CFLAGS=$weir_cflags
		AC_MSG_RESULT([$weir_taken])
	])
])

# WEIR_LIBRARY(VARIABLE, PKG-CONFIG-MODULE, DEBIAN-PACKAGE)
# What is missing is remembered for WEIR_MISSING, so that a user is told of
# everything at once.
AC_DEFUN([WEIR_LIBRARY], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AS_IF([test -z "$PKG_CONFIG"], [weir_no_pkg_config=yes],
		[PKG_CHECK_MODULES([$1], [$2], [], [weir_missing="$weir_missing
  $2 (Debian: install $3)"
			weir_packages="$weir_packages $3"])])
])

# WEIR_TEST_LIBRARY(VARIABLE, PKG-CONFIG-MODULE, DEBIAN-PACKAGE)
# Only "make check" needs it, and says so (conditional HAVE_VARIABLE).
AC_DEFUN([WEIR_TEST_LIBRARY], [
	have_$1=no
	AS_IF([test -n "$PKG_CONFIG"],
		[PKG_CHECK_MODULES([$1], [$2], [have_$1=yes], [have_$1=no])])
	AM_CONDITIONAL([HAVE_$1], [test $have_$1 = yes])
])

# WEIR_SYSTEMD
# Where the unit goes (SYSTEMD_UNIT_DIR, conditional SYSTEMD_UNIT): what
# --with-systemdsystemunitdir says, or else what pkg-config knows, but not when
# everything goes to a prefix of one's own.  Its type is what that systemd knows
# (UNIT_TYPE, UNIT_RELOAD).
AC_DEFUN([WEIR_SYSTEMD], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AC_ARG_WITH([systemdsystemunitdir], [AS_HELP_STRING(
		[--with-systemdsystemunitdir=DIR],
		[install weir.service there; default: where pkg-config has it,
		when the prefix is /usr or /usr/local])],
		[], [with_systemdsystemunitdir=auto])
	AC_MSG_CHECKING([where units of systemd go])
	weir_unit_dir=
	AS_IF([test -n "$PKG_CONFIG"], [weir_unit_dir=`$PKG_CONFIG \
		--variable=systemdsystemunitdir systemd 2>/dev/null`])
	AS_CASE([$with_systemdsystemunitdir],
		[no], [weir_unit_dir=],
		[yes], [AS_IF([test -z "$weir_unit_dir"], [AC_MSG_ERROR(
			[pkg-config knows no systemd: give --with-systemdsystemunitdir=DIR])])],
		[auto], [AS_CASE([$prefix], [NONE|/usr|/usr/local], [],
			[weir_unit_dir=])],
		[/*], [weir_unit_dir=$with_systemdsystemunitdir],
		[AC_MSG_ERROR(
			[--with-systemdsystemunitdir wants an absolute path])])
	AC_MSG_RESULT([${weir_unit_dir:-nowhere}])
	AC_SUBST([SYSTEMD_UNIT_DIR], [$weir_unit_dir])
	AM_CONDITIONAL([SYSTEMD_UNIT], [test -n "$weir_unit_dir"])
	UNIT_TYPE=notify-reload UNIT_RELOAD=
	AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists 'systemd < 253'], [
		UNIT_TYPE=notify
		UNIT_RELOAD='$(sbindir)/weir -s reload -c $(sysconfdir)/weir.conf -o process.pidfile=/run/weir/weir.pid'
	])
	AC_SUBST([UNIT_TYPE])
	AC_SUBST([UNIT_RELOAD])
])

# WEIR_BASH_COMPLETION
# Where completions for bash go (BASH_COMPLETION_DIR): what
# --with-bash-completion-dir says, or else what pkg-config knows when the prefix
# is /usr, or else where bash-completion looks below a prefix.
AC_DEFUN([WEIR_BASH_COMPLETION], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AC_ARG_WITH([bash-completion-dir], [AS_HELP_STRING(
		[--with-bash-completion-dir=DIR],
		[install the completion of weirctl there; default: where
		pkg-config has it, when the prefix is /usr, or
		DATADIR/bash-completion/completions])],
		[], [with_bash_completion_dir=auto])
	AC_MSG_CHECKING([where completions for bash go])
	weir_completion_dir='${datadir}/bash-completion/completions'
	AS_IF([test "x$prefix" = x/usr && test -n "$PKG_CONFIG"], [
		weir_known=`$PKG_CONFIG --variable=completionsdir \
			bash-completion 2>/dev/null`
		AS_IF([test -n "$weir_known"],
			[weir_completion_dir=$weir_known])
	])
	AS_CASE([$with_bash_completion_dir],
		[no], [weir_completion_dir=],
		[yes|auto], [],
		[/*], [weir_completion_dir=$with_bash_completion_dir],
		[AC_MSG_ERROR(
			[--with-bash-completion-dir wants an absolute path])])
	AC_MSG_RESULT([${weir_completion_dir:-nowhere}])
	AC_SUBST([BASH_COMPLETION_DIR], [$weir_completion_dir])
	AM_CONDITIONAL([BASH_COMPLETION], [test -n "$weir_completion_dir"])
])

# WEIR_MISSING
# Ends configure when something was missing, naming all of it.
AC_DEFUN([WEIR_MISSING], [
	AS_IF([test "x$weir_no_pkg_config" = xyes], [AC_MSG_ERROR(
		[pkg-config is missing, and with it no library can be looked for
(Debian: apt-get install pkgconf libevent-dev libconfig-dev libbsd-dev
libcurl4-openssl-dev libjansson-dev libncurses-dev)])])
	AS_IF([test -n "$weir_packages"], [weir_missing="$weir_missing
(Debian, all at once: apt-get install$weir_packages)"])
	AS_IF([test -n "$weir_missing"], [AC_MSG_ERROR([missing:$weir_missing])])
])
