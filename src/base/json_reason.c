#include "base/json_reason.h"

#include "base/utf8.h"

static const char TYPOGRAPHIC[] =
	"a typographic quote, where JSON has the plain double quote";
static const char COMMENT[] = "a comment, which JSON does not have";
static const char SPACE[] = "a kind of white space that JSON does not have";

/* Characters that are wrong wherever they stand outside of a string. */
static const struct {
	uint32_t first, last;
	const char *reason;
} BAD_CHARACTERS[] = {
	{ 0x00, 0x00, "a NUL byte; the text may be UTF-16" },
	{ 0x0b, 0x0c, SPACE }, /* vertical tab, form feed */
	{ 0x01, 0x1f, "a control character" },
	{ '#', '#', COMMENT },
	{ '\'', '\'', "a single quote, where JSON has the double quote" },
	{ '<', '<', "a '<', as markup (HTML, XML) has it" },
	{ '\\', '\\', "a backslash outside of a string" },
	{ '`', '`', "a back quote, where JSON has the double quote" },
	{ 0x85, 0x85, SPACE },           /* next line */
	{ 0xa0, 0xa0, SPACE },           /* no-break space */
	{ 0xab, 0xab, TYPOGRAPHIC },     /* left guillemet */
	{ 0xbb, 0xbb, TYPOGRAPHIC },     /* right guillemet */
	{ 0x2000, 0x200b, SPACE },       /* en quad to zero width space */
	{ 0x2018, 0x201f, TYPOGRAPHIC }, /* curly quotes */
	{ 0x2028, 0x2029, SPACE },       /* line and paragraph separator */
	{ 0x202f, 0x202f, SPACE },       /* narrow no-break space */
	{ 0x2039, 0x203a, TYPOGRAPHIC }, /* single guillemets */
	{ 0x205f, 0x2060, SPACE },       /* mathematical space, word joiner */
	{ 0x3000, 0x3000, SPACE },       /* ideographic space */
	{ 0xfeff, 0xfeff, "a byte order mark, which JSON does not have" },
};

/* Words that other languages write for values; compared without case. */
static const struct {
	const char *word;
	const char *reason;
} WORDS[] = {
	{ "true", "a literal that is not in lower case" },
	{ "false", "a literal that is not in lower case" },
	{ "null", "a literal that is not in lower case" },
	{ "nan", "NaN, which JSON does not have" },
	{ "inf", "an infinity, which JSON does not have" },
	{ "infinity", "an infinity, which JSON does not have" },
	{ "none", "None, where JSON has null" },
	{ "undefined", "undefined, which JSON does not have" },
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
continues_token(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-' || c == '+';
}

static const char *
word_reason(struct str rest)
{
	struct str word = { rest.ptr, 0 };

	while (word.len < rest.len && continues_token(rest.ptr[word.len]))
		word.len++;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (str_eq_nocase(word, str_from(WORDS[i].word)))
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
		return bracket == ']' ? "a trailing comma before ']'"
				      : "'}' where ']' must close the array";
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
	case '-': /* of "-Infinity"; a number without digits is no word */
		return word_reason(str_skip(rest, 1));
	default:
		return is_letter(rest.ptr[0]) ? word_reason(rest)
					      : "no value starts like this";
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
		return expect == JSON_EXPECT_FIRST_KEY
			       ? "neither a key in double quotes nor '}'"
			       : "no key in double quotes after the comma";
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
		return object ? "neither a comma nor '}' after the value"
			      : "neither a comma nor ']' after the value";
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

/* Where the text ends too early. */
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
bad_character(struct str rest)
{
	uint32_t c;

	if (str_starts(rest, STR("\xff\xfe")) ||
	    str_starts(rest, STR("\xfe\xff")))
		return "a byte order mark: the text is UTF-16, where JSON is "
		       "UTF-8";
	if (str_starts(rest, STR("//")) || str_starts(rest, STR("/*")))
		return COMMENT;
	if (utf8_length(rest) == 0)
		return "a byte that is no UTF-8";
	c = utf8_decode(rest);
	for (size_t i = 0;
	     i < sizeof(BAD_CHARACTERS) / sizeof(BAD_CHARACTERS[0]); i++)
		if (c >= BAD_CHARACTERS[i].first && c <= BAD_CHARACTERS[i].last)
			return BAD_CHARACTERS[i].reason;
	return NULL;
}

const char *
json_reason(struct str rest, enum json_expect expect, enum json_place place)
{
	const char *bad;
	bool object = place == JSON_IN_OBJECT;

	if (rest.len == 0)
		return cut_reason(place);
	bad = bad_character(rest);
	if (bad != NULL)
		return bad;
	switch (expect) {
	case JSON_EXPECT_VALUE:
	case JSON_EXPECT_FIRST_ELEMENT:
		return value_reason(rest, place);
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
