/* main.c - argv -> run | -t | -T | -s SIGNAL | -V | --modules | --man. */

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syslog.h"
#include "conf/conf.h"
#include "conf/describe.h"
#include "conf/settings.h"
#include "heritage.h"
#include "master/activation.h"
#include "master/client.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/probe.h"
#include "master/rights.h"
#include "master/rlimits.h"
#include "master/signals.h"
#include "registry.h"

#ifndef WEIR_SYSCONFDIR
#define WEIR_SYSCONFDIR "/etc"
#endif
#ifndef WEIR_VERSION
#define WEIR_VERSION "unversioned"
#endif
#define MAIN_CONFIG WEIR_SYSCONFDIR "/weir.conf"

/* Options without a letter, above every letter. */
enum { MAIN_MODULES = 256, MAIN_MAN, MAIN_READY_FD };

struct option_row {
	int ch;
	const char *name; /* long form, or NULL */
	const char *arg;  /* word for its argument, or NULL */
	bool is_mode;	  /* only one of these at a time */
	const char *help;
};

struct args {
	int mode; /* ch of the row, 0: run */
	const char *file;
	const char *prefix;
	const char *word; /* of -s */
	const char **overrides;
	size_t noverrides;
	bool daemon;
	bool quiet;
	struct master_options master;
};

static const struct option_row main_options[] = {
	{ 'c', NULL, "FILE", false, "configuration, default " MAIN_CONFIG },
	{ 't', NULL, NULL, true, "check the configuration and exit" },
	{ 'T', NULL, NULL, true, "check it, print every setting and exit" },
	{ 'q', NULL, NULL, false, "with -t: print nothing but errors" },
	{ 's', NULL, "SIGNAL", true, "signal or ask the weir that runs" },
	{ 'o', NULL, "PATH=VALUE", false, "set an option; may be repeated" },
	{ 'p', NULL, "PREFIX", false, "directory of relative paths" },
	{ 'd', NULL, NULL, false, "go to the background once ready" },
	{ 'V', "version", NULL, true, "print the version and exit" },
	{ MAIN_READY_FD, "ready-fd", "N", false,
		"write addresses and readiness to this descriptor" },
	{ MAIN_MODULES, "modules", NULL, true,
		"print the modules and their options" },
	{ MAIN_MAN, "man", NULL, true,
		"print the option sections of weir.conf(5)" },
	{ 'h', "help", NULL, true, "print this and exit" },
};

#define MAIN_NOPTIONS (sizeof(main_options) / sizeof(main_options[0]))

static int args_parse(struct args *args, int argc, char **argv);
static int args_take(struct args *args, int ch, const char *value);
static int args_ready_fd(struct args *args, const char *value);
static int
usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *
option_text(const struct option_row *row, char text[static 32]);
static bool both_names(const struct option_row *row);
static int main_run(const struct args *args);
static int main_tested(void);
static int main_configured(const struct args *args, const struct conf *conf,
	const struct conf_overrides *over);
static int main_check(const struct conf *conf);
static int main_serve(const struct args *args, const struct conf *conf,
	const struct conf_overrides *over);
static int main_help(void);
static int main_flush(int status);

int
main(int argc, char **argv)
{
	struct args args = { .file = MAIN_CONFIG, .master.ready_fd = -1 };
	int status = 1;

	if (fd_stdio_open() == -1 || registry_check(stderr) == -1)
		return 1;
	setproctitle_init(argc, argv, environ);
	/* A word of argv for each -o at least, one entry for -d, and the end;
	 * argv[0] is none of them. */
	args.overrides = calloc((size_t)argc + 1, sizeof(*args.overrides));
	if (args.overrides == NULL)
		fprintf(stderr, "weir: %s\n", strerror(errno));
	else if (args_parse(&args, argc, argv) == 0)
		status = main_run(&args);
	free(args.overrides);
	return main_flush(status);
}

