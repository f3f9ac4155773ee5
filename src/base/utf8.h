/*
 * Floor 0, bytes. UTF-8 as RFC 3629 defines it: no overlong forms, no
 * surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* Longest encoding of one character. */
#define UTF8_MAX 4

/*
 * Bytes of the character at the start of `s`, 1 to UTF8_MAX; 0 if `s` is empty
 * or does not start with a whole, valid one.
 */
size_t utf8_length(struct str s);

/* The character at the start of `s`, which must be whole and valid. */
uint32_t utf8_decode(struct str s);

/*
 * Whether a terminal or a reader would obey the character instead of showing
 * it: controls (C0, DEL, C1), line and paragraph separators, and what turns the
 * direction of text (Unicode, UAX #9).
 */
bool utf8_is_control(uint32_t c);

/*
 * Makes one printable line of a text: '?' for each control and for each byte
 * that is not UTF-8.
 */
void utf8_make_printable(char *text);

/* The start of `s`, up to `max` bytes of it, not cut inside a character. */
struct str utf8_cut(struct str s, size_t max);

/*
 * Writes the character `c`, which must be at most 0x10ffff and not a surrogate,
 * and returns its length.
 */
size_t utf8_encode(uint32_t c, char out[static UTF8_MAX]);

#endif
