#define JSMN_STATIC
#include "base/json_walk.h"

#include <limits.h>
#include <stdlib.h>

#include "base/json_keys.h"
#include "base/json_path.h"
#include "base/json_reason.h"
#include "base/json_string.h"

#define TEXT(x) #x
#define TEXT_OF(macro) TEXT(macro)

/* Longest path in an error; what is longer ends in dots. */
#define PATH_MAX_SHOWN 512

_Static_assert(JSON_TOKENS_MAX <= 65536, "a token's index fits 16 bits");

static const char UNREAD[] = "a text that jsmn does not read";

/*
 * The text and jsmn's tokens of it, read side by side. jsmn accepts much that
 * is not JSON, but up to the first invalid byte its tokens are right: those
 * before `next` are the tokens of the text before `at`.
 */
struct walk {
	const struct json *json;
	size_t at;     /* offset of the next byte */
	size_t next;   /* the token that comes next */
	int container; /* the innermost open one's token; -1 at the root */
	size_t depth;
	size_t member;   /* token of the key or element that the walk is at */
	bool has_member; /* `member` is in the innermost container */
	bool mismatch;   /* jsmn's last token is not what the text has */
	const char *reason;
};

/* The next byte, -1 at the end. */
static int
peek(const struct walk *w)
{
	struct str text = w->json->text;

	return w->at < text.len ? (unsigned char)text.ptr[w->at] : -1;
}

static struct str
rest(const struct walk *w)
{
	return str_skip(w->json->text, w->at);
}

static bool
in_object(const struct walk *w)
{
	return w->container >= 0 &&
	       w->json->token[w->container].type == JSMN_OBJECT;
}

static enum json_expect
fail(struct walk *w, size_t at, const char *reason)
{
	w->at = at;
	w->reason = reason;
	return JSON_EXPECT_FAULT;
}

static enum json_expect
unexpected(struct walk *w, enum json_expect expect)
{
	enum json_place place = in_object(w) ? JSON_IN_OBJECT : JSON_IN_ARRAY;

	return fail(w, w->at,
		    json_reason(rest(w), expect,
				w->container < 0 ? JSON_AT_ROOT : place));
}

/*
 * Passes over jsmn's next token, which should be of `type`, start at `start`
 * and have `parent`. False if it does not, or the last one did not.
 */
static bool
take(struct walk *w, jsmntype_t type, size_t start, int parent)
{
	const jsmntok_t *token = &w->json->token[w->next];
	bool known = !w->mismatch && w->next < w->json->count &&
		     token->type == type && (size_t)token->start == start &&
		     token->parent == parent;

	w->next++;
	return known;
}

/* RFC 8259 section 2: the only white space. */
static void
skip_space(struct walk *w)
{
	int byte = peek(w);

	while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
		w->at++;
		byte = peek(w);
	}
}

static bool
is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether there was at least one digit. */
static bool
skip_digits(struct walk *w)
{
	size_t start = w->at;

	while (is_digit(peek(w)))
		w->at++;
	return w->at > start;
}

/* RFC 8259 section 6; returns what is wrong, NULL if nothing. */
static const char *
skip_number(struct walk *w)
{
	bool zero;

	if (peek(w) == '-')
		w->at++;
	zero = peek(w) == '0';
	if (zero)
		w->at++;
	else if (!skip_digits(w))
		return "no digit after the minus sign";
	if (zero && is_digit(peek(w)))
		return "a number with a leading zero";
	if (peek(w) == '.') {
		w->at++;
		if (!skip_digits(w))
			return "no digit after the decimal point";
	}
	if (peek(w) == 'e' || peek(w) == 'E') {
		w->at++;
		if (peek(w) == '+' || peek(w) == '-')
			w->at++;
		if (!skip_digits(w))
			return "no digit in the exponent";
	}
	return NULL;
}

