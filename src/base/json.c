#include "base/json.h"

#include "base/codec.h"
#include "base/json_string.h"

static const struct json_value ABSENT = { NULL, 0 };

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

bool
json_is_key(const struct json *json, size_t index)
{
	const jsmntok_t *token = &json->token[index];

	return token->type == JSMN_STRING && token->parent >= 0 &&
	       json->token[token->parent].type == JSMN_OBJECT;
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
json_equals(struct json_value value, struct str s)
{
	return json_type(value) == JSON_STRING &&
	       json_unescapes_to(json_raw(value), s);
}

bool
json_string(struct json_value value, struct buf *out)
{
	return json_type(value) == JSON_STRING &&
	       json_unescape(json_raw(value), out);
}

bool
json_string_cut(struct json_value value, struct buf *out)
{
	if (json_type(value) != JSON_STRING || out->overflow)
		return false;
	json_unescape_cut(json_raw(value), out);
	return true;
}

bool
json_cstr(struct json_value value, char *out, size_t size)
{
	struct buf buf;
	bool whole;

	if (size == 0)
		return false;
	buf_init(&buf, out, size - 1);
	whole = json_string(value, &buf) &&
		str_find(buf_view(&buf), '\0') == buf.len;
	if (!whole)
		buf_reset(&buf);
	out[buf.len] = '\0';
	return whole;
}

bool
json_is_plain(struct json_value value)
{
	struct str raw = json_raw(value);

	return json_type(value) == JSON_STRING &&
	       str_find(raw, '\\') == raw.len;
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
