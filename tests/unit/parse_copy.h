/* Reads JSON for a test, so that a stray read beyond the text is seen. */
#ifndef UNIT_PARSE_COPY_H
#define UNIT_PARSE_COPY_H

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_walk.h"

static struct json_tokens tokens;

/* Reads a copy without a byte to spare. */
static enum code
parse_copy(struct str text, struct status *st)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);
	struct json json;
	enum code code;

	if (copy == NULL)
		abort();
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	status_clear(st);
	code = json_parse(&json, (struct str){ copy, text.len }, &tokens, st);
	free(copy);
	return code;
}

#endif
