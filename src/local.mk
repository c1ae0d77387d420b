# The core: everything of src but main.c, one file a line, sorted.
noinst_LIBRARIES += libweir.a
libweir_a_SOURCES = \
	src/api/channel.h \
	src/api/middleware.h \
	src/api/option.h \
	src/api/reason.def \
	src/api/verdict.h \
	src/api/weir.h \
	src/base/addr.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/log.h \
	src/base/msg.h \
	src/base/units.h \
	src/conf/conf.h \
	src/conf/describe.h \
	src/heritage.h \
	src/registry.h
