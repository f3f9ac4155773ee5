#include "base/json_inner.h"

/* How a text can start that is wrong wherever it stands outside a string. */
struct oddity {
	struct str start;
	const char *reason;
};

#define ODDITY(start, reason)                                                  \
	{                                                                      \
		{ (start), sizeof(start) - 1 }, (reason)                       \
	}

static const char TYPOGRAPHIC[] =
	"a typographic quote, where JSON has the plain double quote";
static const char COMMENT[] = "a comment, which JSON does not have";
static const char SPACE[] = "a kind of white space that JSON does not have";
static const char UTF16[] =
	"a byte order mark: the text is UTF-16, where JSON is UTF-8";

static const struct oddity ODDITIES[] = {
	ODDITY("\xef\xbb\xbf", "a byte order mark, which JSON does not have"),
	ODDITY("\xff\xfe", UTF16),
	ODDITY("\xfe\xff", UTF16),
	ODDITY("\0", "a NUL byte; the text may be UTF-16"),
	ODDITY("'", "a single quote, where JSON has the double quote"),
	ODDITY("`", "a back quote, where JSON has the double quote"),
	/* U+2018 to U+201F, guillemets */
	ODDITY("\xe2\x80\x98", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x99", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9a", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9b", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9c", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9d", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9e", TYPOGRAPHIC),
	ODDITY("\xe2\x80\x9f", TYPOGRAPHIC),
	ODDITY("\xc2\xab", TYPOGRAPHIC),
	ODDITY("\xc2\xbb", TYPOGRAPHIC),
	ODDITY("//", COMMENT),
	ODDITY("/*", COMMENT),
	ODDITY("#", COMMENT),
	ODDITY("\\", "a backslash outside of a string"),
	ODDITY("<", "a '<', as markup (HTML, XML) has it"),
	ODDITY("\v", SPACE),
	ODDITY("\f", SPACE),
	ODDITY("\xc2\x85", SPACE),     /* U+0085, next line */
	ODDITY("\xc2\xa0", SPACE),     /* U+00A0, no-break space */
	ODDITY("\xe2\x80\x8b", SPACE), /* U+200B, zero width space */
	ODDITY("\xe2\x80\xa8", SPACE), /* U+2028, line separator */
	ODDITY("\xe2\x80\xa9", SPACE), /* U+2029, paragraph separator */
	ODDITY("\xe3\x80\x80", SPACE), /* U+3000, ideographic space */
};

/* Words that other languages write for values; compared without case. */
static const struct oddity WORDS[] = {
	ODDITY("true", "a literal that is not in lower case"),
	ODDITY("false", "a literal that is not in lower case"),
	ODDITY("null", "a literal that is not in lower case"),
	ODDITY("nan", "NaN, which JSON does not have"),
	ODDITY("inf", "an infinity, which JSON does not have"),
	ODDITY("infinity", "an infinity, which JSON does not have"),
	ODDITY("none", "None, where JSON has null"),
	ODDITY("undefined", "undefined, which JSON does not have"),
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-' || c == '+';
}

static const char *
word_reason(struct str rest)
{
	struct str word = { rest.ptr, 0 };

	while (word.len < rest.len && is_word(rest.ptr[word.len]))
		word.len++;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (str_eq_nocase(word, WORDS[i].start))
			return WORDS[i].reason;
	return "a word without double quotes";
}

static const char *
bracket_reason(char bracket, enum json_place place)
{
	switch (place) {
	case JSON_IN_OBJECT:
		return "no value after the colon";
	case JSON_IN_ARRAY:
		return bracket == ']' ? "a trailing comma before ']'" :
					"'}' where ']' must close the array";
	case JSON_AT_ROOT:
		break;
	}
	return "a bracket that closes nothing";
}

static const char *
value_reason(struct str rest, enum json_place place)
{
	switch (rest.ptr[0]) {
	case ',':
		return "a comma where a value is expected";
	case ':':
		return "a colon where a value is expected";
	case '}':
	case ']':
		return bracket_reason(rest.ptr[0], place);
	case '+':
		return "a plus sign before a number";
	case '.':
		return "no digit before the decimal point";
	case '-':
		return rest.len > 1 && is_letter(rest.ptr[1]) ?
			       word_reason(str_skip(rest, 1)) :
			       "no digit after the minus sign";
	default:
		return is_letter(rest.ptr[0]) ? word_reason(rest) :
						"no value starts like this";
	}
}

static const char *
key_reason(struct str rest, enum json_expect expect)
{
	switch (rest.ptr[0]) {
	case '}':
		return "a trailing comma before '}'";
	case ']':
		return "']' where '}' must close the object";
	case ',':
		return "a comma where a key is expected";
	case ':':
		return "a colon without a key";
	default:
		return expect == JSON_EXPECT_FIRST_KEY ?
			       "neither a key in double quotes nor '}'" :
			       "no key in double quotes after the comma";
	}
}

static const char *
next_reason(struct str rest, bool object)
{
	switch (rest.ptr[0]) {
	case ']':
		return "']' where '}' must close the object";
	case '}':
		return "'}' where ']' must close the array";
	case ':':
		return object ? "a second colon" : "a colon in an array";
	default:
		return object ? "neither a comma nor '}' after the value" :
				"neither a comma nor ']' after the value";
	}
}

static const char *
end_reason(struct str rest)
{
	switch (rest.ptr[0]) {
	case '}':
	case ']':
		return "a bracket that closes nothing";
	case '{':
	case '[':
	case '"':
		return "a second value after the first";
	default:
		return "something after the end of the JSON value";
	}
}

/* The text ends too early. */
static const char *
cut_reason(enum json_place place)
{
	switch (place) {
	case JSON_IN_OBJECT:
		return "the text ends before '}' closes the object";
	case JSON_IN_ARRAY:
		return "the text ends before ']' closes the array";
	case JSON_AT_ROOT:
		break;
	}
	return "no JSON value: the text is empty";
}

static const char *
oddity_reason(struct str rest)
{
	for (size_t i = 0; i < sizeof(ODDITIES) / sizeof(ODDITIES[0]); i++)
		if (str_starts(rest, ODDITIES[i].start))
			return ODDITIES[i].reason;
	if (utf8_length(rest) == 0)
		return "a byte that is no UTF-8";
	if ((unsigned char)rest.ptr[0] < 0x20)
		return "a control character";
	return NULL;
}

const char *
json_reason(struct str rest, enum json_expect expect, enum json_place place)
{
	const char *oddity;
	bool object = place == JSON_IN_OBJECT;

	if (rest.len == 0)
		return cut_reason(place);
	oddity = oddity_reason(rest);
	if (oddity != NULL)
		return oddity;
	switch (expect) {
	case JSON_EXPECT_VALUE:
		return value_reason(rest, place);
	case JSON_EXPECT_FIRST_ELEMENT:
		return next_reason(rest, false);
	case JSON_EXPECT_FIRST_KEY:
	case JSON_EXPECT_KEY:
		return key_reason(rest, expect);
	case JSON_EXPECT_COLON:
		return "no colon after the key";
	case JSON_EXPECT_NEXT:
		return next_reason(rest, object);
	case JSON_EXPECT_END:
	case JSON_EXPECT_FAULT:
		break;
	}
	return end_reason(rest);
}
