/* text.h - what programs say, looked through. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

/* Fails, and shows text, unless it has part somewhere. */
void assert_contains(const char *text, const char *part);

#endif
