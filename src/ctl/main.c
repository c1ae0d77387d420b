/* main.c - weirctl: asks and steers the weir that runs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/near.h"
#include "ctl/complete.h"
#include "ctl/help.h"

#define TOKEN_SIZE 4096
#define SILENT	   8  /* workers that are named one by one */
#define CTL_NICE   10 /* nice(2) */

static int main_run(struct ctl *c, int argc, char **argv);
static int main_unknown(const char *name);
static int main_arguments(const struct ctl *c);
static int main_ask(struct ctl *c);
static int main_token(const char *file, char token[static TOKEN_SIZE]);
static bool token_fits(const char *token);
static void main_silent(const json_t *json);
static int main_flush(int status);

int
main(int argc, char **argv)
{
	struct ctl c = { 0 };

	if (fd_stdio_open() == -1)
		return CTL_FAILED;
	/* Traffic comes first, as in the keeper. */
	(void)!nice(CTL_NICE);
	c.style = style_of(stdout);
	if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0)
		return main_flush(complete_run(argc - 2, argv + 2));
	return main_flush(main_run(&c, argc, argv));
}

void
ctl_say(const char *fmt, ...)
{
	va_list ap;

	/* What was printed before it stands before it. */
	fflush(stdout);
	va_start(ap, fmt);
	fputs("weirctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

int
ctl_usage(const struct command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("weirctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (command != NULL)
		fprintf(stderr, "; usage: weirctl %s%s%s\n", command->name,
			command->args[0] != '\0' ? " " : "", command->args);
	else
		fputs("; weirctl -h lists commands and options\n", stderr);
	return CTL_USAGE;
}

void
ctl_out_of_memory(void)
{
	ctl_say("out of memory");
	exit(CTL_FAILED);
}

int
ctl_ask(struct ctl *c, const struct api_request *request,
	struct api_answer *answer)
{
	struct api_request limited = *request;
	int status;

	if (option_given(&c->options, OPTION_TIMEOUT))
		limited.limit_ms = c->options.number[OPTION_TIMEOUT];
	status = api_ask(c->api, &limited, answer);
	if (status != CTL_FINE)
		return status;
	if (ctl_is_json(c)) {
		fwrite(text_of(&answer->text), 1, answer->text.n, stdout);
		if (answer->text.n > 0 &&
			answer->text.p[answer->text.n - 1] != '\n')
			putchar('\n');
	}
	main_silent(json_object_get(answer->json, "silent"));
	return status;
}

static int
main_run(struct ctl *c, int argc, char **argv)
{
	int at = options_parse(&c->options, argc, argv);

	if (at == -1)
		return CTL_USAGE;
	if (option_given(&c->options, OPTION_VERSION)) {
		printf("weirctl %s\n", WEIR_VERSION);
		return CTL_FINE;
	}
	if (option_given(&c->options, OPTION_MAN)) {
		help_man(stdout);
		return CTL_FINE;
	}
	if (at < argc) {
		c->command = command_find(argv[at]);
		if (c->command == NULL)
			return main_unknown(argv[at]);
	}
	if (option_given(&c->options, OPTION_HELP)) {
		help_show(stdout, c->command);
		return CTL_FINE;
	}
	if (c->command == NULL) {
		help_show(stderr, NULL);
		return CTL_USAGE;
	}
	c->args = argv + at + 1;
	c->nargs = (size_t)(argc - at - 1);
	at = main_arguments(c);
	return at != CTL_FINE ? at : main_ask(c);
}

static int
main_unknown(const char *name)
{
	struct near near = { .word = name };
	const struct command *row;

	for (row = commands; row->name != NULL; row++)
		near_try(&near, row->name);
	if (near.best == NULL)
		return ctl_usage(NULL, "unknown command \"%s\"", name);
	return ctl_usage(NULL, "unknown command \"%s\" (did you mean \"%s\"?)",
		name, near.best);
}

static int
main_arguments(const struct ctl *c)
{
	const struct command *row = c->command;
	uint32_t wrong = c->options.given & ~(OPTIONS_COMMON | row->options);

	if (wrong != 0)
		return ctl_usage(row, "%s takes no --%s", row->name,
			option_rows[__builtin_ctz(wrong)].name);
	if (c->nargs < row->least)
		return ctl_usage(row, "%s needs more", row->name);
	if (c->nargs > row->most)
		return ctl_usage(
			row, "unexpected argument \"%s\"", c->args[row->most]);
	return CTL_FINE;
}

static int
main_ask(struct ctl *c)
{
	const char *where = c->options.text[OPTION_SOCKET];
	const char *file = c->options.text[OPTION_TOKEN_FILE];
	const char *token = getenv("WEIR_TOKEN");
	char text[TOKEN_SIZE];
	int status;

	if (where == NULL && (where = getenv("WEIR_API")) == NULL)
		where = CTL_SOCKET;
	if (file != NULL) {
		if (main_token(file, text) == -1)
			return CTL_USAGE;
		token = text;
	}
	if (token != NULL && !token_fits(token))
		return ctl_usage(NULL,
			"the token of %s is not a line of printable characters",
			file != NULL ? file : "WEIR_TOKEN");
	c->api = api_new(where, token);
	if (c->api == NULL)
		return CTL_USAGE;
	status = c->command->run(c);
	api_free(c->api);
	return status;
}

/* The first line of the file; -1 after a message. */
static int
main_token(const char *file, char token[static TOKEN_SIZE])
{
	FILE *f = fopen(file, "re");

	if (f == NULL || fgets(token, TOKEN_SIZE, f) == NULL) {
		ctl_say("cannot read the token of %s: %s", file,
			f == NULL || ferror(f) ? strerror(errno)
					       : "the file is empty");
		if (f != NULL)
			fclose(f);
		return -1;
	}
	fclose(f);
	token[strcspn(token, "\r\n")] = '\0';
	return 0;
}

/* As a part of a header; RFC 6750 allows less. */
static bool
token_fits(const char *token)
{
	const char *p = token;

	while (*p > ' ' && *p <= '~')
		p++;
	return *p == '\0' && p > token;
}

static void
main_silent(const json_t *list)
{
	size_t i, n = json_array_size(list);
	const json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		if (i == SILENT)
			break;
		ctl_say("worker %lld of generation %lld (pid %lld) did not "
			"answer in time: what it has is missing here",
			(long long)json_integer_value(
				json_object_get(item, "slot")),
			(long long)json_integer_value(
				json_object_get(item, "generation")),
			(long long)json_integer_value(
				json_object_get(item, "pid")));
	}
	if (n > SILENT)
		ctl_say("and neither did %zu more", n - SILENT);
}

/* What was asked for must have been printed. */
static int
main_flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "weirctl: cannot write: %s\n", strerror(errno));
	return status != CTL_FINE ? status : CTL_FAILED;
}
