/* screen.c - the whole terminal, by ncurses. */
#include <curses.h>
#include <term.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/screen.h"

static bool screen_can_draw(void);

static SCREEN *screen;

int
screen_open(bool colour)
{
	if (screen_can_draw())
		screen = newterm(NULL, stdout, stdin);
	if (screen == NULL) {
		ctl_say("top needs a terminal that can draw (TERM is \"%s\"); "
			"weirctl channels --sort rate shows the same once",
			getenv("TERM") != NULL ? getenv("TERM") : "");
		return -1;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (colour && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
	}
	return 0;
}

void
screen_close(void)
{
	endwin();
	delscreen(screen);
	screen = NULL;
}

unsigned
screen_width(void)
{
	return (unsigned)getmaxx(stdscr);
}

unsigned
screen_height(void)
{
	return (unsigned)getmaxy(stdscr);
}

void
screen_begin(void)
{
	erase();
}

void
screen_line(unsigned y, const char *text, enum screen_look look)
{
	static const attr_t looks[] = {
		[SCREEN_PLAIN] = A_NORMAL,
		[SCREEN_BOLD] = A_BOLD,
		[SCREEN_HEAD] = A_REVERSE,
		[SCREEN_ALARM] = A_BOLD | COLOR_PAIR(1),
	};
	unsigned width = screen_width();

	if (y >= screen_height())
		return;
	attrset((int)looks[look]);
	if (look == SCREEN_HEAD)
		mvhline((int)y, 0, ' ', (int)width);
	mvaddnstr((int)y, 0, text, (int)width);
	attrset(A_NORMAL);
}

void
screen_show(void)
{
	refresh();
}

enum screen_key
screen_key(void)
{
	switch (getch()) {
	case ERR:
		return SCREEN_NONE;
	case 'q':
	case 'Q':
		return SCREEN_QUIT;
	case 's':
	case KEY_RIGHT:
		return SCREEN_SORT_NEXT;
	case KEY_LEFT:
		return SCREEN_SORT_LAST;
	case 'r':
		return SCREEN_REVERSE;
	case KEY_UP:
		return SCREEN_UP;
	case KEY_DOWN:
		return SCREEN_DOWN;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_HOME;
	case KEY_RESIZE:
		return SCREEN_RESIZED;
	default:
		return SCREEN_OTHER;
	}
}

/* One whose cursor can be put anywhere (terminfo(5)). */
static bool
screen_can_draw(void)
{
	bool can;
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
		setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return false;
	can = cursor_address != NULL;
	del_curterm(cur_term);
	return can;
}
