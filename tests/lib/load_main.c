/* load_main.c - a load on ports of the loopback, from the command line. */
#include <bsd/stdlib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/load.h"

#define MAIN_MOST 1000000

/* X(letter, where, meaning) */
#define MAIN_OPTIONS(X)                                                        \
	X('t', plan.seconds, "it ends after so many seconds (60)")             \
	X('b', plan.connections[LOAD_BRIEF], "brief connections at a time")    \
	X('k', plan.connections[LOAD_KEPT], "connections with many requests")  \
	X('i', plan.connections[LOAD_IDLE], "idle connections that are held")  \
	X('B', plan.brief_rate, "brief ones a second (as fast as it goes)")    \
	X('K', plan.kept_rate, "requests a second (as fast as it goes)")       \
	X('s', plan.bytes_min, "bytes of a request, at least (8)")             \
	X('S', plan.bytes_max, "bytes of a request, at most (4096)")           \
	X('l', plan.late_ms, "milliseconds that a request may take (5000)")    \
	X('e', echoes, "echo servers, whose ports are written first")

static struct load_plan plan;
static unsigned echoes;

static void
usage(void)
{
	fputs("usage: load [-OPTION N]... [PORT]...\n"
	      "Without a port the load goes to its own echo servers.\n"
	      "With -e it begins when its input has a line with the ports.\n",
		stderr);
#define X(letter, where, text) fprintf(stderr, "  -%c N  %s\n", letter, text);
	MAIN_OPTIONS(X)
#undef X
	exit(2);
}

static unsigned
number(const char *text, unsigned most)
{
	const char *why;
	long long n = strtonum(text, 1, most, &why);

	if (why != NULL) {
		fprintf(stderr, "load: %s is %s: 1 to %u\n", text, why, most);
		usage();
	}
	return (unsigned)n;
}

static void
add_port(const char *text)
{
	unsigned i = 0;

	while (i < LOAD_PORTS && plan.ports[i] != 0)
		i++;
	if (i == LOAD_PORTS)
		usage();
	plan.ports[i] = (uint16_t)number(text, UINT16_MAX);
}

static void
read_options(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "t:b:k:i:B:K:s:S:l:e:")) != -1) {
		switch (letter) {
#define X(l, where, text)                                                      \
	case l:                                                                \
		where = number(optarg, MAIN_MOST);                             \
		break;
			MAIN_OPTIONS(X)
#undef X
		default:
			usage();
		}
	}
	for (; optind < argc; optind++)
		add_port(argv[optind]);
}

/* Ports that are known only when our own are. */
static void
read_ports(void)
{
	char line[256], *rest = line, *word;

	if (fgets(line, sizeof(line), stdin) == NULL)
		usage();
	while ((word = strsep(&rest, " \n")) != NULL)
		if (*word != '\0')
			add_port(word);
}

int
main(int argc, char **argv)
{
	struct load *l = load_new();
	struct load_result r;
	uint16_t port = 0;
	char *complaint;
	unsigned i;

	read_options(argc, argv);
	for (i = 0; i < echoes || (plan.ports[0] == 0 && i == 0); i++) {
		port = load_echo(l, NULL);
		printf("%u\n", port);
	}
	fflush(stdout);
	if (echoes > 0)
		read_ports();
	if (plan.ports[0] == 0)
		plan.ports[0] = port;
	load_start(l, &plan);
	load_end(l, &r);
	load_say(&r, "load");
	complaint = load_complaint(&r);
	if (complaint == NULL)
		return 0;
	fputs(complaint, stderr);
	free(complaint);
	return 1;
}
