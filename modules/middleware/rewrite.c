/* rewrite.c - replaces fixed strings in the bytes that pass.
 *
 * At each place the longest string wins, the leftmost place first; what was put
 * in is not looked at again.  Every byte is compared at most as often as the
 * longest string has bytes. */
#include <stdlib.h>
#include <string.h>

#include "weir.h"

#define FROM_MOST  256	 /* bytes of one string */
#define NODES_MOST 4096	 /* bytes of all strings */
#define GIVE_MOST  65536 /* is emitted in one call, but for one string */

enum direction { UP, DOWN, BOTH };

struct rule {
	const char *from, *to;
	int direction;
};

struct conf {
	struct weir_list rules; /* of struct rule */
};

/* What was read is the beginning of a string that is searched for. */
struct node {
	uint16_t next[256];	 /* node by the following byte; 0: none */
	uint16_t len;		 /* bytes that lead here */
	bool inner;		 /* has next ones */
	const struct rule *rule; /* whose string ends here, or NULL */
};

struct state {
	struct node *trees[2]; /* by direction; NULL: no rules */
};

static const char *const directions[] = { "up", "down", "both", NULL };

static const struct weir_opt rule_opts[] = {
	WEIR_STRING("from", struct rule, from, .min = 1, .max = FROM_MOST,
		.help = "What is replaced; as in every string of this file, "
			"\"\\xff\" is a byte, but those of control characters "
			"other than \\t, \\n and \\r cannot be written."),
	WEIR_STRING("to", struct rule, to, .def = "", .max = FROM_MOST,
		.help = "What comes in its place."),
	WEIR_CHOICE("direction", struct rule, direction, .def = "both",
		.choices = directions,
		.help = "Whether that is done on the way up to the backend, "
			"down to the client, or both."),
	WEIR_OPT_END,
};
static const struct weir_rows rule_rows = { .opts = rule_opts,
	.size = sizeof(struct rule) };

static const struct weir_opt opts[] = {
	WEIR_GROUPS("rules", struct conf, rules, .rows = &rule_rows, .min = 1,
		.max = 1000,
		.help = "What is replaced by what: the leftmost one first, and "
			"of those that begin at the same place the longest."),
	WEIR_OPT_END,
};

static bool
rule_is_for(const struct rule *r, enum weir_dir dir)
{
	return r->direction == BOTH || r->direction == (int)dir;
}

static int
rewrite_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	const struct rule *r = cf->rules.v;
	size_t all = 0, i, j;
	int ok = 0;

	for (i = 0; i < cf->rules.n; i++) {
		all += strlen(r[i].from);
		for (j = 0; j < i; j++)
			if (strcmp(r[i].from, r[j].from) == 0 &&
				(r[i].direction == r[j].direction ||
					r[i].direction == BOTH ||
					r[j].direction == BOTH)) {
				weir_error(d,
					"two rules replace \"%s\" in the same "
					"direction",
					r[i].from);
				ok = -1;
			}
	}
	if (all < NODES_MOST)
		return ok;
	weir_error(d, "the \"from\" of all rules are %zu bytes; at most %d",
		all, NODES_MOST - 1);
	return -1;
}

/* The rules of one direction as a tree, its root first; 0, or -1 with errno. */
static int
tree_make(struct node **tree, const struct weir_list *rules, enum weir_dir dir)
{
	const struct rule *r = rules->v;
	size_t most = 1, used = 1, i;
	const uint8_t *p;
	struct node *at;

	*tree = NULL;
	for (i = 0; i < rules->n; i++)
		most += rule_is_for(&r[i], dir) ? strlen(r[i].from) : 0;
	if (most == 1)
		return 0;
	*tree = calloc(most, sizeof(**tree));
	if (*tree == NULL)
		return -1;
	for (i = 0; i < rules->n; i++) {
		if (!rule_is_for(&r[i], dir))
			continue;
		at = *tree;
		for (p = (const uint8_t *)r[i].from; *p != '\0'; p++) {
			uint16_t len = at->len;

			if (at->next[*p] == 0)
				at->next[*p] = (uint16_t)used++;
			at->inner = true;
			at = *tree + at->next[*p];
			at->len = (uint16_t)(len + 1);
		}
		at->rule = &r[i];
	}
	return 0;
}

static void
rewrite_stop(struct weir_instance *in)
{
	struct state *st = in->state;

	free(st->trees[WEIR_UP]);
	free(st->trees[WEIR_DOWN]);
}

static int
rewrite_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;

	if (tree_make(&st->trees[WEIR_UP], &cf->rules, WEIR_UP) == 0 &&
		tree_make(&st->trees[WEIR_DOWN], &cf->rules, WEIR_DOWN) == 0)
		return 0;
	rewrite_stop(in);
	return -1;
}

/* The longest string that stands at p, or NULL; *more: what follows may still
 * make it one, or a longer one. */
static const struct node *
tree_find(const struct node *tree, const uint8_t *p, size_t n, bool *more)
{
	const struct node *at = tree, *found = NULL;

	for (; n > 0 && at->next[*p] != 0; p++, n--) {
		at = tree + at->next[*p];
		if (at->rule != NULL)
			found = at;
	}
	*more = n == 0 && at->inner;
	return found;
}

static struct weir_verdict
rewrite(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const struct state *st = c->state;
	const struct node *tree = st->trees[dir], *found;
	size_t at = 0, done = 0, given = 0, n;
	bool more = false;

	if (tree == NULL)
		return weir_detach();
	while (at < in.len && given < GIVE_MOST) {
		found = NULL;
		if (tree->next[in.p[at]] != 0) {
			found = tree_find(tree, in.p + at, in.len - at, &more);
			if (more && !in.eof)
				break;
		}
		if (found == NULL) {
			at++;
			continue;
		}
		n = strlen(found->rule->to);
		weir_emit(c, dir, in.p + done, at - done);
		weir_emit(c, dir, found->rule->to, n);
		given += at - done + n;
		at += found->len;
		done = at;
	}
	if (at == 0 && in.len > 0)
		return weir_need(in.len + 1);
	if (done == 0)
		return weir_pass(at);
	weir_emit(c, dir, in.p + done, at - done);
	return weir_drop(at);
}

static struct weir_verdict
rewrite_up(struct weir_call *c, struct weir_bytes in)
{
	return rewrite(c, in, WEIR_UP);
}

static struct weir_verdict
rewrite_down(struct weir_call *c, struct weir_bytes in)
{
	return rewrite(c, in, WEIR_DOWN);
}

const struct weir_middleware mw_rewrite = {
	.name = "rewrite",
	.help = "Replaces fixed strings in the bytes that pass.",
	.example = "rules = ( { from = \"cat\"; to = \"dog\"; }, "
		   "{ from = \"category\"; to = \"kind\"; } );",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state),
	.check = rewrite_check,
	.start = rewrite_start,
	.stop = rewrite_stop,
	.up = rewrite_up,
	.down = rewrite_down,
};
