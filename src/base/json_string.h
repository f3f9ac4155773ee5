/*
 * Floor 0, bytes. Strings of JSON: their grammar, and what they stand for
 * without their escapes. A raw string is what was checked, without the quotes.
 */
#ifndef BASE_JSON_STRING_H
#define BASE_JSON_STRING_H

#include "base/buf.h"
#include "base/utf8.h"

/*
 * Checks the string whose opening quote stands at `*at` of `text` (RFC 8259
 * section 7) and goes behind its closing one. Returns NULL, or what is wrong
 * with the byte that `*at` is then at.
 */
const char *json_check_string(struct str text, size_t *at);

/* Walks over the bytes of a string without its escapes. */
struct json_cursor {
	struct str rest; /* raw, still escaped */
	char bytes[UTF8_MAX];
	size_t at, len; /* what is left of an escape's bytes */
};

/* The next byte, 0 to 255; -1 at the end. */
int json_cursor_next(struct json_cursor *cursor);

/* Orders two raw strings by their unescaped bytes; 0 if these are equal. */
int json_compare(struct str a, struct str b);

/* Whether a raw string stands for exactly `s`. */
bool json_unescapes_to(struct str raw, struct str s);

/*
 * Appends the bytes that a raw string stands for. Returns false, with nothing
 * appended, if they do not fit.
 */
MUST_CHECK bool json_unescape(struct str raw, struct buf *out);

/* The same, cut after the last whole character that fits. */
void json_unescape_cut(struct str raw, struct buf *out);

#endif
