/*
 * Floor 0, bytes. Encodings that the wire needs.
 *
 * What may carry secrets (base64) uses no table indexed by the data and no
 * branch on it, so that timing tells nothing about the bytes.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/buf.h"

/* Length of `len` bytes in padded base64 (RFC 4648 section 4). */
size_t base64_length(size_t len);

/* Appends `len` bytes as padded base64; `out->overflow` if it does not fit. */
void base64_encode(struct buf *out, const void *bytes, size_t len);

/*
 * Appends what canonical padded base64 stands for: the standard alphabet,
 * full padding, zero trailing bits, no white space (RFC 4648 sections 3 and
 * 4). Returns false, with nothing appended, if it is anything else or does
 * not fit. `text` may start where the result goes, and is lost then.
 */
MUST_CHECK bool base64_decode(struct buf *out, struct str text);

/*
 * The same for the `bytes` fields of proto3 JSON, whose readers take the
 * standard and the URL-safe alphabet, with or without padding.
 */
MUST_CHECK bool base64_decode_any(struct buf *out, struct str text);

/*
 * Appends `s` percent-encoded: all but the unreserved characters of RFC 3986
 * section 2.3. Fits form bodies too (application/x-www-form-urlencoded).
 */
void percent_encode(struct buf *out, struct str s);

/*
 * Appends what percent-encoded text stands for. Returns false if a '%' is not
 * followed by two hexadecimal digits, or if it does not fit; `out` may lie over
 * `text`, for the result is never longer.
 */
MUST_CHECK bool percent_decode(struct buf *out, struct str text);

/* The value of a hexadecimal digit, or -1 if `c` is not one. */
int hex_value(char c);

/* CRC-32C (Castagnoli) of RFC 3720 section 12.1, as dataCrc32c carries it. */
uint32_t crc32c(const void *bytes, size_t len);

/*
 * Reads a decimal number without sign: 1 to 20 digits that fit 64 bits.
 * Returns false and leaves `*value` alone for anything else.
 */
MUST_CHECK bool parse_uint(struct str text, uint64_t *value);

#endif
