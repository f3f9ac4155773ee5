/*
 * Floor 0, bytes. What the files of the JSON reader share; nobody else
 * includes it.
 *
 * json_check.c    the grammar, and where a text breaks it
 * json_reason.c   what a wrong character most likely means
 * json_path.c     paths, lines and columns
 * json_string.c   strings without their escapes
 * json_unique.c   keys that come twice
 * json.c          jsmn's tokens and the values that they stand for
 */
#ifndef BASE_JSON_INNER_H
#define BASE_JSON_INNER_H

#include "base/json.h"
#include "base/utf8.h"

/* One step of a path, into a member of an object or an element of an array. */
struct json_step {
	bool object;
	struct str key;  /* raw; only of a member */
	size_t position; /* among its siblings, from 0 */
};

/* What is wrong with a text, and where. */
struct json_fault {
	size_t at; /* offset of the byte */
	const char *reason;
	struct json_step path[JSON_DEPTH_MAX];
	size_t path_len;
};

/* What the grammar allows next, white space aside. */
enum json_expect {
	JSON_EXPECT_VALUE,         /* a value, and nothing else */
	JSON_EXPECT_FIRST_ELEMENT, /* a value or ] */
	JSON_EXPECT_FIRST_KEY,     /* a key or } */
	JSON_EXPECT_KEY,
	JSON_EXPECT_COLON,
	JSON_EXPECT_NEXT, /* a comma or the bracket that closes */
	JSON_EXPECT_END,  /* the end of the text */
	JSON_EXPECT_FAULT /* it is no JSON */
};

/*
 * Checks `text` against RFC 8259 and our ceilings; true if it holds, with the
 * number of its values and keys in `*count`. Otherwise fills `fault`.
 */
MUST_CHECK bool json_check(struct str text, size_t *count,
			   struct json_fault *fault);

/* The innermost container. */
enum json_place { JSON_AT_ROOT, JSON_IN_ARRAY, JSON_IN_OBJECT };

/*
 * Why `rest`, which starts with the byte that breaks the grammar or is empty,
 * cannot stand at `place` where `expect` is expected. Never NULL, and never a
 * byte of the text.
 */
const char *json_reason(struct str rest, enum json_expect expect,
			enum json_place place);

/* Appends the path: "$", and then what each step adds. */
void json_put_path(const struct json_step *path, size_t path_len,
		   struct buf *out);

/*
 * The steps from the root to a value or key; returns how many. A key has the
 * path of its member.
 */
size_t json_steps(struct json_value value,
		  struct json_step path[static JSON_DEPTH_MAX]);

/* Line and column of the byte at offset `at`. */
void json_line(struct str text, size_t at, size_t *line, size_t *column);

/* Walks over the bytes of a string without its escapes. */
struct json_cursor {
	struct str rest; /* raw, still escaped */
	char bytes[UTF8_MAX];
	size_t at, len; /* what is left of an escape's bytes */
};

/* The next byte, 0 to 255; -1 at the end. */
int json_cursor_next(struct json_cursor *cursor);

/* Four hexadecimal digits; UINT32_MAX if `s` does not start with them. */
uint32_t json_hex4(struct str s);

/* Orders two raw strings by their unescaped bytes; 0 if these are equal. */
int json_compare(struct str a, struct str b);

/*
 * Whether the keys of each object are unique. Otherwise fills `fault` with
 * the first one that repeats an earlier one. Sorts in `order`, which has room
 * for all tokens.
 */
MUST_CHECK bool json_keys_unique(const struct json *json, uint16_t *order,
				 struct json_fault *fault);

/* Whether the token at `index` is the key of a member. */
bool json_is_key(const struct json *json, size_t index);

#endif
