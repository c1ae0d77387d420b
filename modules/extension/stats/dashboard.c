/* dashboard.c - the page for people.  Its source is page/; the build makes one
 * text of that. */
#include <sys/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

/* What stands in the page for a word that is another one in each answer: only a
 * script and a style that have it are run (https://www.w3.org/TR/CSP3). */
#define NONCE	    "0123456789abcdef0123456789abcdef"
#define NONCE_CHARS (sizeof(NONCE) - 1)

static const char policy[] =
	"default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
	"connect-src 'self'; img-src data:; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'; "
	"require-trusted-types-for 'script'; trusted-types 'none'";

static const unsigned char page[] = {
#include "dashboard.bytes"
};

static bool
nonce_make(char nonce[NONCE_CHARS + 1])
{
	unsigned char lot[NONCE_CHARS / 2];
	size_t i;

	if (getrandom(lot, sizeof(lot), GRND_NONBLOCK) != sizeof(lot))
		return false;
	for (i = 0; i < sizeof(lot); i++)
		snprintf(nonce + 2 * i, 3, "%02x", lot[i]);
	return true;
}

void
dashboard_answer(struct weir_service *s, struct weir_request *r)
{
	static const char none[] = "there is no memory for the page\n";
	char nonce[NONCE_CHARS + 1], header[sizeof(policy) + sizeof(nonce) * 2];
	char *copy = malloc(sizeof(page)), *at = copy;

	(void)s;
	if (copy == NULL || !nonce_make(nonce)) {
		free(copy);
		weir_reply(r, 503, "text/plain", none, sizeof(none) - 1);
		return;
	}
	memcpy(copy, page, sizeof(page));
	while ((at = memmem(at, sizeof(page) - (size_t)(at - copy), NONCE,
			NONCE_CHARS)) != NULL)
		memcpy(at, nonce, NONCE_CHARS);
	snprintf(header, sizeof(header), policy, nonce, nonce);
	weir_reply_header(r, "Content-Security-Policy", header);
	weir_reply_header(r, "Referrer-Policy", "no-referrer");
	weir_reply(r, 200, "text/html; charset=utf-8", copy, sizeof(page));
	free(copy);
}
