/* screen.h - the whole terminal, by ncurses (curs_initscr(3)). */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>

enum screen_key {
	SCREEN_NONE, /* no key was pressed */
	SCREEN_QUIT,
	SCREEN_SORT_NEXT,
	SCREEN_SORT_LAST,
	SCREEN_REVERSE,
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_RESIZED,
	SCREEN_OTHER
};

enum screen_look { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_HEAD, SCREEN_ALARM };

/* Takes the terminal; -1 after a message when there is none that can show a
 * picture.  Colours only when they are wanted. */
int screen_open(bool colour);
/* Gives it back as it was. */
void screen_close(void);
unsigned screen_width(void);
unsigned screen_height(void);
/* Starts a new picture; a line of it, cut at the edge; shows it. */
void screen_begin(void);
void screen_line(unsigned y, const char *text, enum screen_look look);
void screen_show(void);
/* The next key that was pressed; does not wait. */
enum screen_key screen_key(void);

#endif
