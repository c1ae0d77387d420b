# Modules see src/api and the system's headers, nothing else: a private header
# of the core cannot be included.  Their list is modules.list, read by
# configure, so these are the only objects that automake does not know.
noinst_LIBRARIES += libmodules.a
libmodules_a_SOURCES =
libmodules_a_LIBADD = $(MODULE_OBJECTS)
libmodules_a_DEPENDENCIES = $(MODULE_OBJECTS) modules.def
EXTRA_DIST += modules/modules.list $(MODULE_SOURCES)

$(MODULE_OBJECTS): %.o: %.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -I$(top_srcdir)/src/api -D_GNU_SOURCE= \
		$(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(MODULE_OBJECTS:.o=.d)

MOSTLYCLEANFILES += $(MODULE_OBJECTS) $(MODULE_OBJECTS:.o=.d)
