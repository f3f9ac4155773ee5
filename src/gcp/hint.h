/*
 * Floor 3, Google. What to do about an error, as tables.
 *
 * A table is one string, as pointers would each cost a relocation: rows of
 * "KEYS\0WORDS\0" "TEXT\0", end to end.
 *
 * KEYS is one or more of these, with '|' between: an ErrorInfo reason or OAuth
 * error code; an HTTP status; the canonical name of a code; HINT_TOKEN_REFUSED;
 * HINT_TOKEN_FILE. WORDS is empty or one or more, with '|' between, of which
 * the message must hold one. TEXT is ours alone: what others wrote never
 * becomes a part of it. Of the rows that fit the first one counts.
 */
#ifndef GCP_HINT_H
#define GCP_HINT_H

#include "base/status.h"

/* Keys of what is no reply: an API refuses the token; its file is no good. */
#define HINT_TOKEN_REFUSED "token"
#define HINT_TOKEN_FILE "file"

/* The texts of a row, which are parts of the table. */
struct hint {
	const char *keys;
	const char *words;
	const char *text;
};

/*
 * Takes the next row off `*table`; false at its end, and if it is NULL.
 */
bool hint_next(const char **table, struct hint *row);

/* What all services have in common. */
extern const char HINTS[];

/*
 * The text of the first row of `table` (may be NULL) with `key` that fits
 * `message`, where NULL fits all words; or NULL.
 */
const char *hint_find(const char *table, const char *key, const char *message);

/*
 * Adds the hint for an error to it, unless it has one: what fits its reason,
 * its HTTP status or its code, most exact first, in `table` (may be NULL)
 * before HINTS.
 */
void hint_add(struct status *st, const char *table);

#endif
