/*
 * Floor 0, bytes. Which of the known words a mistyped one was meant to be.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/status.h"

/* Of all known words, the one that is nearest so far. */
struct suggestion {
	struct str word;  /* as it was typed */
	const char *best; /* NULL: none is near */
	size_t errors;
};

/*
 * Compares with one more known word, regardless of case, of '_' for '-', and of
 * dashes in front; `shown` is what stands in the hint. Near is a word with up
 * to two letters in a row more, less, changed or swapped, or else, from three
 * letters on, a part of it. The first of equals wins.
 */
void suggest_try(struct suggestion *suggestion, const char *known,
		 const char *shown);

/* Adds the hint "did you mean ...?", if there is something near. */
void suggest_hint(const struct suggestion *suggestion, struct status *st);

#endif
