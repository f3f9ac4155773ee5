/* What is JSON and what is not, and how a fault is reported. */

#include "base/utf8.h"
#include "parse_copy.h"
#include "test.h"

#define TEXT(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

static const struct str ACCEPTED[] = {
	/* any value may be the root (RFC 8259 section 2) */
	TEXT("{}"),
	TEXT("[]"),
	TEXT("null"),
	TEXT("true"),
	TEXT("false"),
	TEXT("0"),
	TEXT("5"),
	TEXT("\"\""),
	TEXT("\"a\""),
	/* white space: these four, anywhere between tokens */
	TEXT(" \t\n\r{} \t\n\r"),
	TEXT("\r\n{\r\n\t\"a\" : [ 1 ,\n2 ] \n}\r\n"),
	TEXT("{}\n"),
	TEXT(" 1 "),
	TEXT("[ ]"),
	TEXT("{ }"),
	/* numbers (section 6) */
	TEXT("-0"),
	TEXT("-1"),
	TEXT("10"),
	TEXT("1234567890123456789012345678901234567890"),
	TEXT("0.0"),
	TEXT("0.10"),
	TEXT("-0.5"),
	TEXT("1e5"),
	TEXT("1E5"),
	TEXT("1e+5"),
	TEXT("1e-5"),
	TEXT("0e0"),
	TEXT("0e00"),
	TEXT("1.5e010"),
	TEXT("-12.34E-56"),
	TEXT("1e999999"),
	TEXT("[0,-0,1.0,1e1]"),
	/* strings (section 7) */
	TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	TEXT("\"\\u0000\""),
	TEXT("\"\\u00e9\\u00E9\\uABCD\\uabcd\""),
	TEXT("\"\\ud83d\\ude00\""),
	TEXT("\"\\uD800\\uDC00\""),
	TEXT("\"\\uDBFF\\uDFFF\""),
	TEXT("\"\\ud7ff\\ue000\\uffff\\ufffe\""),
	TEXT("\"\x7f\""),
	TEXT("\"{[,:]} // /* ' # */\""),
	TEXT("\"\xc2\x80\xdf\xbf\""),
	TEXT("\"\xe0\xa0\x80\xef\xbf\xbf\""),
	TEXT("\"\xed\x9f\xbf\xee\x80\x80\""),
	TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
	TEXT("\"\xef\xbb\xbf\""),
	TEXT("\"\xe2\x80\x9c\xe2\x80\xa8\""),
	/* arrays and objects */
	TEXT("[1]"),
	TEXT("[1,2,3]"),
	TEXT("[[],{},[[]],[{}]]"),
	TEXT("[null,true,false]"),
	TEXT("{\"a\":1}"),
	TEXT("{\"a\":1,\"b\":{}}"),
	TEXT("{\"\":1}"),
	TEXT("{\"a\":{\"a\":{\"a\":[]}}}"),
	TEXT("[{\"a\":1},{\"a\":1}]"),
	TEXT("[\"a\",\"a\"]"),
	TEXT("{\"a\":\"b\",\"b\":\"a\"}"),
	TEXT("{\"a\":1,\"A\":2}"),
	TEXT("{\"a\":1,\"a \":2}"),
	TEXT("{\"a\":1,\"aa\":2,\"\":3}"),
	TEXT("{\"\\u0061b\":1,\"a\":2}"),
	TEXT("{\"a\\u0000\":1,\"a\":2}"),
	TEXT("{\"a\\u0000b\":1,\"a\\u0000c\":2}"),
	TEXT("{\"{\":\"}\",\"]\":\"[\"}"),
	TEXT("{\"a\":[{\"b\":[1,{\"c\":\"\"}]}],\"d\":null}"),
	TEXT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
	     "]"),
};

TEST(accepts_all_that_the_grammar_allows)
{
	for (size_t i = 0; i < sizeof(ACCEPTED) / sizeof(ACCEPTED[0]); i++) {
		struct status st;

		if (parse_copy(ACCEPTED[i], &st) != CODE_OK)
			fail_msg("row %zu: %s", i, st.message);
	}
}

#define AT(line, column, path, reason) \
	"line " #line ", column " #column ", at " path ": " reason

