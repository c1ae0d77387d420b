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
static int
stage_rights(const struct conf_server *server, const struct conf_stage *stage,
	uint32_t needs, uint32_t lacks, enum log_level level);

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
	size_t i, j;
	int rc = 0;

	*needs = 0;
	if (rights_get(has) == -1) {
		log_error("cannot see what weir may do: %s", strerror(errno));
		return -1;
	}
	for (i = 0; i < conf->servers.n; i++) {
		const struct conf_server *server = conf_server_at(conf, i);

		for (j = 0; j < server->stages.n; j++) {
			const struct conf_stage *stage =
				conf_stage_at(server, j);
			uint32_t more = stage->mw->needs != NULL
						? stage->mw->needs(stage->conf)
						: 0;

			if (stage_rights(server, stage, more, ~has[0].permitted,
				    level) == -1)
				rc = -1;
			*needs |= more;
		}
	}
	return rc;
}

/* -1 when this process lacks one, and that is an error. */
static int
stage_rights(const struct conf_server *server, const struct conf_stage *stage,
	uint32_t needs, uint32_t lacks, enum log_level level)
{
	uint32_t known = 0;
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		known |= all[i].bit;
		if ((needs & lacks & all[i].bit) == 0)
			continue;
		log_line(level,
			"server \"%s\": middleware \"%s\" needs the "
			"capability %s, which weir does not have: start it as "
			"root or with that (AmbientCapabilities= and "
			"CapabilityBoundingSet= of systemd)",
			server->name, stage->name, all[i].word);
		if (level >= LOG_LEVEL_ERROR)
			rc = -1;
	}
	if ((needs & ~known) == 0)
		return rc;
	log_error("server \"%s\": middleware \"%s\" needs what weir does not "
		  "know (0x%x): its module has an error",
		server->name, stage->name, needs & ~known);
	return -1;
}
