# The manuals.  weir.conf(5) asks the program for its options, so it is made
# after it and never part of the archive.  To build for another machine, give a
# weir that runs here: make WEIR_HERE=/usr/sbin/weir
WEIR_HERE = ./weir$(EXEEXT)
nodist_man_MANS = man/weir.8 man/weir.conf.5
EXTRA_DIST += man/weir.8.in man/weir.conf.5.in man/reasons.awk
CLEANFILES += man/weir.8 man/weir.conf.5 man/*.tmp

MAN_EDIT = sed -e '/^@OPTIONS@$$/{' -e 'r man/options.tmp' -e 'd' -e '}' \
	-e '/^@REASONS@$$/{' -e 'r man/reasons.tmp' -e 'd' -e '}' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g'

man/weir.8: man/weir.8.in Makefile
	$(AM_V_GEN)$(MKDIR_P) man && \
	$(MAN_EDIT) $(top_srcdir)/man/weir.8.in >$@.tmp && mv $@.tmp $@

man/weir.conf.5: man/weir.conf.5.in man/reasons.awk src/api/reason.def \
		weir$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) man && $(WEIR_HERE) --man >man/options.tmp && \
	$(AWK) -f $(top_srcdir)/man/reasons.awk \
		$(top_srcdir)/src/api/reason.def >man/reasons.tmp && \
	$(MAN_EDIT) $(top_srcdir)/man/weir.conf.5.in >$@.tmp && mv $@.tmp $@ && \
	rm -f man/options.tmp man/reasons.tmp
