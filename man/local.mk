# The manuals.  weir.conf(5) asks the program for its options, so it is made
# after it and never part of the archive.  To build for another machine, give a
# weir that runs here: make WEIR_HERE=/usr/sbin/weir, and a weirctl.
WEIR_HERE = ./weir$(EXEEXT)
WEIRCTL_HERE = ./weirctl$(EXEEXT)
nodist_man_MANS = man/weir.8 man/weir.conf.5 man/weir-api.7 \
	man/weir-module.7 man/weirctl.1
EXTRA_DIST += man/weir.8.in man/weir.conf.5.in man/weir-module.7.in \
	man/weir-api.7.in man/weirctl.1.in \
	man/module.awk man/reasons.awk
CLEANFILES += $(nodist_man_MANS) man/*.inc man/*.tmp

MAN_EDIT = sed -e '/^@OPTIONS@$$/{' -e 'r man/options.inc' -e 'd' -e '}' \
	-e '/^@REASONS@$$/{' -e 'r man/reasons.inc' -e 'd' -e '}' \
	-e '/^@COMMANDS@$$/{' -e 'r man/commands.inc' -e 'd' -e '}' \
	-e '/^@STATUSES@$$/{' -e 'r man/statuses.inc' -e 'd' -e '}' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g'

man/weir.8: man/weir.8.in Makefile
	$(AM_V_GEN)$(MKDIR_P) man && \
	$(MAN_EDIT) $(top_srcdir)/man/weir.8.in >$@.tmp && mv $@.tmp $@

man/weir-api.7: man/weir-api.7.in Makefile
	$(AM_V_GEN)$(MKDIR_P) man && \
	$(MAN_EDIT) $(top_srcdir)/man/weir-api.7.in >$@.tmp && mv $@.tmp $@

man/reasons.inc: man/reasons.awk src/api/reason.def Makefile
	$(AM_V_GEN)$(MKDIR_P) man && $(AWK) -f $(top_srcdir)/man/reasons.awk \
		$(top_srcdir)/src/api/reason.def >$@.tmp && mv $@.tmp $@

man/weir.conf.5: man/weir.conf.5.in man/reasons.inc weir$(EXEEXT) Makefile
	$(AM_V_GEN)$(WEIR_HERE) --man >man/options.inc && \
	$(MAN_EDIT) $(top_srcdir)/man/weir.conf.5.in >$@.tmp && mv $@.tmp $@

man/weirctl.1: man/weirctl.1.in weirctl$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) man && $(WEIRCTL_HERE) --man >man/ctl.inc && \
	sed '/^\.Sh EXIT/,$$d' man/ctl.inc >man/commands.inc && \
	sed -n '/^\.Sh EXIT/,$$p' man/ctl.inc >man/statuses.inc && \
	$(MAN_EDIT) $(top_srcdir)/man/weirctl.1.in >$@.tmp && mv $@.tmp $@

# What it shows: the headers and the samples themselves.
MODULE_SHOWN = \
	modules/middleware/preface.c \
	modules/middleware/select.c \
	src/api/channel.h \
	src/api/counter.h \
	src/api/extension.h \
	src/api/middleware.h \
	src/api/observer.h \
	src/api/option.h \
	src/api/table.h \
	src/api/variable.h \
	src/api/verdict.h \
	tests/module/template/bang.c \
	tests/module/template/test_bang.c \
	tests/unit/test_lag.c

man/weir-module.7: man/weir-module.7.in man/module.awk man/reasons.inc \
		$(MODULE_SHOWN) Makefile
	$(AM_V_GEN)$(AWK) -v top=$(top_srcdir) -f $(top_srcdir)/man/module.awk \
		$(top_srcdir)/man/weir-module.7.in >$@.in.tmp && \
	$(MAN_EDIT) $@.in.tmp >$@.tmp && mv $@.tmp $@ && rm -f $@.in.tmp
