#include "base/json_inner.h"

#include <string.h>

#define TEXT(x) #x
#define TEXT_OF(macro) TEXT(macro)

/*
 * The path of `fault` is the stack of open containers: while one is open, its
 * step tells which member or element comes, and `inside` whether the reader
 * of the innermost one has come to it already.
 */
struct checker {
	struct str text;
	size_t at;
	size_t count;
	size_t depth;
	bool inside;
	struct json_fault *fault;
};

/* The byte at the reader's place, -1 at the end. */
static int
peek(const struct checker *c)
{
	return c->at < c->text.len ? (unsigned char)c->text.ptr[c->at] : -1;
}

static struct json_step *
innermost(struct checker *c)
{
	return &c->fault->path[c->depth - 1];
}

static enum json_place
place(struct checker *c)
{
	if (c->depth == 0)
		return JSON_AT_ROOT;
	return innermost(c)->object ? JSON_IN_OBJECT : JSON_IN_ARRAY;
}

static enum json_expect
fail(struct checker *c, size_t at, const char *reason)
{
	c->fault->at = at;
	c->fault->reason = reason;
	c->fault->path_len = c->depth - (c->depth > 0 && !c->inside ? 1 : 0);
	return JSON_EXPECT_FAULT;
}

static enum json_expect
unexpected(struct checker *c, enum json_expect expect)
{
	return fail(c, c->at,
		    json_reason(str_skip(c->text, c->at), expect, place(c)));
}

/* RFC 8259 section 2: the only white space. */
static void
skip_space(struct checker *c)
{
	int byte = peek(c);

	while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
		c->at++;
		byte = peek(c);
	}
}

static bool
is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether there was at least one digit. */
static bool
skip_digits(struct checker *c)
{
	size_t start = c->at;

	while (is_digit(peek(c)))
		c->at++;
	return c->at > start;
}

/* RFC 8259 section 6; returns what is wrong, NULL if nothing. */
static const char *
skip_number(struct checker *c)
{
	bool zero;

	if (peek(c) == '-')
		c->at++;
	zero = peek(c) == '0';
	if (zero)
		c->at++;
	else if (!skip_digits(c))
		return "no digit after the minus sign";
	if (zero && is_digit(peek(c)))
		return "a number with a leading zero";
	if (peek(c) == '.') {
		c->at++;
		if (!skip_digits(c))
			return "no digit after the decimal point";
	}
	if (peek(c) == 'e' || peek(c) == 'E') {
		c->at++;
		if (peek(c) == '+' || peek(c) == '-')
			c->at++;
		if (!skip_digits(c))
			return "no digit in the exponent";
	}
	return NULL;
}