#define NO_COMMA_OBJECT "neither a comma nor '}' after the value"
#define NO_COMMA_ARRAY "neither a comma nor ']' after the value"
#define FIRST_KEY "neither a key in double quotes nor '}'"
#define NEXT_KEY "no key in double quotes after the comma"
#define ESCAPE "a backslash before a character that JSON does not escape"
#define HEX4 "\\u needs four hexadecimal digits"
#define HIGH "a high surrogate that no low one follows"
#define LOW "a low surrogate that follows no high one"
#define UTF8 "a byte that is no UTF-8"
#define UTF16 "a byte order mark: the text is UTF-16, where JSON is UTF-8"
#define QUOTE "a typographic quote, where JSON has the plain double quote"
#define SINGLE "a single quote, where JSON has the double quote"
#define COMMENT "a comment, which JSON does not have"
#define SPACE "a kind of white space that JSON does not have"
#define CUT_STRING "the text ends inside of this string"
#define CUT_OBJECT "the text ends before '}' closes the object"
#define CUT_ARRAY "the text ends before ']' closes the array"
#define AFTER "something after the end of the JSON value"
#define SECOND "a second value after the first"
#define DUPLICATE_KEY "a key that its object has already"
#define WORD "a word without double quotes"
#define CASE "a literal that is not in lower case"
#define NAN "NaN, which JSON does not have"
#define BROKEN "a malformed number"
#define CONTROL "a control character in a string"
#define EMPTY "no JSON value: the text is empty"

