#define JSMN_STATIC
#include "base/json.h"

#include <limits.h>

#include "base/codec.h"
#include "base/json_inner.h"

static const struct json_value ABSENT = { NULL, 0 };

/* Longest path in an error; what is longer ends in dots. */
#define PATH_MAX_SHOWN 512

static enum code
report(struct str text, const struct json_fault *fault, struct status *st)
{
	char memory[PATH_MAX_SHOWN];
	struct buf path;
	size_t line, column;

	buf_init(&path, memory, sizeof(memory));
	json_put_path(fault->path, fault->path_len, &path);
	json_line(text, fault->at, &line, &column);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "line %zu, column %zu, at %.*s%s: %s", line, column,
			  (int)path.len, path.ptr, path.overflow ? "..." : "",
			  fault->reason);
}

/* Whether jsmn sees as many tokens as the grammar check. */
static bool
tokenize(struct str text, struct json_tokens *tokens, size_t count)
{
	jsmn_parser parser;
	int found;

	jsmn_init(&parser);
	found = jsmn_parse(&parser, text.ptr, text.len, tokens->token,
			   JSON_TOKENS_MAX);
	return found > 0 && (size_t)found == count;
}

enum code
json_parse(struct json *json, struct str text, struct json_tokens *tokens,
	   struct status *st)
{
	struct json_fault fault = { .at = 0 };
	size_t count;

	*json = (struct json){ .text = text };
	/* jsmn counts bytes in an int. */
	if (text.len > INT_MAX) {
		fault.reason = "the text is too long";
		return report(text, &fault, st);
	}
	if (!json_check(text, &count, &fault))
		return report(text, &fault, st);
	if (!tokenize(text, tokens, count)) {
		fault.reason = "a text that jsmn does not read";
		return report(text, &fault, st);
	}
	json->token = tokens->token;
	json->count = count;
	if (json_keys_unique(json, tokens->order, &fault))
		return CODE_OK;
	json->count = 0;
	return report(text, &fault, st);
}

struct json_value
json_root(const struct json *json)
{
	return json->count > 0 ? (struct json_value){ json, 0 } : ABSENT;
}

enum json_type
json_type(struct json_value value)
{
	if (value.json == NULL)
		return JSON_ABSENT;
	switch (value.json->token[value.index].type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	case JSMN_PRIMITIVE:
	case JSMN_UNDEFINED:
		break;
	}
	switch (json_raw(value).ptr[0]) {
	case 't':
	case 'f':
		return JSON_BOOLEAN;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

const char *
json_type_name(enum json_type type)
{
	switch (type) {
	case JSON_ABSENT:
		return "nothing";
	case JSON_NULL:
		return "null";
	case JSON_BOOLEAN:
		return "a boolean";
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
		return "a string";
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
		return "an object";
	}
	return "nothing";
}

struct str
json_raw(struct json_value value)
{
	const jsmntok_t *token;

	if (value.json == NULL)
		return (struct str){ "", 0 };
	token = &value.json->token[value.index];
	return (struct str){ value.json->text.ptr + token->start,
			     (size_t)(token->end - token->start) };
}

size_t
json_size(struct json_value value)
{
	enum json_type type = json_type(value);

	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return 0;
	return (size_t)value.json->token[value.index].size;
}

struct json_iter
json_iter(struct json_value container)
{
	return (struct json_iter){ .container = container,
				   .next = container.index + 1,
				   .left = json_size(container) };
}

/* The token after a value and all that it holds. */
static size_t
after(const struct json *json, size_t index)
{
	int end = json->token[index].end;

	do {
		index++;
	} while (index < json->count && json->token[index].start < end);
	return index;
}

bool
json_next(struct json_iter *iter)
{
	const struct json *json = iter->container.json;

	iter->key = ABSENT;
	iter->value = ABSENT;
	if (iter->left == 0)
		return false;
	iter->left--;
	if (json_type(iter->container) == JSON_OBJECT)
		iter->key = (struct json_value){ json, iter->next++ };
	iter->value = (struct json_value){ json, iter->next };
	iter->next = after(json, iter->next);
	return true;
}

struct json_value
json_get(struct json_value object, const char *key)
{
	struct json_iter iter = json_iter(object);

	/* The keys of an array are absent and equal nothing. */
	while (json_next(&iter))
		if (json_equals(iter.key, str_from(key)))
			return iter.value;
	return ABSENT;
}

bool
json_uint(struct json_value value, uint64_t *number)
{
	char digits[24];

	switch (json_type(value)) {
	case JSON_NUMBER:
		return parse_uint(json_raw(value), number);
	case JSON_STRING:
		return json_cstr(value, digits, sizeof(digits)) &&
		       parse_uint(str_from(digits), number);
	case JSON_ABSENT:
	case JSON_NULL:
	case JSON_BOOLEAN:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

bool
json_is_true(struct json_value value)
{
	return json_type(value) == JSON_BOOLEAN &&
	       str_eq(json_raw(value), STR("true"));
}
