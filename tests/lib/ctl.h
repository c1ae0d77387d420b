/* ctl.h - weirctl before an API that answers as the test wants. */
#ifndef LIB_CTL_H
#define LIB_CTL_H

#include <stdbool.h>
#include <stddef.h>

#define CTL_SCREEN_WIDTH  80
#define CTL_SCREEN_HEIGHT 24

/* How a reply goes out. */
enum ctl_manner {
	CTL_WHOLE,
	CTL_PART,  /* half of the body that was promised, and the end */
	CTL_RAW,   /* the body alone, with no head before it */
	CTL_OPEN,  /* without a length; it has no end */
	CTL_SILENT /* nothing, and no end */
};

struct ctl_reply {
	const char *request; /* "GET /v1/status": what its first line has at
				its start; NULL: the list ends here */
	int status;	     /* 0: 200 */
	const char *body;
	enum ctl_manner manner;
	unsigned times; /* so often; 0: always */
};

/* A key that is pressed once the screen has that text. */
struct ctl_key {
	const char *text, *keys; /* NULL: the list ends here */
};

struct ctl_run {
	const struct ctl_reply *replies;
	const char *const *env; /* "NAME=VALUE", ended by NULL; NULL: none */
	const struct ctl_key *keys; /* run on a terminal, and press these */
	/* What became of it; ctl_done() frees. */
	int status;
	char *out, *err; /* on a terminal, out has both */
	char *requests;	 /* as they came, head and body */
};

/* Fixtures of a group. */
int ctl_setup(void **state);
int ctl_teardown(void **state);
/* Runs weirctl of the environment's WEIRCTL with these arguments (ended by
 * NULL) and WEIR_API set to the socket that the replies come from, to its end.
 */
void ctl_run(struct ctl_run *r, const char *arg, ...) __attribute__((sentinel));
void ctl_run_list(struct ctl_run *r, const char *const *args);
void ctl_done(struct ctl_run *r);
/* The same, and fails unless status, stdout and stderr are these; NULL: any. */
void
ctl_expect(struct ctl_run *r, int status, const char *out, const char *err);
/* Where the API is: path of its socket, port of the loopback. */
const char *ctl_path(void);
unsigned ctl_port(void);
/* A file of that text beside the socket; its path, valid until the next. */
const char *ctl_file(const char *text);

#endif