static bool
is_letter(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Whether a byte would go on with a number or a word. */
static bool
is_wordy(int byte)
{
	return is_digit(byte) || is_letter(byte) || byte == '_' ||
	       byte == '.' || byte == '+' || byte == '-';
}

static enum json_expect
after_value(const struct checker *c)
{
	return c->depth > 0 ? JSON_EXPECT_NEXT : JSON_EXPECT_END;
}

static enum json_expect
check_number(struct checker *c)
{
	size_t start = c->at;
	const char *wrong = skip_number(c);

	/* "-Infinity" is a word rather than a number. */
	if (wrong != NULL && c->at == start + 1 && is_letter(peek(c))) {
		c->at = start;
		return unexpected(c, JSON_EXPECT_VALUE);
	}
	if (wrong != NULL)
		return fail(c, c->at, wrong);
	if (is_wordy(peek(c)))
		return fail(c, c->at, "a malformed number");
	return after_value(c);
}

/* RFC 8259 section 3. */
static enum json_expect
check_literal(struct checker *c)
{
	static const char *const LITERALS[] = { "true", "false", "null" };
	struct str rest = str_skip(c->text, c->at);

	for (size_t i = 0; i < sizeof(LITERALS) / sizeof(LITERALS[0]); i++) {
		struct str literal = str_from(LITERALS[i]);

		if (!str_starts(rest, literal) ||
		    (rest.len > literal.len &&
		     is_wordy((unsigned char)rest.ptr[literal.len])))
			continue;
		c->at += literal.len;
		return after_value(c);
	}
	return unexpected(c, JSON_EXPECT_VALUE);
}

/* A \u escape, or two that are a surrogate pair; what is wrong or NULL. */
static const char *
skip_unicode_escape(struct checker *c)
{
	uint32_t high = json_hex4(str_skip(c->text, c->at + 2));
	uint32_t low;

	if (high == UINT32_MAX)
		return "\\u needs four hexadecimal digits";
	if (high >= 0xdc00 && high <= 0xdfff)
		return "a low surrogate that follows no high one";
	if (high < 0xd800 || high > 0xdfff) {
		c->at += 6;
		return NULL;
	}
	low = UINT32_MAX;
	if (str_starts(str_skip(c->text, c->at + 6), STR("\\u")))
		low = json_hex4(str_skip(c->text, c->at + 8));
	if (low < 0xdc00 || low > 0xdfff)
		return "a high surrogate that no low one follows";
	c->at += 12;
	return NULL;
}

/* A backslash and what follows it, which is there. */
static const char *
skip_escape(struct checker *c)
{
	char letter = c->text.ptr[c->at + 1];

	if (letter == 'u')
		return skip_unicode_escape(c);
	if (letter == '\0' || strchr("\"\\/bfnrt", letter) == NULL)
		return "a backslash before a character that JSON does not "
		       "escape";
	c->at += 2;
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
skip_character(struct checker *c)
{
	int byte = peek(c);
	size_t length;

	if (byte < 0x20)
		return control_reason(byte);
	if (byte == '\\')
		return skip_escape(c);
	length = utf8_length(str_skip(c->text, c->at));
	if (length == 0)
		return "a byte that is no UTF-8";
	c->at += length;
	return NULL;
}

/* RFC 8259 section 7; true with the bytes between the quotes. */
static bool
check_string(struct checker *c, struct str *raw)
{
	size_t start = c->at++;

	while (peek(c) != '"') {
		const char *wrong;

		/* A backslash at the end escapes nothing. */
		if (c->at == c->text.len ||
		    (peek(c) == '\\' && c->at + 1 == c->text.len)) {
			fail(c, start, "the text ends inside of this string");
			return false;
		}
		wrong = skip_character(c);
		if (wrong != NULL) {
			fail(c, c->at, wrong);
			return false;
		}
	}
	*raw = (struct str){ c->text.ptr + start + 1, c->at - start - 1 };
	c->at++;
	return true;
}

static enum json_expect
open_container(struct checker *c, bool object)
{
	if (c->depth == JSON_DEPTH_MAX)
		return fail(c, c->at,
			    "nested deeper than " TEXT_OF(
				    JSON_DEPTH_MAX) " levels");
	c->depth++;
	c->inside = false;
	*innermost(c) = (struct json_step){ .object = object };
	c->at++;
	return object ? JSON_EXPECT_FIRST_KEY : JSON_EXPECT_FIRST_ELEMENT;
}

static enum json_expect
close_container(struct checker *c)
{
	c->depth--;
	c->inside = true;
	c->at++;
	return after_value(c);
}

/* Room for one more token. */
static bool
count_one(struct checker *c)
{
	if (c->count == JSON_TOKENS_MAX) {
		fail(c, c->at,
		     "more than " TEXT_OF(JSON_TOKENS_MAX) " values and keys");
		return false;
	}
	c->count++;
	return true;
}

static enum json_expect
check_value(struct checker *c)
{
	struct str raw;
	int byte = peek(c);

	if (byte == -1 || byte == ']' || byte == '}')
		return unexpected(c, JSON_EXPECT_VALUE);
	c->inside = true;
	if (!count_one(c))
		return JSON_EXPECT_FAULT;
	switch (byte) {
	case '{':
	case '[':
		return open_container(c, byte == '{');
	case '"':
		return check_string(c, &raw) ? after_value(c)
					     : JSON_EXPECT_FAULT;
	case 't':
	case 'f':
	case 'n':
		return check_literal(c);
	default:
		if (is_digit(byte) || byte == '-')
			return check_number(c);
		return unexpected(c, JSON_EXPECT_VALUE);
	}
}

static enum json_expect
check_key(struct checker *c, enum json_expect expect)
{
	struct json_step *step = innermost(c);

	if (peek(c) == '}' && expect == JSON_EXPECT_FIRST_KEY)
		return close_container(c);
	if (peek(c) != '"')
		return unexpected(c, expect);
	if (!count_one(c) || !check_string(c, &step->key))
		return JSON_EXPECT_FAULT;
	c->inside = true;
	return JSON_EXPECT_COLON;
}

static enum json_expect
check_next(struct checker *c)
{
	bool object = innermost(c)->object;

	if (peek(c) == (object ? '}' : ']'))
		return close_container(c);
	if (peek(c) != ',')
		return unexpected(c, JSON_EXPECT_NEXT);
	c->at++;
	c->inside = false;
	innermost(c)->position++;
	return object ? JSON_EXPECT_KEY : JSON_EXPECT_VALUE;
}

/* One token; returns what the grammar allows after it. */
static enum json_expect
check_token(struct checker *c, enum json_expect expect)
{
	switch (expect) {
	case JSON_EXPECT_FIRST_ELEMENT:
		return peek(c) == ']' ? close_container(c) : check_value(c);
	case JSON_EXPECT_VALUE:
		return check_value(c);
	case JSON_EXPECT_FIRST_KEY:
	case JSON_EXPECT_KEY:
		return check_key(c, expect);
	case JSON_EXPECT_COLON:
		if (peek(c) != ':')
			return unexpected(c, expect);
		c->at++;
		return JSON_EXPECT_VALUE;
	case JSON_EXPECT_NEXT:
		return check_next(c);
	case JSON_EXPECT_END:
	case JSON_EXPECT_FAULT:
		break;
	}
	return unexpected(c, expect);
}

bool
json_check(struct str text, size_t *count, struct json_fault *fault)
{
	struct checker c = { .text = text, .fault = fault };
	enum json_expect expect = JSON_EXPECT_VALUE;

	skip_space(&c);
	while (expect != JSON_EXPECT_FAULT &&
	       !(expect == JSON_EXPECT_END && c.at == text.len)) {
		expect = check_token(&c, expect);
		skip_space(&c);
	}
	*count = c.count;
	return expect == JSON_EXPECT_END;
}
