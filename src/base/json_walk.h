/*
 * Floor 0, bytes. Reads JSON: one walk over jsmn's tokens.
 *
 * jsmn cuts the text into tokens and accepts much that is no JSON. The walk
 * checks what stands between and inside them against the whole grammar of RFC
 * 8259: UTF-8 and surrogate pairs too, no byte order mark, keys unique in their
 * object (compared after unescaping), and ceilings for depth and number of
 * tokens. Nothing recurses.
 */
#ifndef BASE_JSON_WALK_H
#define BASE_JSON_WALK_H

#include "base/json.h"

/*
 * Reads `text`. On success `json` holds views of `text` and `tokens`, which
 * must both stay. Codes: INVALID_ARGUMENT with "line L, column C, at PATH:
 * REASON"; columns count bytes from 1, paths are json_path()'s, and neither
 * shows a value.
 */
MUST_CHECK enum code json_parse(struct json *json, struct str text,
				struct json_tokens *tokens, struct status *st);

#endif
