/* plan.c - a master whose workers are a function of the test. */
#include <stdio.h>

#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "lib/daemon.h"
#include "lib/plan.h"
#include "master/master.h"

int
plan_run(int ready_fd, void *arg)
{
	const struct plan *plan = arg;
	struct conf_listen listen = { .text = "127.0.0.1:0", .backlog = 16 };
	static const struct weir_logfile target = { .text = "stderr" };
	static const struct weir_logfile *const files[] = { &target };
	struct conf_server server = { .name = "pg",
		.close_wait_ms = plan->close_wait_ms,
		.listen = { 1, &listen } };
	struct conf conf = { .file = "made by hand",
		.process = { .workers = plan->workers,
			.user = "nobody",
			.pidfile = "weir.pid",
			.daemon = plan->background,
			.start_timeout_ms = plan->start_timeout_ms },
		.log = { .level = LOG_LEVEL_INFO, .target = &target },
		.logfiles = { 1, (void *)(uintptr_t)files },
		.servers = { 1, &server } };
	struct master_options opt = { .ready_fd = ready_fd };
	const char *why;

	if (addr_parse(&listen.address, listen.text, &why) == -1)
		return 3;
	return master_run(&conf, &opt, plan->worker, keeper_main);
}

struct daemon *
plan_start(struct plan *plan)
{
	struct daemon *d = daemon_new();

	if (plan->start_timeout_ms == 0)
		plan->start_timeout_ms = DAEMON_MS;
	if (plan->close_wait_ms == 0)
		plan->close_wait_ms = DAEMON_MS;
	daemon_launch_function(d, plan_run, plan);
	return d;
}

int
plan_run_file(int ready_fd, void (*worker)(const struct heritage *))
{
	struct master_options opt = { .ready_fd = ready_fd,
		.file = "weir.conf" };
	struct conf *conf = conf_load("weir.conf", NULL, stderr);
	int status;

	if (conf == NULL)
		return 4;
	status = master_run(conf, &opt, worker, keeper_main);
	conf_free(conf);
	return status;
}
