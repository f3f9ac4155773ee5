/*
 * Floor 0, bytes. The place of a value in a JSON text, for messages.
 *
 * Paths look like $.auths["quay.io"].auth or $.list[0]; a key that does not
 * look like a name or a host is shown as its position from 1, as in
 * $.auths[key 2].
 */
#ifndef BASE_JSON_PATH_H
#define BASE_JSON_PATH_H

#include "base/json.h"

/*
 * Appends the path of a value, or of a key, which has that of its member;
 * nothing for an absent one.
 */
void json_path(struct json_value value, struct buf *out);

/*
 * Line and column (bytes, both from 1) where a value starts; 0 and 0 for an
 * absent one.
 */
void json_position(struct json_value value, size_t *line, size_t *column);

/* Line and column of the byte at offset `at`. */
void json_line(struct str text, size_t at, size_t *line, size_t *column);

/*
 * For json_walk.c, while it reads: appends the path of the container with the
 * token `container` (-1: the root), and of the key or element in it whose token
 * is, or will be, `member` (0: no member).
 */
void json_put_path(const struct json *json, int container, size_t member,
		   struct buf *out);

#endif
