/* cpus.c - which CPUs workers stay on. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cpus.h"

/* The list as it is made. */
struct cpus {
	struct option_loader *l;
	const struct place *place;
	cpu_set_t allowed;
	int *v;
	size_t n;
};

static void cpus_add(struct cpus *c, int cpu);
static void cpus_all(struct cpus *c);
static void cpus_ranges(struct cpus *c, const char *text);
static bool cpus_range(struct cpus *c, const char *text, int from, int to);
static bool range_parse(const char **text, int *from, int *to);
static bool cpu_parse(const char **text, int *cpu);
static const char *cpus_text(const struct cpus *c);

void
cpus_check(struct option_loader *l, const struct node *root,
	struct conf_process *process)
{
	const char *const *words = process->cpu_affinity.v;
	const struct node *node = node_member(root, "process");
	struct cpus c = { .l = l, .place = &root->place };
	size_t i, n = process->cpu_affinity.n;

	if (node != NULL && node_member(node, "cpu_affinity") != NULL)
		c.place = &node_member(node, "cpu_affinity")->place;
	/* An entry that was wrong has no text. */
	for (i = 0; i < n; i++)
		if (words[i] == NULL)
			return;
	if (n == 0 || (n == 1 && (strcmp(words[0], "off") == 0 ||
					 strcmp(words[0], "false") == 0)))
		return;
	if (sched_getaffinity(0, sizeof(c.allowed), &c.allowed) == -1) {
		diag_error(l->diag, c.place, "process",
			"option \"cpu_affinity\": cannot see which CPUs there "
			"are: %s",
			strerror(errno));
		return;
	}
	if (n == 1 && strcmp(words[0], "auto") == 0)
		cpus_all(&c);
	else
		for (i = 0; i < n; i++)
			cpus_ranges(&c, words[i]);
	process->cpus = (struct weir_list){ .n = c.n, .v = c.v };
}

static void
cpus_add(struct cpus *c, int cpu)
{
	c->v = arena_grow(c->l->arena, c->v, c->n, sizeof(*c->v));
	c->v[c->n++] = cpu;
}

static void
cpus_all(struct cpus *c)
{
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &c->allowed))
			cpus_add(c, cpu);
}

/* "2", "0-3", or several: "0-3,8" */
static void
cpus_ranges(struct cpus *c, const char *text)
{
	const char *rest = text;
	int from, to;

	do {
		if (!range_parse(&rest, &from, &to) ||
			(*rest != '\0' && *rest != ',')) {
			diag_error(c->l->diag, c->place, "process",
				"option \"cpu_affinity\" = \"%.64s\": write "
				"\"auto\", false, or the numbers of CPUs, such "
				"as [ 0, 2 ] or \"0-3,8\"",
				text);
			return;
		}
		if (!cpus_range(c, text, from, to))
			return;
	} while (*rest++ == ',');
}

/* False, after an error, when one of them may not be used. */
static bool
cpus_range(struct cpus *c, const char *text, int from, int to)
{
	for (; from <= to; from++) {
		if (from < CPU_SETSIZE && CPU_ISSET(from, &c->allowed)) {
			cpus_add(c, from);
			continue;
		}
		diag_error(c->l->diag, c->place, "process",
			"option \"cpu_affinity\" = \"%.64s\": there is no CPU "
			"%d that weir may use (it may use %s)",
			text, from, cpus_text(c));
		return false;
	}
	return true;
}

static bool
range_parse(const char **text, int *from, int *to)
{
	if (!cpu_parse(text, from))
		return false;
	*to = *from;
	if (**text != '-')
		return true;
	++*text;
	return cpu_parse(text, to) && *to >= *from;
}

static bool
cpu_parse(const char **text, int *cpu)
{
	size_t n = strspn(*text, "0123456789");

	if (n == 0 || n > 6)
		return false;
	*cpu = (int)strtol(*text, NULL, 10);
	*text += n;
	return true;
}

/* "0-3,8" */
static const char *
cpus_text(const struct cpus *c)
{
	struct arena *a = c->l->diag->arena;
	const char *text = "";
	int cpu, last;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu = last + 1) {
		last = cpu;
		if (!CPU_ISSET(cpu, &c->allowed))
			continue;
		while (last + 1 < CPU_SETSIZE &&
			CPU_ISSET(last + 1, &c->allowed))
			last++;
		text = arena_printf(
			a, "%s%s%d", text, *text != '\0' ? "," : "", cpu);
		if (last > cpu)
			text = arena_printf(a, "%s-%d", text, last);
	}
	return text;
}
