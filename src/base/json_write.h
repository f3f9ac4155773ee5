/*
 * Floor 0, bytes. A JSON writer that cannot write invalid JSON.
 *
 * Writes into a bounded buffer. Strings are escaped and invalid UTF-8 becomes
 * U+FFFD; a call that would break the grammar makes the writer fail instead.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/bounds.h"
#include "base/buf.h"

/* Private to json_write.c. */
struct json_writer {
	struct buf *out;
	unsigned depth;
	bool failed;
	bool done;          /* the one value is complete */
	bool after_key;     /* a member's value must follow */
	uint32_t objects;   /* bit per level: object, else array */
	uint32_t populated; /* bit per level: not empty */
};

/* Starts one JSON text at the end of `out`, which must stay. */
void json_writer_init(struct json_writer *writer, struct buf *out);

/* Opens an object or array, which is a value like others. */
void json_open_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);

/* Closes the innermost object or array. */
void json_close(struct json_writer *writer);

/*
 * The key of the next member; only inside an object. The caller sees to it
 * that no key comes twice.
 */
void json_key(struct json_writer *writer, const char *key);

/* One value: the text, the next element, or the member of the last key. */
void json_put_string(struct json_writer *writer, struct str s);
void json_put_uint(struct json_writer *writer, uint64_t number);
void json_put_int(struct json_writer *writer, int64_t number);
void json_put_boolean(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
/* A string that holds `bytes` in padded base64. */
void json_put_base64(struct json_writer *writer, const void *bytes, size_t len);
/* A string that holds `number` in decimal, as proto3 JSON writes int64. */
void json_put_uint_string(struct json_writer *writer, uint64_t number);

/* json_key() and json_put_string() in one. */
void json_member(struct json_writer *writer, const char *key, struct str s);

/*
 * Whether exactly one complete value was written and all of it fitted. Only
 * then the buffer holds JSON.
 */
MUST_CHECK bool json_writer_done(const struct json_writer *writer);

#endif
