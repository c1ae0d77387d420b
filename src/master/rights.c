/* rights.c - capabilities(7): which of them workers need, and keep. */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/rights.h"

struct right {
	const char *word;
	uint32_t bit;
};

/* What needs something. */
struct asker {
	const char *server;
	const char *kind, *name; /* "middleware" "forward" */
};

#define X(id, word, number)                                                    \
	_Static_assert(CAP_##id == (number), "another number of a "            \
					     "capability");
WEIR_NEEDS(X)
#undef X

static const struct right all[] = {
#define X(id, word, number) { word, WEIR_NEEDS_##id },
	WEIR_NEEDS(X)
#undef X
};

static int rights_get(struct __user_cap_data_struct *data);
static int
rights_sum(uint32_t *needs, const struct conf *conf, enum log_level level);
static int server_rights(uint32_t *needs, const struct conf_server *server,
	uint32_t has, enum log_level level);
static int asker_rights(const struct asker *asker, uint32_t needs,
	uint32_t lacks, enum log_level level);

int
rights_needed(uint32_t *needs, const struct conf *conf)
{
	return rights_sum(needs, conf, LOG_LEVEL_ERROR);
}

int
rights_check(const struct conf *conf)
{
	uint32_t needs;

	return rights_sum(&needs, conf,
		geteuid() == 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN);
}

void
rights_unbound(void)
{
	unsigned long cap = 0;

	/* It fails beyond the last one, or at the first without CAP_SETPCAP. */
	while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
		cap++;
}

int
rights_keep(uint32_t needs)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct wanted[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = needs, .effective = needs }
	};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
	size_t i;

	/* Where the kernel knows no ambient set there is none. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
		errno != EINVAL)
		return -1;
	if (syscall(SYS_capset, &head, wanted) == -1 || rights_get(has) == -1)
		return -1;
	errno = EPERM;
	if (memcmp(has, wanted, sizeof(has)) != 0)
		return -1;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (needs & all[i].bit)
			log_info("keeps %s", all[i].word);
	return 0;
}

static int
rights_get(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(SYS_capget, &head, data);
}

/* What lacks is of that level: an error, or no more than a warning. */
static int
rights_sum(uint32_t *needs, const struct conf *conf, enum log_level level)
{
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
	size_t i;
	int rc = 0;

	*needs = 0;
	if (rights_get(has) == -1) {
		log_error("cannot see what weir may do: %s", strerror(errno));
		return -1;
	}
	for (i = 0; i < conf->servers.n; i++)
		if (server_rights(needs, conf_server_at(conf, i),
			    has[0].permitted, level) == -1)
			rc = -1;
	return rc;
}

/* Adds what workers need for that server. */
static int
server_rights(uint32_t *needs, const struct conf_server *server, uint32_t has,
	enum log_level level)
{
	const struct conf_backend *backend = &server->backend;
	const struct weir_addr *source = backend->source.v;
	struct asker asker = { server->name, "option", "backend.mark" };
	uint32_t more;
	size_t i;
	int rc = 0;

	more = backend->mark != 0 ? WEIR_NEEDS_NET_ADMIN : 0;
	rc |= asker_rights(&asker, more, ~has, level);
	*needs |= more;
	asker.name = "backend.transparent";
	more = backend->transparent != CONF_TRANSPARENT_OFF ? WEIR_NEEDS_NET_RAW
							    : 0;
	rc |= asker_rights(&asker, more, ~has, level);
	*needs |= more;
	asker.name = "backend.source";
	for (i = 0, more = 0; i < backend->source.n; i++)
		if (weir_addr_is_low(&source[i]))
			more = WEIR_NEEDS_NET_BIND_SERVICE;
	rc |= asker_rights(&asker, more, ~has, level);
	*needs |= more;
	/* The master sets it; either is enough, workers need none. */
	asker.name = "listen.transparent";
	for (i = 0, more = 0; i < server->listen.n; i++)
		if (conf_listen_at(server, i)->transparent &&
			(has & WEIR_NEEDS_NET_ADMIN) == 0)
			more = WEIR_NEEDS_NET_RAW;
	rc |= asker_rights(&asker, more, ~has, level);
	asker.kind = "middleware";
	for (i = 0; i < server->stages.n; i++) {
		const struct conf_stage *stage = conf_stage_at(server, i);

		if (stage->mw->needs == NULL)
			continue;
		asker.name = stage->name;
		more = stage->mw->needs(stage->conf);
		rc |= asker_rights(&asker, more, ~has, level);
		*needs |= more;
	}
	return rc;
}

/* -1 when this process lacks one, and that is an error. */
static int
asker_rights(const struct asker *asker, uint32_t needs, uint32_t lacks,
	enum log_level level)
{
	uint32_t known = 0;
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		known |= all[i].bit;
		if ((needs & lacks & all[i].bit) == 0)
			continue;
		log_line(level,
			"server \"%s\": %s \"%s\" needs the "
			"capability %s, which weir does not have: start it as "
			"root or with that (AmbientCapabilities= and "
			"CapabilityBoundingSet= of systemd)",
			asker->server, asker->kind, asker->name, all[i].word);
		if (level >= LOG_LEVEL_ERROR)
			rc = -1;
	}
	if ((needs & ~known) == 0)
		return rc;
	log_error("server \"%s\": %s \"%s\" needs what weir does not "
		  "know (0x%x): its module has an error",
		asker->server, asker->kind, asker->name, needs & ~known);
	return -1;
}
