/*
 * Floor 0, bytes. What a wrong character in JSON most likely means.
 */
#ifndef BASE_JSON_REASON_H
#define BASE_JSON_REASON_H

#include "base/buf.h"

/* What the grammar allows next, white space aside. */
enum json_expect {
	JSON_EXPECT_VALUE,         /* a value, and nothing else */
	JSON_EXPECT_FIRST_ELEMENT, /* a value or ] */
	JSON_EXPECT_FIRST_KEY,     /* a key or } */
	JSON_EXPECT_KEY,
	JSON_EXPECT_COLON,
	JSON_EXPECT_NEXT, /* a comma or the bracket that closes */
	JSON_EXPECT_END,  /* the end of the text */
	JSON_EXPECT_FAULT /* nothing: it is not JSON */
};

/* The innermost container. */
enum json_place { JSON_AT_ROOT, JSON_IN_ARRAY, JSON_IN_OBJECT };

/*
 * Why `rest`, which starts with the byte that breaks the grammar or is empty,
 * cannot stand at `place` where `expect` is expected. Never NULL, and never a
 * byte of the text.
 */
const char *json_reason(struct str rest, enum json_expect expect,
			enum json_place place);

#endif
