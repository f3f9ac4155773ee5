#include "base/json_string.h"

#include <string.h>

#include "base/codec.h"

/* Four hexadecimal digits; UINT32_MAX if `s` does not start with them. */
static uint32_t
hex4(struct str s)
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

/* A \u escape, or two that are a surrogate pair; what is wrong or NULL. */
static const char *
skip_unicode_escape(struct str text, size_t *at)
{
	uint32_t high = hex4(str_skip(text, *at + 2));
	uint32_t low;

	if (high == UINT32_MAX)
		return "\\u needs four hexadecimal digits";
	if (high >= 0xdc00 && high <= 0xdfff)
		return "a low surrogate that follows no high one";
	if (high < 0xd800 || high > 0xdfff) {
		*at += 6;
		return NULL;
	}
	low = UINT32_MAX;
	if (str_starts(str_skip(text, *at + 6), STR("\\u")))
		low = hex4(str_skip(text, *at + 8));
	if (low < 0xdc00 || low > 0xdfff)
		return "a high surrogate that no low one follows";
	*at += 12;
	return NULL;
}

/* A backslash and what follows it, which is there. */
static const char *
skip_escape(struct str text, size_t *at)
{
	char letter = text.ptr[*at + 1];

	if (letter == 'u')
		return skip_unicode_escape(text, at);
	if (letter == '\0' || strchr("\"\\/bfnrt", letter) == NULL)
		return "a backslash before a character that JSON does not "
		       "escape";
	*at += 2;
	return NULL;
}

static const char *
control_reason(int byte)
{
	switch (byte) {
	case '\0':
		return "a NUL byte in a string";
	case '\n':
	case '\r':
		return "a line break in a string, where it must be \\n";
	case '\t':
		return "a tab in a string, where it must be \\t";
	default:
		return "a control character in a string";
	}
}

/* One character of a string; what is wrong or NULL. */
static const char *
skip_character(struct str text, size_t *at)
{
	int byte = (unsigned char)text.ptr[*at];
	size_t length;

	if (byte < 0x20)
		return control_reason(byte);
	if (byte == '\\')
		return skip_escape(text, at);
	length = utf8_length(str_skip(text, *at));
	if (length == 0)
		return "a byte that is no UTF-8";
	*at += length;
	return NULL;
}

const char *
json_check_string(struct str text, size_t *at)
{
	size_t start = (*at)++;

	for (;;) {
		struct str rest = str_skip(text, *at);
		const char *wrong;

		/* A backslash at the end escapes nothing. */
		if (rest.len == 0 || (rest.ptr[0] == '\\' && rest.len == 1)) {
			*at = start;
			return "the text ends inside of this string";
		}
		if (rest.ptr[0] == '"')
			break;
		wrong = skip_character(text, at);
		if (wrong != NULL)
			return wrong;
	}
	++*at;
	return NULL;
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
	uint32_t unit = hex4(str_skip(raw, 2));

	*used = 6;
	if (unit < 0xd800 || unit > 0xdbff)
		return unit;
	*used = 12;
	return 0x10000 + ((unit - 0xd800) << 10) +
	       (hex4(str_skip(raw, 8)) - 0xdc00);
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
json_unescapes_to(struct str raw, struct str s)
{
	struct json_cursor cursor = { .rest = raw };

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
json_unescape(struct str raw, struct buf *out)
{
	struct json_cursor cursor = { .rest = raw };
	int byte;

	if (out->overflow || measure(raw) > buf_room(out))
		return false;
	while ((byte = json_cursor_next(&cursor)) >= 0)
		buf_put_char(out, (char)byte);
	return true;
}

void
json_unescape_cut(struct str raw, struct buf *out)
{
	struct json_cursor cursor = { .rest = raw };
	int byte = -1;

	while ((byte = json_cursor_next(&cursor)) >= 0 && buf_room(out) > 0)
		buf_put_char(out, (char)byte);
	/* Inside a character: take back what of it was put. */
	for (; byte >= 0 && (byte & 0xc0) == 0x80; out->len--)
		byte = (unsigned char)out->ptr[out->len - 1];
}
