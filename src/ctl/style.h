/* style.h - what the terminal, if it is one, can show. */
#ifndef CTL_STYLE_H
#define CTL_STYLE_H

#include <stdbool.h>
#include <stdio.h>

struct style {
	bool is_terminal;
	bool colour;
	unsigned width; /* columns of the terminal */
};

enum style_colour { STYLE_PLAIN, STYLE_BOLD, STYLE_RED, STYLE_YELLOW };

/* Of that stream: colour on terminals only, and not with NO_COLOR. */
struct style style_of(FILE *f);
/* From here on; nothing where there is no colour. */
void style_set(const struct style *s, FILE *f, enum style_colour colour);

#endif
