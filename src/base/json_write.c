#include "base/json_write.h"
#include "base/codec.h"
#include "base/utf8.h"

_Static_assert(JSON_DEPTH_MAX <= 32, "each level has one bit");

/* U+FFFD, the replacement character. */
#define REPLACEMENT "\xef\xbf\xbd"

/* The bit of the innermost container; there must be one. */
static uint32_t
level(const struct json_writer *writer)
{
	return UINT32_C(1) << (writer->depth - 1);
}

static bool
in_object(const struct json_writer *writer)
{
	return writer->depth > 0 && (writer->objects & level(writer)) != 0;
}

void
json_writer_init(struct json_writer *writer, struct buf *out)
{
	*writer = (struct json_writer){ .out = out };
}

/* The comma before all members and elements but the first. */
static void
separate(struct json_writer *writer)
{
	if ((writer->populated & level(writer)) != 0)
		buf_put_char(writer->out, ',');
	writer->populated |= level(writer);
}

/* Writes what must precede a value; false if none may stand here. */
static bool
begin_value(struct json_writer *writer)
{
	if (writer->done || in_object(writer) != writer->after_key)
		writer->failed = true;
	if (writer->failed)
		return false;
	if (writer->depth > 0 && !writer->after_key)
		separate(writer);
	writer->after_key = false;
	return true;
}

static void
end_value(struct json_writer *writer)
{
	writer->done = writer->depth == 0;
}

static void
open_container(struct json_writer *writer, bool object)
{
	if (writer->depth == JSON_DEPTH_MAX)
		writer->failed = true;
	if (!begin_value(writer))
		return;
	buf_put_char(writer->out, object ? '{' : '[');
	writer->depth++;
	writer->populated &= ~level(writer);
	writer->objects &= ~level(writer);
	if (object)
		writer->objects |= level(writer);
}

void
json_open_object(struct json_writer *writer)
{
	open_container(writer, true);
}

void
json_open_array(struct json_writer *writer)
{
	open_container(writer, false);
}

void
json_close(struct json_writer *writer)
{
	if (writer->depth == 0 || writer->after_key)
		writer->failed = true;
	if (writer->failed)
		return;
	buf_put_char(writer->out, in_object(writer) ? '}' : ']');
	writer->depth--;
	end_value(writer);
}

/* The letter of a two-character escape (RFC 8259 section 7), or NUL. */
static char
escape_letter(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

/* Of a character below U+10000. */
static void
put_escaped(struct buf *out, uint32_t c)
{
	static const char HEX[] = "0123456789abcdef";

	buf_put_cstr(out, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		buf_put_char(out, HEX[c >> shift & 15]);
}

/* The first character of `s`; returns how many bytes it has. */
static size_t
put_character(struct buf *out, struct str s)
{
	size_t length = utf8_length(s);
	char letter = escape_letter(s.ptr[0]);

	if (length == 0) {
		buf_put_cstr(out, REPLACEMENT);
		return 1;
	}
	if (letter != '\0') {
		buf_put_char(out, '\\');
		buf_put_char(out, letter);
	} else if (utf8_is_control(utf8_decode(s))) {
		put_escaped(out, utf8_decode(s));
	} else {
		buf_put(out, s.ptr, length);
	}
	return length;
}

static void
put_quoted(struct buf *out, struct str s)
{
	buf_put_char(out, '"');
	while (s.len > 0)
		s = str_skip(s, put_character(out, s));
	buf_put_char(out, '"');
}

void
json_key(struct json_writer *writer, const char *key)
{
	if (!in_object(writer) || writer->after_key)
		writer->failed = true;
	if (writer->failed)
		return;
	separate(writer);
	put_quoted(writer->out, str_from(key));
	buf_put_char(writer->out, ':');
	writer->after_key = true;
}

void
json_put_string(struct json_writer *writer, struct str s)
{
	if (!begin_value(writer))
		return;
	put_quoted(writer->out, s);
	end_value(writer);
}

void
json_put_uint(struct json_writer *writer, uint64_t number)
{
	if (!begin_value(writer))
		return;
	buf_put_uint(writer->out, number);
	end_value(writer);
}

void
json_put_int(struct json_writer *writer, int64_t number)
{
	uint64_t size = (uint64_t)number;

	if (!begin_value(writer))
		return;
	if (number < 0)
		buf_put_char(writer->out, '-');
	buf_put_uint(writer->out, number < 0 ? 0 - size : size);
	end_value(writer);
}

static void
put_literal(struct json_writer *writer, const char *literal)
{
	if (!begin_value(writer))
		return;
	buf_put_cstr(writer->out, literal);
	end_value(writer);
}

void
json_put_boolean(struct json_writer *writer, bool value)
{
	put_literal(writer, value ? "true" : "false");
}

void
json_put_null(struct json_writer *writer)
{
	put_literal(writer, "null");
}

void
json_put_base64(struct json_writer *writer, const void *bytes, size_t len)
{
	if (!begin_value(writer))
		return;
	buf_put_char(writer->out, '"');
	base64_encode(writer->out, bytes, len);
	buf_put_char(writer->out, '"');
	end_value(writer);
}

void
json_put_uint_string(struct json_writer *writer, uint64_t number)
{
	if (!begin_value(writer))
		return;
	buf_put_char(writer->out, '"');
	buf_put_uint(writer->out, number);
	buf_put_char(writer->out, '"');
	end_value(writer);
}

void
json_member(struct json_writer *writer, const char *key, struct str s)
{
	json_key(writer, key);
	json_put_string(writer, s);
}

bool
json_writer_done(const struct json_writer *writer)
{
	return writer->done && !writer->failed && !writer->out->overflow;
}
