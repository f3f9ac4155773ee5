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
 * Writes the character `c`, which must be at most 0x10ffff and no surrogate,
 * and returns its length.
 */
size_t utf8_encode(uint32_t c, char out[static UTF8_MAX]);

#endif