static const struct {
	struct str text;
	const char *message;
} REFUSED[] = {
	/* nothing at all */
	{ TEXT(""), AT(1, 1, "$", EMPTY) },
	{ TEXT(" "), AT(1, 2, "$", EMPTY) },
	{ TEXT("\r\n\n"), AT(3, 1, "$", EMPTY) },
	/* byte order marks, UTF-16, NUL */
	{ TEXT("\xef\xbb\xbf{}"),
	  AT(1, 1, "$", "a byte order mark, which JSON does not have") },
	{ TEXT("\xff\xfe{\0}\0"), AT(1, 1, "$", UTF16) },
	{ TEXT("\xfe\xff\0{\0}"), AT(1, 1, "$", UTF16) },
	{ TEXT("{\0}\0"), AT(1, 2, "$", "a NUL byte; the text may be UTF-16") },
	{ TEXT("\0{\0}"), AT(1, 1, "$", "a NUL byte; the text may be UTF-16") },
	{ TEXT("{}\0"), AT(1, 3, "$", "a NUL byte; the text may be UTF-16") },
	{ TEXT("{}\0{}"), AT(1, 3, "$", "a NUL byte; the text may be UTF-16") },
	{ TEXT("[1,\0 2]"),
	  AT(1, 4, "$[1]", "a NUL byte; the text may be UTF-16") },
	{ TEXT("\"a\0b\""), AT(1, 3, "$", "a NUL byte in a string") },
	/* white space that is none */
	{ TEXT("\f{}"), AT(1, 1, "$", SPACE) },
	{ TEXT("\v{}"), AT(1, 1, "$", SPACE) },
	{ TEXT("\xc2\xa0{}"), AT(1, 1, "$", SPACE) },
	{ TEXT("[1,\xe2\x80\x8b"
	       "2]"),
	  AT(1, 4, "$[1]", SPACE) },
	{ TEXT("{}\xe2\x80\xa8"), AT(1, 3, "$", SPACE) },
	{ TEXT("{\xe3\x80\x80}"), AT(1, 2, "$", SPACE) },
	{ TEXT("[\x01]"), AT(1, 2, "$[0]", "a control character") },
	{ TEXT("[\xff]"), AT(1, 2, "$[0]", UTF8) },
	{ TEXT("[\xc3\xa9]"), AT(1, 2, "$[0]", "no value starts like this") },
	/* literals */
	{ TEXT("True"), AT(1, 1, "$", CASE) },
	{ TEXT("FALSE"), AT(1, 1, "$", CASE) },
	{ TEXT("[Null]"), AT(1, 2, "$[0]", CASE) },
	{ TEXT("truex"), AT(1, 1, "$", WORD) },
	{ TEXT("true1"), AT(1, 1, "$", WORD) },
	{ TEXT("tru"), AT(1, 1, "$", WORD) },
	{ TEXT("nul"), AT(1, 1, "$", WORD) },
	{ TEXT("[nulll]"), AT(1, 2, "$[0]", WORD) },
	{ TEXT("[fals,1]"), AT(1, 2, "$[0]", WORD) },
	{ TEXT("None"), AT(1, 1, "$", "None, where JSON has null") },
	{ TEXT("undefined"),
	  AT(1, 1, "$", "undefined, which JSON does not have") },
	{ TEXT("hello"), AT(1, 1, "$", WORD) },
	{ TEXT("truez"), AT(1, 1, "$", WORD) },
	{ TEXT("trueA"), AT(1, 1, "$", WORD) },
	{ TEXT("trueZ"), AT(1, 1, "$", WORD) },
	{ TEXT("nan0"), AT(1, 1, "$", WORD) },
	{ TEXT("nan9"), AT(1, 1, "$", WORD) },
	{ TEXT("nan_"), AT(1, 1, "$", WORD) },
	{ TEXT("nan."), AT(1, 1, "$", WORD) },
	{ TEXT("nan-"), AT(1, 1, "$", WORD) },
	{ TEXT("nan+"), AT(1, 1, "$", WORD) },
	{ TEXT("nan:"), AT(1, 1, "$", NAN) },
	{ TEXT("nan/"), AT(1, 1, "$", NAN) },
	{ TEXT("nan["), AT(1, 1, "$", NAN) },
	{ TEXT("nan{"), AT(1, 1, "$", NAN) },
	{ TEXT("nan"), AT(1, 1, "$", NAN) },
	{ TEXT("inf"), AT(1, 1, "$", "an infinity, which JSON does not have") },
	{ TEXT("{\"a\":b}"), AT(1, 6, "$.a", WORD) },
	{ TEXT("eyJhdXRocyI6e319"), AT(1, 1, "$", WORD) },
	/* numbers */
	{ TEXT("01"), AT(1, 2, "$", "a number with a leading zero") },
	{ TEXT("-01"), AT(1, 3, "$", "a number with a leading zero") },
	{ TEXT("00"), AT(1, 2, "$", "a number with a leading zero") },
	{ TEXT("+1"), AT(1, 1, "$", "a plus sign before a number") },
	{ TEXT(".5"), AT(1, 1, "$", "no digit before the decimal point") },
	{ TEXT("-.5"), AT(1, 2, "$", "no digit after the minus sign") },
	{ TEXT("5."), AT(1, 3, "$", "no digit after the decimal point") },
	{ TEXT("[5.]"), AT(1, 4, "$[0]", "no digit after the decimal point") },
	{ TEXT("5.e1"), AT(1, 3, "$", "no digit after the decimal point") },
	{ TEXT("1e"), AT(1, 3, "$", "no digit in the exponent") },
	{ TEXT("1e+"), AT(1, 4, "$", "no digit in the exponent") },
	{ TEXT("1E-x"), AT(1, 4, "$", "no digit in the exponent") },
	{ TEXT("1e1.5"), AT(1, 4, "$", BROKEN) },
	{ TEXT("1.2.3"), AT(1, 4, "$", BROKEN) },
	{ TEXT("1-2-3"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1+1"), AT(1, 2, "$", BROKEN) },
	{ TEXT("0x1f"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1_000"), AT(1, 2, "$", BROKEN) },
	{ TEXT("12abc"), AT(1, 3, "$", BROKEN) },
	{ TEXT("1a"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1z"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1A"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1Z"), AT(1, 2, "$", BROKEN) },
	{ TEXT("1@"), AT(1, 2, "$", AFTER) },
	{ TEXT("1["), AT(1, 2, "$", SECOND) },
	{ TEXT("1{"), AT(1, 2, "$", SECOND) },
	{ TEXT("1ee5"), AT(1, 3, "$", "no digit in the exponent") },
	{ TEXT("-"), AT(1, 2, "$", "no digit after the minus sign") },
	{ TEXT("[-]"), AT(1, 3, "$[0]", "no digit after the minus sign") },
	{ TEXT("--1"), AT(1, 2, "$", "no digit after the minus sign") },
	{ TEXT("- 1"), AT(1, 2, "$", "no digit after the minus sign") },
	{ TEXT("-a"), AT(1, 1, "$", WORD) },
	{ TEXT("NaN"), AT(1, 1, "$", NAN) },
	{ TEXT("-NaN"), AT(1, 1, "$", NAN) },
	{ TEXT("Infinity"),
	  AT(1, 1, "$", "an infinity, which JSON does not have") },
	{ TEXT("[-Infinity]"),
	  AT(1, 2, "$[0]", "an infinity, which JSON does not have") },
	/* strings: control characters */
	{ TEXT("\"a\nb\""),
	  AT(1, 3, "$", "a line break in a string, where it must be \\n") },
	{ TEXT("\"a\r\""),
	  AT(1, 3, "$", "a line break in a string, where it must be \\n") },
	{ TEXT("\"\t\""),
	  AT(1, 2, "$", "a tab in a string, where it must be \\t") },
	{ TEXT("\"\x1f\""), AT(1, 2, "$", CONTROL) },
	{ TEXT("\"\x01\""), AT(1, 2, "$", CONTROL) },
	{ TEXT("{\"\x1b\":1}"), AT(1, 3, "$", CONTROL) },
	/* strings: escapes */
	{ TEXT("\"\\a\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\x41\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\'\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\0\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\N\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\U0041\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\\0\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\\n\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\\xc3\xa9\""), AT(1, 2, "$", ESCAPE) },
	{ TEXT("\"\\u\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u1\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u12\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u12g4\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u:123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u@123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\uG123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u`123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u 123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u+123\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u{41}\""), AT(1, 2, "$", HEX4) },
	{ TEXT("\"\\u123"), AT(1, 2, "$", HEX4) },
	/* strings: surrogates */
	{ TEXT("\"\\ud800\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\udbff x\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\u0041\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\ud800\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\ue000\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\n\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\udc0\""), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\ud800\\"), AT(1, 2, "$", HIGH) },
	{ TEXT("\"\\udc00\""), AT(1, 2, "$", LOW) },
	{ TEXT("\"a\\udfff\""), AT(1, 3, "$", LOW) },
	{ TEXT("\"\\udc00\\ud800\""), AT(1, 2, "$", LOW) },
	{ TEXT("\"\\ud800\\udc00\\udc00\""), AT(1, 14, "$", LOW) },
	/* strings: UTF-8 */
	{ TEXT("\"\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xbf\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xc0\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xc1\xbf\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xe0\x80\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xe0\x9f\xbf\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xed\xa0\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xed\xbf\xbf\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xf0\x8f\xbf\xbf\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xf4\x90\x80\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xf5\x80\x80\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xff\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xc3\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xe2\x80\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xf0\x9f\x98\""), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xf0\x9f\x98"), AT(1, 2, "$", UTF8) },
	{ TEXT("\"\xc3\xc3\xa9\""), AT(1, 2, "$", UTF8) },
	{ TEXT("{\"\xff\":1}"), AT(1, 3, "$", UTF8) },
	/* quotes of other kinds */
	{ TEXT("'a'"), AT(1, 1, "$", SINGLE) },
	{ TEXT("'{}'"), AT(1, 1, "$", SINGLE) },
	{ TEXT("{}'"), AT(1, 3, "$", SINGLE) },
	{ TEXT("{'a':1}"), AT(1, 2, "$", SINGLE) },
	{ TEXT("{\"a\":'b'}"), AT(1, 6, "$.a", SINGLE) },
	{ TEXT("{\"a':1}"), AT(1, 2, "$", CUT_STRING) },
	{ TEXT("`a`"),
	  AT(1, 1, "$", "a back quote, where JSON has the double quote") },
	{ TEXT("{\xe2\x80\x9c"
	       "a\xe2\x80\x9d:1}"),
	  AT(1, 2, "$", QUOTE) },
	{ TEXT("[\xe2\x80\x98"
	       "a\xe2\x80\x99]"),
	  AT(1, 2, "$[0]", QUOTE) },
	{ TEXT("[\xe2\x80\x9e"
	       "a\xe2\x80\x9c]"),
	  AT(1, 2, "$[0]", QUOTE) },
	{ TEXT("[\xc2\xab"
	       "a\xc2\xbb]"),
	  AT(1, 2, "$[0]", QUOTE) },
	{ TEXT("{\"a\":\"b\xe2\x80\x9d}"), AT(1, 6, "$.a", CUT_STRING) },
	/* comments and what other languages have */
	{ TEXT("// a\n{}"), AT(1, 1, "$", COMMENT) },
	{ TEXT("{} // a"), AT(1, 4, "$", COMMENT) },
	{ TEXT("[1, /* a */ 2]"), AT(1, 5, "$[1]", COMMENT) },
	{ TEXT("{\n# a\n\"b\":1}"), AT(2, 1, "$", COMMENT) },
	{ TEXT("{\"a\":1 // b\n}"), AT(1, 8, "$.a", COMMENT) },
	{ TEXT("\\{}"), AT(1, 1, "$", "a backslash outside of a string") },
	{ TEXT("{\\\"a\\\":1}"),
	  AT(1, 2, "$", "a backslash outside of a string") },
	{ TEXT("<html>"),
	  AT(1, 1, "$", "a '<', as markup (HTML, XML) has it") },
	{ TEXT("*"), AT(1, 1, "$", "no value starts like this") },
	{ TEXT("{a:1}"), AT(1, 2, "$", FIRST_KEY) },
	{ TEXT("{1:1}"), AT(1, 2, "$", FIRST_KEY) },
	{ TEXT("{null:1}"), AT(1, 2, "$", FIRST_KEY) },
	{ TEXT("{[]:1}"), AT(1, 2, "$", FIRST_KEY) },
	{ TEXT("{{}:1}"), AT(1, 2, "$", FIRST_KEY) },
	{ TEXT("{\"a\":1,b:2}"), AT(1, 8, "$", NEXT_KEY) },
	{ TEXT("a: b\n"), AT(1, 1, "$", WORD) },
	/* commas and colons */
	{ TEXT("[1,]"), AT(1, 4, "$", "a trailing comma before ']'") },
	{ TEXT("[1,\n\n ]"), AT(3, 2, "$", "a trailing comma before ']'") },
	{ TEXT("{\"a\":1,}"), AT(1, 8, "$", "a trailing comma before '}'") },
	{ TEXT("{\"a\":{\"b\":1,}}"),
	  AT(1, 13, "$.a", "a trailing comma before '}'") },
	{ TEXT("[,]"), AT(1, 2, "$[0]", "a comma where a value is expected") },
	{ TEXT("[,1]"), AT(1, 2, "$[0]", "a comma where a value is expected") },
	{ TEXT("[1,,2]"),
	  AT(1, 4, "$[1]", "a comma where a value is expected") },
	{ TEXT("{,}"), AT(1, 2, "$", "a comma where a key is expected") },
	{ TEXT("{\"a\":1,,\"b\":2}"),
	  AT(1, 8, "$", "a comma where a key is expected") },
	{ TEXT("{\"a\":,\"b\":2}"),
	  AT(1, 6, "$.a", "a comma where a value is expected") },
	{ TEXT("[1 2]"), AT(1, 4, "$[0]", NO_COMMA_ARRAY) },
	{ TEXT("[\"a\" \"b\"]"), AT(1, 6, "$[0]", NO_COMMA_ARRAY) },
	{ TEXT("[[][]]"), AT(1, 4, "$[0]", NO_COMMA_ARRAY) },
	{ TEXT("[\"a\"b\"c\"]"), AT(1, 5, "$[0]", NO_COMMA_ARRAY) },
	{ TEXT("{\"a\":1 \"b\":2}"), AT(1, 8, "$.a", NO_COMMA_OBJECT) },
	{ TEXT("{\"a\":1;\"b\":2}"), AT(1, 7, "$.a", NO_COMMA_OBJECT) },
	{ TEXT("{\"a\":1\n\"b\":2}"), AT(2, 1, "$.a", NO_COMMA_OBJECT) },
	{ TEXT("{\"a\" 1}"), AT(1, 6, "$.a", "no colon after the key") },
	{ TEXT("{\"a\"}"), AT(1, 5, "$.a", "no colon after the key") },
	{ TEXT("{\"a\",\"b\"}"), AT(1, 5, "$.a", "no colon after the key") },
	{ TEXT("{\"a\"=1}"), AT(1, 5, "$.a", "no colon after the key") },
	{ TEXT("{\"a\"=>1}"), AT(1, 5, "$.a", "no colon after the key") },
	{ TEXT("{\"a\":}"), AT(1, 6, "$.a", "no value after the colon") },
	{ TEXT("{\"a\":]"), AT(1, 6, "$.a", "no value after the colon") },
	{ TEXT("{\"a\"::1}"),
	  AT(1, 6, "$.a", "a colon where a value is expected") },
	{ TEXT("{\"a\":1:2}"), AT(1, 7, "$.a", "a second colon") },
	{ TEXT("{:1}"), AT(1, 2, "$", "a colon without a key") },
	{ TEXT("[\"a\":1]"), AT(1, 5, "$[0]", "a colon in an array") },
	{ TEXT(":"), AT(1, 1, "$", "a colon where a value is expected") },
	{ TEXT(","), AT(1, 1, "$", "a comma where a value is expected") },
	/* brackets */
	{ TEXT("{"), AT(1, 2, "$", CUT_OBJECT) },
	{ TEXT("["), AT(1, 2, "$", CUT_ARRAY) },
	{ TEXT("[1"), AT(1, 3, "$[0]", CUT_ARRAY) },
	{ TEXT("[1,"), AT(1, 4, "$", CUT_ARRAY) },
	{ TEXT("{\"a\""), AT(1, 5, "$.a", CUT_OBJECT) },
	{ TEXT("{\"a\":"), AT(1, 6, "$.a", CUT_OBJECT) },
	{ TEXT("{\"a\":1"), AT(1, 7, "$.a", CUT_OBJECT) },
	{ TEXT("{\"a\":1,"), AT(1, 8, "$", CUT_OBJECT) },
	{ TEXT("[{\"a\":[]}"), AT(1, 10, "$[0]", CUT_ARRAY) },
	{ TEXT("[[]"), AT(1, 4, "$[0]", CUT_ARRAY) },
	{ TEXT("[}"), AT(1, 2, "$", "'}' where ']' must close the array") },
	{ TEXT("[1}"), AT(1, 3, "$[0]", "'}' where ']' must close the array") },
	{ TEXT("[1,}"), AT(1, 4, "$", "'}' where ']' must close the array") },
	{ TEXT("{]"), AT(1, 2, "$", "']' where '}' must close the object") },
	{ TEXT("{\"a\":1]"),
	  AT(1, 7, "$.a", "']' where '}' must close the object") },
	{ TEXT("{\"a\":1,]"),
	  AT(1, 8, "$", "']' where '}' must close the object") },
	{ TEXT("]"), AT(1, 1, "$", "a bracket that closes nothing") },
	{ TEXT("}"), AT(1, 1, "$", "a bracket that closes nothing") },
	{ TEXT("[]]"), AT(1, 3, "$", "a bracket that closes nothing") },
	{ TEXT("{}}"), AT(1, 3, "$", "a bracket that closes nothing") },
	/* strings that do not end */
	{ TEXT("\""), AT(1, 1, "$", CUT_STRING) },
	{ TEXT("\"a"), AT(1, 1, "$", CUT_STRING) },
	{ TEXT("\"a\\"), AT(1, 1, "$", CUT_STRING) },
	{ TEXT("\"a\\\""), AT(1, 1, "$", CUT_STRING) },
	{ TEXT("{\"a"), AT(1, 2, "$", CUT_STRING) },
	{ TEXT("[\n \"a"), AT(2, 2, "$[0]", CUT_STRING) },
	/* more than one value */
	{ TEXT("{}{}"), AT(1, 3, "$", SECOND) },
	{ TEXT("{}\n{}\n"), AT(2, 1, "$", SECOND) },
	{ TEXT("[] []"), AT(1, 4, "$", SECOND) },
	{ TEXT("1 2"), AT(1, 3, "$", AFTER) },
	{ TEXT("\"a\"\"b\""), AT(1, 4, "$", SECOND) },
	{ TEXT("{},"), AT(1, 3, "$", AFTER) },
	{ TEXT("{} x"), AT(1, 4, "$", AFTER) },
	{ TEXT("null null"), AT(1, 6, "$", AFTER) },
	/* keys that come twice, compared after unescaping */
	{ TEXT("{\"a\":1,\"a\":1}"), AT(1, 8, "$.a", DUPLICATE_KEY) },
	{ TEXT("{\"a\":1,\"b\":2,\"a\":3}"), AT(1, 14, "$.a", DUPLICATE_KEY) },
	{ TEXT("{\"\":1,\"\":2}"), AT(1, 7, "$[key 2]", DUPLICATE_KEY) },
	{ TEXT("{\"a\":1,\"\\u0061\":2}"),
	  AT(1, 8, "$[key 2]", DUPLICATE_KEY) },
	{ TEXT("{\"\\u0061\":1,\n\"a\":2}"), AT(2, 1, "$.a", DUPLICATE_KEY) },
	{ TEXT("{\"/\":1,\"\\/\":2}"), AT(1, 8, "$[key 2]", DUPLICATE_KEY) },
	{ TEXT("{\"\\u00e9\":1,\"\xc3\xa9\":2}"),
	  AT(1, 13, "$[key 2]", DUPLICATE_KEY) },
	{ TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
	  AT(1, 19, "$[key 2]", DUPLICATE_KEY) },
	{ TEXT("{\"auths\":{\"quay.io\":{},\"b\":{},\"quay.io\":{}}}"),
	  AT(1, 31, "$.auths[\"quay.io\"]", DUPLICATE_KEY) },
	{ TEXT("[0,{\"a\":[],\"b\":{\"a\":0,\"c\":1,\"a\":2},\"b\":0}]"),
	  AT(1, 29, "$[1].b.a", DUPLICATE_KEY) },
	{ TEXT("{\"b\":{\"c\":1},\"a\":{\"c\":1},\"a\":{\"c\":1}}"),
	  AT(1, 26, "$.a", DUPLICATE_KEY) },
};

TEST(refuses_all_else_and_tells_where_and_why)
{
	for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
		struct status st;
		enum code code = parse_copy(REFUSED[i].text, &st);

		if (code != CODE_INVALID_ARGUMENT ||
		    strcmp(st.message, REFUSED[i].message) != 0)
			fail_msg("row %zu: %s: %s\n  expected: %s", i,
				 code_name(code), st.message,
				 REFUSED[i].message);
	}
}

/* Whether a list that ends in 0 holds `c`. */
static bool
lists(const uint32_t *list, uint32_t c)
{
	while (*list != 0 && *list != c)
		list++;
	return c != 0 && *list == c;
}

/* Each control and each character beyond ASCII, where a value belongs. */
TEST(names_odd_characters)
{
	static const uint32_t SPACES[] = {
		0x0b,   0x0c,   0x85,   0xa0,   0x2000, 0x2001, 0x2002, 0x2003,
		0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x200b,
		0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0,
	};
	static const uint32_t QUOTES[] = {
		0xab,   0xbb,   0x2018, 0x2019, 0x201a, 0x201b, 0x201c,
		0x201d, 0x201e, 0x201f, 0x2039, 0x203a, 0,
	};

	for (uint32_t c = 0x01; c <= 0xffff; c++) {
		char text[UTF8_MAX];
		struct status st;
		const char *reason =
			lists(SPACES, c)   ? SPACE
			: lists(QUOTES, c) ? QUOTE
			: c == 0xfeff ? "a byte order mark, which JSON does "
					"not have"
			: c < 0x20    ? "a control character"
				      : "no value starts like this";

		if (c == '\t' || c == '\n' || c == '\r' ||
		    (c >= 0x20 && c < 0x80) || (c >= 0xd800 && c < 0xe000))
			continue;
		(void)parse_copy((struct str){ text, utf8_encode(c, text) },
				 &st);
		if (strcmp(strstr(st.message, "$: ") + 3, reason) != 0)
			fail_msg("U+%04X: %s", (unsigned)c, st.message);
	}
}

/* Each prefix of a valid text that ends in a bracket is no JSON. */
TEST(refuses_every_cut)
{
	static const struct str WHOLE =
		TEXT("{\"auths\" : {\"quay.io\":{\"auth\":\"YTpi\\u00e9\"},\n"
		     "\"x\":[1.5e3,-0,true,null,false,{},[]]}}");

	for (size_t len = 0; len < WHOLE.len; len++) {
		struct status st;

		if (parse_copy((struct str){ WHOLE.ptr, len }, &st) !=
		    CODE_INVALID_ARGUMENT)
			fail_msg("accepted when cut to %zu bytes", len);
	}
}
