/*
 * Floor 0, bytes. Views of bytes and buffers with a ceiling.
 *
 * A buffer never grows past the memory that its owner gave it. What does not
 * fit is refused whole and remembered: `overflow` stays set until the buffer
 * is reset, so a caller may write a whole message and check it once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* Bytes that another object owns; not NUL-terminated. */
struct str {
	const char *ptr;
	size_t len;
};

/*
 * Memory of fixed size that fills up. The fields may be read by all, and
 * written by buf.c only; `ptr` belongs to the caller of buf_init().
 */
struct buf {
	char *ptr;
	size_t len;
	size_t size;
	bool overflow;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

/* The view of a NUL-terminated string; NULL gives the empty view. */
struct str str_from(const char *cstr);

/* Whether both hold the same bytes; not for secrets (see bytes_equal()). */
bool str_eq(struct str a, struct str b);

/* The same without regard to ASCII case. */
bool str_eq_nocase(struct str a, struct str b);

/* Whether `s` begins, or ends, with the bytes of the other. */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/*
 * Whether `s` has at least one byte and each is in `set`, where "a-z" stands
 * for a range; a literal hyphen comes last, as in "a-z0-9._-".
 */
bool str_only(struct str s, const char *set);

/*
 * Whether a host name lies below a domain, as "a.example.com" does below
 * "example.com", which does not. Without regard to ASCII case.
 */
bool str_below(struct str host, struct str domain);

/* `s` without the ASCII white space (SP HT LF VT FF CR) at both ends. */
struct str str_trim(struct str s);

/* The same at its start only. */
struct str str_trim_start(struct str s);

/* The bytes of `s` from offset `from` on, which may be none. */
struct str str_skip(struct str s, size_t from);

/* Whether the bytes of `part` stand somewhere in `s`. */
bool str_contains(struct str s, struct str part);

/* The offset of the first `c` in `s`, or `s.len` without one. */
size_t str_find(struct str s, char c);

/*
 * Takes the part of `*rest` up to the first `sep` into `*part` and leaves what
 * follows it; the last part leaves `*rest` with a NULL pointer. Returns false
 * when nothing is left.
 */
bool str_split(struct str *rest, char sep, struct str *part);

/*
 * Copies `s` and a final NUL into `out` of `size` bytes. Returns false and
 * leaves an empty string if it does not fit or holds a NUL.
 */
MUST_CHECK bool str_copy(struct str s, char *out, size_t size);

/* Makes `b` an empty buffer over `memory`, which stays the caller's. */
void buf_init(struct buf *b, void *memory, size_t size);

/* Appends; all or nothing, sets `overflow` if it does not fit. */
void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_put_str(struct buf *b, struct str s);
void buf_put_cstr(struct buf *b, const char *cstr);
void buf_put_char(struct buf *b, char c);
/* Appends `value` in decimal. */
void buf_put_uint(struct buf *b, uint64_t value);
/* Appends `cstr`, and spaces up to `width` bytes. */
void buf_put_padded(struct buf *b, const char *cstr, size_t width);

/* What was written so far. Valid until the next change of `b`. */
struct str buf_view(const struct buf *b);

/* Bytes that still fit. */
size_t buf_room(const struct buf *b);

/* Wipes what was written and starts again; `overflow` is cleared. */
void buf_reset(struct buf *b);

/* Wipes the whole memory of the buffer, used or not. */
void buf_wipe(struct buf *b);

/* Overwrites memory so that no compiler may leave it out. */
void wipe(void *memory, size_t size);

/*
 * Overwrites 64 KiB of the stack below the caller, more than calls ever use,
 * with what they left there.
 */
void wipe_stack(void);

/* Compares in a time that depends on `len` only. */
MUST_CHECK bool bytes_equal(const void *a, const void *b, size_t len);

#endif
