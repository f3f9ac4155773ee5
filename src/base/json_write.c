#include "base/json_write.h"
#include "base/codec.h"
#include "base/utf8.h"

_Static_assert(JSON_DEPTH_MAX <= 32, "a level has one bit of the builder's");

/* U+FFFD, which stands for what is no character. */
#define REPLACEMENT "\xef\xbf\xbd"

/* The bit of the innermost container; there must be one. */
static uint32_t
level(const struct json_builder *builder)
{
	return UINT32_C(1) << (builder->depth - 1);
}

static bool
in_object(const struct json_builder *builder)
{
	return builder->depth > 0 && (builder->objects & level(builder)) != 0;
}

void
json_build(struct json_builder *builder, struct buf *out)
{
	*builder = (struct json_builder){ .out = out };
}

/* The comma before all members and elements but the first. */
static void
separate(struct json_builder *builder)
{
	if ((builder->populated & level(builder)) != 0)
		buf_put_char(builder->out, ',');
	builder->populated |= level(builder);
}

/* Whether a value may stand here; if so, all that must precede it is there. */
static bool
begin_value(struct json_builder *builder)
{
	if (builder->done || in_object(builder) != builder->after_key)
		builder->failed = true;
	if (builder->failed)
		return false;
	if (builder->depth > 0 && !builder->after_key)
		separate(builder);
	builder->after_key = false;
	return true;
}

static void
end_value(struct json_builder *builder)
{
	builder->done = builder->depth == 0;
}

static void
open_container(struct json_builder *builder, bool object)
{
	if (builder->depth == JSON_DEPTH_MAX)
		builder->failed = true;
	if (!begin_value(builder))
		return;
	buf_put_char(builder->out, object ? '{' : '[');
	builder->depth++;
	builder->populated &= ~level(builder);
	builder->objects &= ~level(builder);
	if (object)
		builder->objects |= level(builder);
}

void
json_open_object(struct json_builder *builder)
{
	open_container(builder, true);
}

void
json_open_array(struct json_builder *builder)
{
	open_container(builder, false);
}

void
json_close(struct json_builder *builder)
{
	if (builder->depth == 0 || builder->after_key)
		builder->failed = true;
	if (builder->failed)
		return;
	buf_put_char(builder->out, in_object(builder) ? '}' : ']');
	builder->depth--;
	end_value(builder);
}

/* The letter of a two-character escape (RFC 8259 section 7), NUL if none. */
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
json_key(struct json_builder *builder, const char *key)
{
	if (!in_object(builder) || builder->after_key)
		builder->failed = true;
	if (builder->failed)
		return;
	separate(builder);
	put_quoted(builder->out, str_from(key));
	buf_put_char(builder->out, ':');
	builder->after_key = true;
}

void
json_put_string(struct json_builder *builder, struct str s)
{
	if (!begin_value(builder))
		return;
	put_quoted(builder->out, s);
	end_value(builder);
}

void
json_put_uint(struct json_builder *builder, uint64_t number)
{
	if (!begin_value(builder))
		return;
	buf_put_uint(builder->out, number);
	end_value(builder);
}

static void
put_literal(struct json_builder *builder, const char *literal)
{
	if (!begin_value(builder))
		return;
	buf_put_cstr(builder->out, literal);
	end_value(builder);
}

void
json_put_boolean(struct json_builder *builder, bool value)
{
	put_literal(builder, value ? "true" : "false");
}

void
json_put_null(struct json_builder *builder)
{
	put_literal(builder, "null");
}

void
json_put_base64(struct json_builder *builder, const void *bytes, size_t len)
{
	if (!begin_value(builder))
		return;
	buf_put_char(builder->out, '"');
	base64_encode(builder->out, bytes, len);
	buf_put_char(builder->out, '"');
	end_value(builder);
}

void
json_put_uint_string(struct json_builder *builder, uint64_t number)
{
	if (!begin_value(builder))
		return;
	buf_put_char(builder->out, '"');
	buf_put_uint(builder->out, number);
	buf_put_char(builder->out, '"');
	end_value(builder);
}

void
json_member(struct json_builder *builder, const char *key, struct str s)
{
	json_key(builder, key);
	json_put_string(builder, s);
}

bool
json_built(const struct json_builder *builder)
{
	return builder->done && !builder->failed && !builder->out->overflow;
}