static int
args_parse(struct args *args, int argc, char **argv)
{
	struct option longs[MAIN_NOPTIONS + 1] = { 0 };
	char shorts[2 * MAIN_NOPTIONS + 2] = ":", *p = shorts + 1;
	size_t i, n = 0;
	int ch;

	for (i = 0; i < MAIN_NOPTIONS; i++) {
		const struct option_row *row = &main_options[i];

		if (row->name != NULL)
			longs[n++] = (struct option){ .name = row->name,
				.has_arg = row->arg != NULL,
				.val = row->ch };
		if (row->ch > UCHAR_MAX)
			continue;
		*p++ = (char)row->ch;
		if (row->arg != NULL)
			*p++ = ':';
	}
	opterr = 0;
	while ((ch = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (ch == ':')
			return usage_error(
				"option \"%s\" needs an argument", word);
		if (ch == '?' && optopt > 0 && optopt <= UCHAR_MAX)
			return usage_error("unknown option \"-%c\"", optopt);
		if (ch == '?')
			return usage_error("unknown option \"%s\"", word);
		if (args_take(args, ch, optarg) == -1)
			return -1;
	}
	if (optind < argc)
		return usage_error("unexpected argument \"%s\"", argv[optind]);
	/* One way to say it, so that -T and -s see it as well. */
	if (args->daemon)
		args->overrides[args->noverrides++] = "process.daemon=true";
	return 0;
}

static int
args_take(struct args *args, int ch, const char *value)
{
	const struct option_row *row = main_options, *other = main_options;
	char text[32], other_text[32];

	while (row->ch != ch)
		row++;
	if (row->is_mode && args->mode != 0 && args->mode != ch) {
		while (other->ch != args->mode)
			other++;
		return usage_error("%s and %s do not go together",
			option_text(other, other_text), option_text(row, text));
	}
	if (row->is_mode)
		args->mode = ch;
	switch (ch) {
	case 'c':
		args->file = value;
		break;
	case 'q':
		args->quiet = true;
		break;
	case 's':
		args->word = value;
		break;
	case 'o':
		if (strchr(value, '=') == NULL || value[0] == '=')
			return usage_error("option \"-o\" wants PATH=VALUE, "
					   "not \"%s\"",
				value);
		args->overrides[args->noverrides++] = value;
		break;
	case 'p':
		args->prefix = value;
		break;
	case 'd':
		args->daemon = true;
		break;
	case MAIN_READY_FD:
		return args_ready_fd(args, value);
	}
	return 0;
}

static int
args_ready_fd(struct args *args, const char *value)
{
	const char *why;
	int fd = (int)strtonum(value, 0, INT_MAX, &why);

	if (why != NULL || fcntl(fd, F_GETFD) == -1)
		return usage_error("option \"--ready-fd\" wants an open "
				   "descriptor, not \"%s\"",
			value);
	/* stdio stays as it is: the master closes what it gets. */
	if (fd <= STDERR_FILENO)
		fd = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
	if (fd == -1 || fd_cloexec(fd) == -1)
		return usage_error(
			"option \"--ready-fd\": %s", strerror(errno));
	args->master.ready_fd = fd;
	return 0;
}

static int
usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("weir: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("; weir -h lists the options\n", stderr);
	va_end(ap);
	return -1;
}

static const char *
option_text(const struct option_row *row, char text[static 32])
{
	if (row->ch <= UCHAR_MAX)
		snprintf(text, 32, "-%c", row->ch);
	else
		snprintf(text, 32, "--%s", row->name);
	return text;
}

static int
main_run(const struct args *args)
{
	struct conf_overrides over = { .options = args->overrides };
	struct conf *conf;
	int status;

	switch (args->mode) {
	case 'V':
		printf("weir %s\n", WEIR_VERSION);
		return 0;
	case MAIN_MODULES:
		describe_modules(stdout);
		return 0;
	case MAIN_MAN:
		describe_man(stdout);
		return 0;
	case 'h':
		return main_help();
	}
	if (args->mode == 0)
		signals_hold();
	if (args->prefix != NULL && chdir(args->prefix) == -1) {
		fprintf(stderr, "weir: prefix \"%s\": %s\n", args->prefix,
			strerror(errno));
		return 1;
	}
	if (main_tested() == -1)
		return 1;
	over.environ = environ;
	conf = conf_load(args->file, &over, stderr);
	if (conf == NULL)
		return 1;
	status = main_configured(args, conf, &over);
	conf_free(conf);
	return status;
}

/* What tests put in the place of the real thing. */
static int
main_tested(void)
{
	static char at[PATH_MAX];
	const char *clock_path = getenv("WEIR_TEST_CLOCK");
	const char *path = getenv("WEIR_TEST_SYSLOG");

	if (clock_path != NULL && clock_attach(clock_path) == -1) {
		fprintf(stderr, "weir: WEIR_TEST_CLOCK \"%s\": %s\n",
			clock_path, strerror(errno));
		return -1;
	}
	if (path != NULL) {
		strlcpy(at, path, sizeof(at));
		syslog_attach(at);
	}
	/* They are not names of options, as other WEIR_... are. */
	unsetenv("WEIR_TEST_CLOCK");
	unsetenv("WEIR_TEST_SYSLOG");
	return 0;
}

static int
main_configured(const struct args *args, const struct conf *conf,
	const struct conf_overrides *over)
{
	switch (args->mode) {
	case 's':
		return client_run(conf, args->word);
	case 't':
		if (args->quiet)
			(void)log_switch(
				STDERR_FILENO, "stderr", LOG_LEVEL_ERROR);
		if (main_check(conf) == -1)
			return 1;
		if (!args->quiet)
			printf("%s: the configuration is good\n", args->file);
		return 0;
	case 'T':
		settings_show(stdout, conf);
		return 0;
	}
	return main_serve(args, conf, over);
}

/* What a start does between reading the file and binding. */
static int
main_check(const struct conf *conf)
{
	/* It changes nothing of it. */
	struct generation *g = generation_new(1, (struct conf *)conf, false);
	int rc = -1;

	if (g == NULL)
		fprintf(stderr, "weir: %s\n", strerror(errno));
	else if (logs_check(conf) == 0 && rights_check(conf) == 0 &&
		 probe_check(conf) == 0)
		rc = rlimits_check(conf, g->listeners.n, g->workers.n);
	if (g != NULL)
		generation_free(g);
	return rc;
}

static int
main_serve(const struct args *args, const struct conf *conf,
	const struct conf_overrides *over)
{
	struct activation activation;
	struct master_options master = args->master;
	int status;

	if (activation_open(&activation, master.ready_fd) == -1)
		return 1;
	master.activation = &activation;
	master.file = args->file;
	master.over = over;
	/* What a careless parent left open must not live in every worker. */
	fd_close_from(activation_end(&activation), master.ready_fd);
	status = master_run(conf, &master, worker_main, keeper_main);
	activation_close(&activation);
	return status;
}

static bool
both_names(const struct option_row *row)
{
	return row->name != NULL && row->ch <= UCHAR_MAX;
}

static int
main_help(void)
{
	const struct option_row *row;
	char text[64], option[32];

	printf("usage: weir [-c FILE] [-t] [-T] [-q] [-s SIGNAL] "
	       "[-o PATH=VALUE]... [-p PREFIX] [-d] [-V]\n\n");
	for (row = main_options; row < main_options + MAIN_NOPTIONS; row++) {
		snprintf(text, sizeof(text), "%s%s%s%s%s",
			option_text(row, option), both_names(row) ? ", --" : "",
			both_names(row) ? row->name : "",
			row->arg != NULL ? " " : "",
			row->arg != NULL ? row->arg : "");
		printf("  %-16s %s\n", text, row->help);
	}
	printf("\nSIGNAL is one of:\n");
	client_words(stdout, true);
	return 0;
}

/* What was asked for must have been printed. */
static int
main_flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "weir: cannot write: %s\n", strerror(errno));
	return 1;
}