static bool
is_letter(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Whether a byte would continue a number or a word. */
static bool
continues_token(int byte)
{
	return is_digit(byte) || is_letter(byte) || byte == '_' ||
	       byte == '.' || byte == '+' || byte == '-';
}

static enum json_expect
after_value(const struct walk *w)
{
	return w->depth > 0 ? JSON_EXPECT_NEXT : JSON_EXPECT_END;
}

/* The parent of the token of a value at the current position. */
static int
parent_of_value(const struct walk *w)
{
	return in_object(w) ? (int)w->member : w->container;
}

/* A scalar from `start` to here, the quotes of a string aside. */
static enum json_expect
end_scalar(struct walk *w, jsmntype_t type, size_t start)
{
	size_t quote = type == JSMN_STRING ? 1 : 0;
	size_t index = w->next;

	w->mismatch = !take(w, type, start + quote, parent_of_value(w)) ||
		      (size_t)w->json->token[index].end != w->at - quote;
	return after_value(w);
}

static enum json_expect
check_number(struct walk *w)
{
	size_t start = w->at;
	const char *wrong = skip_number(w);

	/* "-Infinity" is a word rather than a number. */
	if (wrong != NULL && w->at == start + 1 && is_letter(peek(w))) {
		w->at = start;
		return unexpected(w, JSON_EXPECT_VALUE);
	}
	if (wrong != NULL)
		return fail(w, w->at, wrong);
	if (continues_token(peek(w)))
		return fail(w, w->at, "a malformed number");
	return end_scalar(w, JSMN_PRIMITIVE, start);
}

/* RFC 8259 section 3. */
static enum json_expect
check_literal(struct walk *w)
{
	static const char *const LITERALS[] = { "true", "false", "null" };
	struct str text = rest(w);

	for (size_t i = 0; i < sizeof(LITERALS) / sizeof(LITERALS[0]); i++) {
		struct str literal = str_from(LITERALS[i]);

		if (!str_starts(text, literal) ||
		    (text.len > literal.len &&
		     continues_token((unsigned char)text.ptr[literal.len])))
			continue;
		w->at += literal.len;
		return end_scalar(w, JSMN_PRIMITIVE, w->at - literal.len);
	}
	return unexpected(w, JSON_EXPECT_VALUE);
}

static bool
check_string(struct walk *w)
{
	const char *wrong = json_check_string(w->json->text, &w->at);

	if (wrong != NULL)
		fail(w, w->at, wrong);
	return wrong == NULL;
}

static enum json_expect
open_container(struct walk *w, bool object)
{
	int index = (int)w->next;

	if (w->depth == JSON_DEPTH_MAX)
		return fail(w, w->at,
			    "nested deeper than " TEXT_OF(
				    JSON_DEPTH_MAX) " levels");
	if (!take(w, object ? JSMN_OBJECT : JSMN_ARRAY, w->at,
		  parent_of_value(w)))
		return fail(w, w->at, UNREAD);
	w->depth++;
	w->container = index;
	w->has_member = false;
	w->at++;
	return object ? JSON_EXPECT_FIRST_KEY : JSON_EXPECT_FIRST_ELEMENT;
}

/* Back to the element of the outer container, or to the key of the member. */
static enum json_expect
close_container(struct walk *w)
{
	const jsmntok_t *token = w->json->token;
	int closed = w->container, parent = token[closed].parent;

	w->at++;
	if ((size_t)token[closed].end != w->at)
		w->mismatch = true;
	w->member = (size_t)closed;
	if (parent >= 0 && token[parent].type == JSMN_STRING) {
		w->member = (size_t)parent;
		parent = token[parent].parent;
	}
	w->container = parent;
	w->depth--;
	w->has_member = true;
	return after_value(w);
}

/* Whether there is room for one more token. */
static bool
has_room(struct walk *w)
{
	if (w->next < JSON_TOKENS_MAX)
		return true;
	fail(w, w->at,
	     "more than " TEXT_OF(JSON_TOKENS_MAX) " values and keys");
	return false;
}

static enum json_expect
check_value(struct walk *w)
{
	size_t start = w->at;
	int byte = peek(w);

	if (byte == -1 || byte == ']' || byte == '}')
		return unexpected(w, JSON_EXPECT_VALUE);
	w->has_member = true;
	if (!in_object(w))
		w->member = w->next;
	if (!has_room(w))
		return JSON_EXPECT_FAULT;
	switch (byte) {
	case '{':
	case '[':
		return open_container(w, byte == '{');
	case '"':
		return check_string(w) ? end_scalar(w, JSMN_STRING, start)
				       : JSON_EXPECT_FAULT;
	case 't':
	case 'f':
	case 'n':
		return check_literal(w);
	default:
		if (is_digit(byte) || byte == '-')
			return check_number(w);
		return unexpected(w, JSON_EXPECT_VALUE);
	}
}

static enum json_expect
check_key(struct walk *w, enum json_expect expect)
{
	size_t start = w->at, index = w->next;

	if (peek(w) == '}' && expect == JSON_EXPECT_FIRST_KEY)
		return close_container(w);
	if (peek(w) != '"')
		return unexpected(w, expect);
	if (!has_room(w) || !check_string(w))
		return JSON_EXPECT_FAULT;
	if (!take(w, JSMN_STRING, start + 1, w->container))
		return fail(w, start, UNREAD);
	w->member = index;
	w->has_member = true;
	return JSON_EXPECT_COLON;
}

static enum json_expect
check_next(struct walk *w)
{
	if (peek(w) == (in_object(w) ? '}' : ']'))
		return close_container(w);
	if (peek(w) != ',')
		return unexpected(w, JSON_EXPECT_NEXT);
	w->at++;
	w->has_member = false;
	return in_object(w) ? JSON_EXPECT_KEY : JSON_EXPECT_VALUE;
}

/* One token; returns what the grammar allows after it. */
static enum json_expect
check_token(struct walk *w, enum json_expect expect)
{
	switch (expect) {
	case JSON_EXPECT_FIRST_ELEMENT:
		return peek(w) == ']' ? close_container(w) : check_value(w);
	case JSON_EXPECT_VALUE:
		return check_value(w);
	case JSON_EXPECT_FIRST_KEY:
	case JSON_EXPECT_KEY:
		return check_key(w, expect);
	case JSON_EXPECT_COLON:
		if (peek(w) != ':')
			return unexpected(w, expect);
		w->at++;
		return JSON_EXPECT_VALUE;
	case JSON_EXPECT_NEXT:
		return check_next(w);
	case JSON_EXPECT_END:
	case JSON_EXPECT_FAULT:
		break;
	}
	return unexpected(w, expect);
}

static bool
check_text(struct walk *w)
{
	size_t length = w->json->text.len;
	enum json_expect expect = JSON_EXPECT_VALUE;

	skip_space(w);
	while (expect != JSON_EXPECT_FAULT &&
	       !(expect == JSON_EXPECT_END && w->at == length)) {
		expect = check_token(w, expect);
		if (expect != JSON_EXPECT_FAULT)
			skip_space(w);
	}
	if (expect == JSON_EXPECT_END &&
	    (w->mismatch || w->next != w->json->count))
		expect = fail(w, 0, UNREAD);
	return expect == JSON_EXPECT_END;
}

/*
 * Whether the keys of each object are unique, else goes to the first that
 * repeats an earlier one. All keys of the text are sorted, and duplicates then
 * stand side by side: n log n comparisons whatever a text is made of.
 */
static bool
check_keys(struct walk *w, struct json *json, uint16_t *order)
{
	size_t count = 0, first = json->count;

	for (size_t i = 0; i < json->count; i++)
		if (json_is_key(json, i))
			order[count++] = (uint16_t)i;
	json_keys_sort(json, order, count);
	for (size_t i = 1; i < count; i++)
		if (order[i] < first &&
		    json_keys_compare(json, order[i - 1], order[i]) == 0)
			first = order[i];
	if (first == json->count)
		return true;
	w->container = json->token[first].parent;
	w->member = first;
	w->has_member = true;
	fail(w, (size_t)json->token[first].start - 1,
	     "a key that its object has already");
	return false;
}

static enum code
report(const struct walk *w, struct status *st)
{
	char memory[PATH_MAX_SHOWN];
	struct buf path;
	size_t line, column;

	buf_init(&path, memory, sizeof(memory));
	json_put_path(w->json, w->container, w->has_member ? w->member : 0,
		      &path);
	json_line(w->json->text, w->at, &line, &column);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "line %zu, column %zu, at %.*s%s: %s", line, column,
			  (int)path.len, path.ptr, path.overflow ? "..." : "",
			  w->reason);
}

enum code
json_parse(struct json *json, struct str text, struct json_tokens *tokens,
	   struct status *st)
{
	struct walk walk = { .json = json, .container = -1 };
	jsmn_parser parser;

	*json = (struct json){ .text = text, .token = tokens->token };
	/* jsmn counts bytes in an int. */
	if (text.len > INT_MAX) {
		walk.reason = "the text is too long";
		return report(&walk, st);
	}
	jsmn_init(&parser);
	(void)jsmn_parse(&parser, text.ptr, text.len, tokens->token,
			 JSON_TOKENS_MAX);
	json->count = parser.toknext;
	if (check_text(&walk) && check_keys(&walk, json, tokens->order))
		return CODE_OK;
	(void)report(&walk, st);
	json->count = 0;
	return st->code;
}
