/* style.c - what the terminal, if it is one, can show. */
#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/style.h"

#define WIDTH 80 /* of a terminal that does not say */

struct style
style_of(FILE *f)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	struct style s = { .is_terminal = isatty(fileno(f)), .width = WIDTH };
	struct winsize size;

	if (!s.is_terminal)
		return s;
	if (ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		s.width = size.ws_col;
	s.colour = (none == NULL || none[0] == '\0') && term != NULL &&
		   strcmp(term, "dumb") != 0;
	return s;
}

void
style_set(const struct style *s, FILE *f, enum style_colour colour)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_RED] = "\033[31m",
		[STYLE_YELLOW] = "\033[33m",
	};

	if (s->colour)
		fputs(codes[colour], f);
}
