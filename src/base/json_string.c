#include "base/codec.h"
#include "base/json_inner.h"

uint32_t
json_hex4(struct str s)
{
	uint32_t value = 0;

	if (s.len < 4)
		return UINT32_MAX;
	for (size_t i = 0; i < 4; i++) {
		int digit = hex_value(s.ptr[i]);

		if (digit < 0)
			return UINT32_MAX;
		value = value << 4 | (uint32_t)digit;
	}
	return value;
}

/* RFC 8259 section 7; the string was checked. */
static char
short_escape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* One or, of a surrogate pair, two \u escapes at the start of `raw`. */
static uint32_t
unicode_escape(struct str raw, size_t *used)
{
	uint32_t unit = json_hex4(str_skip(raw, 2));

	*used = 6;
	if (unit < 0xd800 || unit > 0xdbff)
		return unit;
	*used = 12;
	return 0x10000 + ((unit - 0xd800) << 10) +
	       (json_hex4(str_skip(raw, 8)) - 0xdc00);
}

/* Reads the escape at the start of what is left. */
static void
unescape(struct json_cursor *cursor)
{
	size_t used = 2;

	cursor->at = 0;
	if (cursor->rest.ptr[1] == 'u') {
		uint32_t c = unicode_escape(cursor->rest, &used);

		cursor->len = utf8_encode(c, cursor->bytes);
	} else {
		cursor->bytes[0] = short_escape(cursor->rest.ptr[1]);
		cursor->len = 1;
	}
	cursor->rest = str_skip(cursor->rest, used);
}

int
json_cursor_next(struct json_cursor *cursor)
{
	char byte;

	if (cursor->at == cursor->len) {
		if (cursor->rest.len == 0)
			return -1;
		byte = cursor->rest.ptr[0];
		if (byte != '\\') {
			cursor->rest = str_skip(cursor->rest, 1);
			return (unsigned char)byte;
		}
		unescape(cursor);
	}
	return (unsigned char)cursor->bytes[cursor->at++];
}

int
json_compare(struct str a, struct str b)
{
	struct json_cursor left = { .rest = a };
	struct json_cursor right = { .rest = b };
	int x, y;

	do {
		x = json_cursor_next(&left);
		y = json_cursor_next(&right);
	} while (x == y && x >= 0);
	return x - y;
}

bool
json_equals(struct json_value value, struct str s)
{
	struct json_cursor cursor = { .rest = json_raw(value) };

	if (json_type(value) != JSON_STRING)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (json_cursor_next(&cursor) != (unsigned char)s.ptr[i])
			return false;
	return json_cursor_next(&cursor) == -1;
}

/* How many bytes a string has without its escapes. */
static size_t
measure(struct str raw)
{
	struct json_cursor cursor = { .rest = raw };
	size_t size = 0;

	while (json_cursor_next(&cursor) >= 0)
		size++;
	return size;
}

bool
json_string(struct json_value value, struct buf *out)
{
	struct json_cursor cursor = { .rest = json_raw(value) };
	int byte;

	if (json_type(value) != JSON_STRING || out->overflow ||
	    measure(cursor.rest) > buf_room(out))
		return false;
	while ((byte = json_cursor_next(&cursor)) >= 0)
		buf_put_char(out, (char)byte);
	return true;
}

bool
json_string_cut(struct json_value value, struct buf *out)
{
	struct json_cursor cursor = { .rest = json_raw(value) };
	int byte = -1;

	if (json_type(value) != JSON_STRING || out->overflow)
		return false;
	while ((byte = json_cursor_next(&cursor)) >= 0 && buf_room(out) > 0)
		buf_put_char(out, (char)byte);
	/* Inside a character: take back what of it was put. */
	for (; byte >= 0 && (byte & 0xc0) == 0x80; out->len--)
		byte = (unsigned char)out->ptr[out->len - 1];
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
