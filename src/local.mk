# The core: everything of src but main.c, one file a line, sorted.
noinst_LIBRARIES += libweir.a
libweir_a_SOURCES = \
	src/api/channel.h \
	src/api/middleware.h \
	src/api/option.h \
	src/api/reason.def \
	src/api/variable.h \
	src/api/verdict.h \
	src/api/weir.h \
	src/base/addr.c \
	src/base/addr.h \
	src/base/arena.c \
	src/base/arena.h \
	src/base/buf.c \
	src/base/buf.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/fd.c \
	src/base/fd.h \
	src/base/log.c \
	src/base/log.h \
	src/base/msg.c \
	src/base/msg.h \
	src/base/reason.c \
	src/base/units.c \
	src/base/units.h \
	src/conf/conf.c \
	src/conf/conf.h \
	src/conf/core.c \
	src/conf/core.h \
	src/conf/describe.c \
	src/conf/describe.h \
	src/conf/diag.c \
	src/conf/diag.h \
	src/conf/expand.c \
	src/conf/expand.h \
	src/conf/grammar.c \
	src/conf/grammar.h \
	src/conf/near.c \
	src/conf/near.h \
	src/conf/node.c \
	src/conf/node.h \
	src/conf/number.c \
	src/conf/number.h \
	src/conf/option.c \
	src/conf/option.h \
	src/conf/override.c \
	src/conf/override.h \
	src/conf/scan.c \
	src/conf/scan.h \
	src/conf/source.c \
	src/conf/source.h \
	src/conf/stage.c \
	src/conf/stage.h \
	src/conf/value.c \
	src/conf/value.h \
	src/engine/call.c \
	src/engine/call.h \
	src/engine/chain.c \
	src/engine/chain.h \
	src/engine/channel.c \
	src/engine/channel.h \
	src/engine/closing.c \
	src/engine/closing.h \
	src/engine/connect.c \
	src/engine/connect.h \
	src/engine/endpoint.c \
	src/engine/endpoint.h \
	src/engine/engine.c \
	src/engine/engine.h \
	src/engine/flow.c \
	src/engine/flow.h \
	src/engine/hold.c \
	src/engine/hold.h \
	src/engine/limits.c \
	src/engine/loop.c \
	src/engine/loop.h \
	src/engine/poller.c \
	src/engine/poller.h \
	src/engine/stage.c \
	src/engine/stage.h \
	src/engine/timeouts.c \
	src/engine/timeouts.h \
	src/engine/verbs.c \
	src/heritage.h \
	src/master/daemon.c \
	src/master/daemon.h \
	src/master/drop.c \
	src/master/drop.h \
	src/master/listeners.c \
	src/master/listeners.h \
	src/master/master.c \
	src/master/master.h \
	src/master/pidfile.c \
	src/master/pidfile.h \
	src/master/signals.c \
	src/master/signals.h \
	src/master/workers.c \
	src/master/workers.h \
	src/registry.c \
	src/registry.h \
	src/worker/accept.c \
	src/worker/accept.h \
	src/worker/control.c \
	src/worker/control.h \
	src/worker/worker.c

# Modules call the core, and the registry of the core names the modules.
sbin_PROGRAMS += weir
weir_SOURCES = src/main.c
weir_LDFLAGS = $(WEIR_LDFLAGS)
weir_LDADD = libweir.a libmodules.a libweir.a \
	$(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(LIBBSD_LIBS)
