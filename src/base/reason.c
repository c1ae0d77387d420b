/* reason.c - words of the reasons for which channels end. */
#include "api/verdict.h"

static const char *const words[] = {
#define WEIR_REASON(id, word, text, is_error) [WEIR_R_##id] = word,
#include "api/reason.def"
#undef WEIR_REASON
};

const char *
weir_reason_word(enum weir_reason reason)
{
	return (unsigned)reason < WEIR_R_COUNT ? words[reason] : "unknown";
}

const char *const weir_manner_words[] = {
#define X(id, word) word,
	WEIR_MANNERS(X)
#undef X
		NULL
};
