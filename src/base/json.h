/*
 * Floor 0, bytes. The values of a JSON text.
 *
 * json_string.h   strings without their escapes
 * json.h          values: views of a text that was read
 * json_path.h     the place of a value in the text
 * json_reason.h   what a wrong character most likely means
 * json_walk.h     reads a text; strict
 * json_write.h    writes one
 *
 * Nothing is copied: values are views of the text, which must outlive them.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bounds.h"
#include "base/status.h"

/*
 * Tokens know their parents, else each comma and bracket costs jsmn a search.
 * Its code is compiled, as static functions, into json_walk.c alone.
 */
#define JSMN_PARENT_LINKS
#ifndef JSMN_STATIC
#define JSMN_HEADER
#endif
#include <jsmn.h>

enum json_type {
	JSON_ABSENT, /* no such value */
	JSON_NULL,
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* Room for the tokens of one text; the caller's, usable again and again. */
struct json_tokens {
	jsmntok_t token[JSON_TOKENS_MAX];
	uint16_t order[JSON_TOKENS_MAX]; /* keys, sorted to find duplicates */
};

/* A text that was read; private to json*.c. Owns nothing. */
struct json {
	struct str text;
	const jsmntok_t *token;
	size_t count;
};

/* One value of a text. A copy is as good as the original. */
struct json_value {
	const struct json *json; /* NULL: absent */
	size_t index;
};

/*
 * Walks the members of an object or the elements of an array in their order;
 * private to json.c but for `key` (absent in arrays) and `value`.
 */
struct json_iter {
	struct json_value key;
	struct json_value value;
	struct json_value container;
	size_t next;
	size_t left;
};

/* The value of the whole text. */
struct json_value json_root(const struct json *json);

/* JSON_ABSENT if there is no value. */
enum json_type json_type(struct json_value value);

/* The type for error messages, with its article: "an object". */
const char *json_type_name(enum json_type type);

/*
 * The member `key` (plain ASCII) of an object; absent if there is no such
 * member or `object` is not an object. Absent in, absent out, so that calls can
 * nest.
 */
struct json_value json_get(struct json_value object, const char *key);

/* Members of an object or elements of an array; 0 for all else. */
size_t json_size(struct json_value value);

/* Starts before the first member; a scalar has no members. */
struct json_iter json_iter(struct json_value container);

/* Steps to the next one; false after the last. */
bool json_next(struct json_iter *iter);

/* Whether `value` is a string that unescapes to exactly `s`. */
bool json_equals(struct json_value value, struct str s);

/*
 * Appends the unescaped bytes of a string (UTF-8). Returns false, with
 * nothing appended, if `value` is not a string or does not fit.
 */
MUST_CHECK bool json_string(struct json_value value, struct buf *out);

/*
 * The same, cut after the last whole character that fits. Returns false only
 * if `value` is not a string.
 */
MUST_CHECK bool json_string_cut(struct json_value value, struct buf *out);

/*
 * The same as a NUL-terminated string in `out` of `size` bytes; also false if
 * the string holds a NUL.
 */
MUST_CHECK bool json_cstr(struct json_value value, char *out, size_t size);

/*
 * The number that a value stands for, given as a JSON number without sign,
 * fraction and exponent or (as proto3 JSON writes int64) as a string of
 * digits. Returns false for all else.
 */
MUST_CHECK bool json_uint(struct json_value value, uint64_t *number);

/* True only for the literal true. */
bool json_is_true(struct json_value value);

/*
 * The bytes of a value as they stand in the text; of a string those between
 * the quotes, still escaped.
 */
struct str json_raw(struct json_value value);

/* Whether the raw bytes of a string are its content: no escapes in it. */
bool json_is_plain(struct json_value value);

/* For json_path.c and json_walk.c: whether a token is the key of a member. */
bool json_is_key(const struct json *json, size_t index);

#endif
