# Modules see src/api and the system's headers, nothing else: a private header
# of the core cannot be included.  Their list is modules.list, read by
# configure, so these are the only objects that automake does not know.  Those
# of --with-extra-modules are MORE_..., and extra.mk says where they come from.
noinst_LIBRARIES += libmodules.a
libmodules_a_SOURCES =
libmodules_a_LIBADD = $(MODULE_OBJECTS) $(MORE_OBJECTS)
libmodules_a_DEPENDENCIES = $(MODULE_OBJECTS) $(MORE_OBJECTS) $(MORE_SYMBOLS) \
	modules.def
EXTRA_DIST += modules/modules.list $(MODULE_SOURCES)

MODULE_COMPILE = $(CC) -I$(top_srcdir)/src/api -D_GNU_SOURCE= \
	$(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -MMD -MP -c

$(MODULE_OBJECTS): %.o: %.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(MODULE_COMPILE) -o $@ $<

# The page of stats: parts become one, and that an array.
PAGE = modules/extension/stats/page
PAGE_PARTS = $(PAGE)/dashboard.html \
	$(PAGE)/style.css \
	$(PAGE)/units.js \
	$(PAGE)/rates.js \
	$(PAGE)/chart.js \
	$(PAGE)/table.js \
	$(PAGE)/views.js \
	$(PAGE)/poll.js \
	$(PAGE)/main.js
EXTRA_DIST += $(PAGE)/join.awk $(PAGE_PARTS)

modules/dashboard.bytes: $(PAGE_PARTS) $(PAGE)/join.awk
	$(AM_V_GEN)$(MKDIR_P) modules && \
		$(AWK) -v dir='$(top_srcdir)/$(PAGE)' \
			-f $(top_srcdir)/$(PAGE)/join.awk \
			$(top_srcdir)/$(PAGE)/dashboard.html >$@.html && \
		od -An -v -tu1 $@.html | sed 's/  */,/g; s/^,//; s/$$/,/' \
			>$@.tmp && rm -f $@.html && mv $@.tmp $@
CLEANFILES += modules/dashboard.bytes
modules/extension/stats/dashboard.o: modules/dashboard.bytes
modules/extension/stats/dashboard.o: CPPFLAGS += -Imodules

-include extra.mk
$(MORE_OBJECTS):
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(MODULE_COMPILE) -o $@ $<

# What the linker would say of it names no file.
extra/symbols: $(MORE_OBJECTS) Makefile
	@for name in $(MORE_MODULES); do \
		objects=`ls extra/$$name.o extra/$$name/*.o 2>/dev/null`; \
		symbols=`$(NM) -g --defined-only $$objects`; \
		test -z "$$symbols" || \
			echo "$$symbols" | grep -qE " (mw|ext)_$$name\$$" || { \
			echo "modules.list names \"$$name\", but there is no" \
				"const struct weir_middleware mw_$$name in" \
				`sed -n "s|^extra/$$name[./].*: ||p" extra.mk` \
				"(nor a struct weir_extension ext_$$name)" \
				>&2; \
			exit 1; \
		}; \
	done
	@echo $(MORE_MODULES) >$@

-include $(MODULE_OBJECTS:.o=.d) $(MORE_OBJECTS:.o=.d)

MOSTLYCLEANFILES += $(MODULE_OBJECTS) $(MODULE_OBJECTS:.o=.d) extra/symbols

# Also those of modules that were in the list before.
mostlyclean-local:
	rm -f extra/*.[od] extra/*/*.[od]
