/*
 * Floor 0, bytes. A strict JSON reader and a builder that cannot go wrong.
 *
 * Reader: the text is checked against the whole grammar of RFC 8259 before
 * jsmn cuts it into tokens, because jsmn alone accepts much that is no JSON.
 * UTF-8 and surrogate pairs are checked, a byte order mark is refused, keys
 * must be unique in their object (compared after unescaping), and depth and
 * number of tokens have ceilings. Nothing is copied: values are views of the
 * text, which must outlive them. Errors name line, column and path, never a
 * value. No function recurses.
 *
 * Builder: writes into a bounded buffer. Strings are escaped and invalid
 * UTF-8 becomes U+FFFD; a call that would break the grammar fails the builder
 * instead.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bounds.h"
#include "base/status.h"

/*
 * Tokens know their parents, else each comma and bracket costs jsmn a search.
 * Its code is compiled, as static functions, into json.c alone.
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
	uint16_t order[JSON_TOKENS_MAX]; /* keys, sorted to find twins */
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

/*
 * Reads `text`. On success `json` holds views of `text` and `tokens`, which
 * must both stay. Codes: INVALID_ARGUMENT with "line L, column C, at PATH:
 * REASON"; columns count bytes from 1. Paths look like
 * $.auths["quay.io"].auth or $.list[0]; a key that does not look like a name
 * or a host is shown as its position from 1, as in $.auths[key 2].
 */
MUST_CHECK enum code json_parse(struct json *json, struct str text,
				struct json_tokens *tokens, struct status *st);

/* The value of the whole text. */
struct json_value json_root(const struct json *json);

/* JSON_ABSENT if there is no value. */
enum json_type json_type(struct json_value value);

/* The type as a reader of an error message would say it: "an object". */
const char *json_type_name(enum json_type type);

/*
 * The member `key` (plain ASCII) of an object; absent if there is none or
 * `object` is not an object. Absent in, absent out, so that calls can nest.
 */
struct json_value json_get(struct json_value object, const char *key);

/* Members of an object or elements of an array; 0 for all else. */
size_t json_size(struct json_value value);

/* Starts before the first member; for all else there is none. */
struct json_iter json_iter(struct json_value container);

/* Steps to the next one; false after the last. */
bool json_next(struct json_iter *iter);

/* Whether `value` is a string that unescapes to exactly `s`. */
bool json_equals(struct json_value value, struct str s);

/*
 * Appends the unescaped bytes of a string (UTF-8). Returns false, with
 * nothing appended, if `value` is no string or does not fit.
 */
MUST_CHECK bool json_string(struct json_value value, struct buf *out);

/*
 * The same, cut after the last whole character that fits. Returns false only
 * if `value` is no string.
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

/*
 * Appends the path of a value or key, as in the errors of json_parse();
 * nothing for an absent one.
 */
void json_path(struct json_value value, struct buf *out);

/*
 * Line and column (bytes, both from 1) where a value starts; 0 and 0 for an
 * absent one.
 */
void json_position(struct json_value value, size_t *line, size_t *column);

/* Private to json_build.c. */
struct json_builder {
	struct buf *out;
	unsigned depth;
	bool failed;
	bool done;          /* the one value is complete */
	bool after_key;     /* a member's value must follow */
	uint32_t objects;   /* bit per level: object, else array */
	uint32_t populated; /* bit per level: not empty */
};

/* Starts one JSON text at the end of `out`. */
void json_build(struct json_builder *builder, struct buf *out);

/* Opens an object or array, which is a value like others. */
void json_open_object(struct json_builder *builder);
void json_open_array(struct json_builder *builder);

/* Closes the innermost object or array. */
void json_close(struct json_builder *builder);

/*
 * The key of the next member; only inside an object. The caller sees to it
 * that no key comes twice.
 */
void json_key(struct json_builder *builder, const char *key);

/* One value: the text, the next element, or the member of the last key. */
void json_put_string(struct json_builder *builder, struct str s);
void json_put_uint(struct json_builder *builder, uint64_t number);
void json_put_boolean(struct json_builder *builder, bool value);
void json_put_null(struct json_builder *builder);
/* A string that holds `bytes` in padded base64. */
void json_put_base64(struct json_builder *builder, const void *bytes,
		     size_t len);
/* A string that holds `number` in decimal, as proto3 JSON writes int64. */
void json_put_uint_string(struct json_builder *builder, uint64_t number);

/* json_key() and json_put_string() in one. */
void json_member(struct json_builder *builder, const char *key, struct str s);

/*
 * Whether exactly one complete value was written and all of it fitted. What
 * stands in the buffer is JSON only if so.
 */
MUST_CHECK bool json_built(const struct json_builder *builder);

#endif
