/* Ceilings, duplicate keys among thousands, and what an error shows of a text. */

#include "base/json_walk.h"
#include "parse_copy.h"
#include "test.h"

/* `count` times `part`, between two brackets. */
static struct str
repeated(struct buf *out, char open, size_t count, const char *part, char close)
{
	buf_reset(out);
	buf_put_char(out, open);
	for (size_t i = 0; i < count; i++)
		buf_put_cstr(out, part);
	out->len -= count > 0 && part[strlen(part) - 1] == ',' ? 1 : 0;
	buf_put_char(out, close);
	assert_false(out->overflow);
	return buf_view(out);
}

static char memory[512 * 1024];

/* `depth` brackets and nothing else. */
static enum code
parse_nested(size_t depth, struct status *st)
{
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	for (size_t i = 0; i < depth; i++)
		buf_put_char(&out, '[');
	return parse_copy(buf_view(&out), st);
}

TEST(nesting_has_a_ceiling)
{
	struct buf out;
	struct status st;

	assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "line 1, column 33, at $[0][0]"));
	assert_non_null(
		strstr(st.message, "[0]: nested deeper than 32 levels"));
	/* with the ceiling reached but not passed, only the end is missing */
	assert_int_equal(parse_nested(JSON_DEPTH_MAX, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "the text ends before ']'"));
	/* what was closed again does not count */
	buf_init(&out, memory, sizeof(memory));
	assert_int_equal(parse_copy(repeated(&out, '[', 100, "[[]],", ']'),
				    &st),
			 CODE_OK);
}

TEST(tokens_have_a_ceiling)
{
	struct buf out;
	struct status st;

	buf_init(&out, memory, sizeof(memory));
	assert_int_equal(parse_copy(repeated(&out, '[', JSON_TOKENS_MAX - 1,
					     "0,", ']'),
				    &st),
			 CODE_OK);
	assert_int_equal(parse_copy(repeated(&out, '[', JSON_TOKENS_MAX, "0,",
					     ']'),
				    &st),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message,
			    "line 1, column 32768, at $[16383]: more than "
			    "16384 values and keys");
	/* keys count, too */
	assert_int_equal(parse_copy(repeated(&out, '[', JSON_TOKENS_MAX / 3,
					     "{\"\":0},", ']'),
				    &st),
			 CODE_OK);
	assert_int_equal(parse_copy(repeated(&out, '[', JSON_TOKENS_MAX / 3 + 1,
					     "{\"\":0},", ']'),
				    &st),
			 CODE_INVALID_ARGUMENT);
}

/* An object of `count` keys that differ late; `duplicate` repeats the first. */
static struct str
many_keys(struct buf *out, size_t count, bool duplicate)
{
	buf_reset(out);
	buf_put_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		buf_put_cstr(out, "\"registry.example.com/");
		buf_put_uint(out,
			     duplicate && i == count - 1 ? 10000 : 10000 + i);
		buf_put_cstr(out, "\":0,");
	}
	out->len--;
	buf_put_char(out, '}');
	assert_false(out->overflow);
	return buf_view(out);
}

TEST(finds_a_duplicate_key_among_thousands)
{
	struct buf out;
	struct status st;

	buf_init(&out, memory, sizeof(memory));
	assert_int_equal(parse_copy(many_keys(&out, 8000, false), &st),
			 CODE_OK);
	assert_int_equal(parse_copy(many_keys(&out, 8000, true), &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message,
			       "$[\"registry.example.com/10000\"]: a key "
			       "that its object has already"));
}

TEST(refuses_more_than_an_int_of_bytes)
{
	struct json json;
	struct status st;

	status_clear(&st);
	/* The length alone decides; no byte may be touched. */
	assert_int_equal(
		json_parse(&json, (struct str){ memory, (size_t)INT32_MAX + 1 },
			   &tokens, &st),
		CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message,
			    "line 1, column 1, at $: the text is too long");
	assert_int_equal(json_type(json_root(&json)), JSON_ABSENT);
}

TEST(a_refused_text_has_no_root)
{
	static const struct str BAD[] = { STR("[1"), STR("{\"a\":1,\"a\":2}") };
	struct json json;
	struct status st;

	for (size_t i = 0; i < 2; i++) {
		status_clear(&st);
		assert_int_equal(json_parse(&json, BAD[i], &tokens, &st),
				 CODE_INVALID_ARGUMENT);
		assert_int_equal(json_type(json_root(&json)), JSON_ABSENT);
	}
}

/* A fault right behind, in, or before a secret shows none of it. */
TEST(errors_hold_no_byte_of_a_value)
{
	static const char CANARY[] = "cAnArY7xQz";
	static const char *const SHAPES[] = {
		"\"%s",
		"%s",
		"'%s'",
		"{%s:1}",
		"{\"%s\"}",
		"[\"%s\" 1]",
		"{\"%s\":\"%s\"",
		"{\"a\":%s}",
		"[\"\\u%s\"]",
		"[\"\\%s\"]",
		"[\"%s\\ud800\"]",
		"{\"a\":\"%s\n\"}",
		"{\"a.%s\":1,\"a.%s\":2}",
		"{\"A%s=\":{\"b\":\"%s\" 5}}",
		"{} %s",
		"12%s",
		"-%s",
		"true%s",
		"[\"%s\xff\"]",
		"<%s>",
		"# %s",
		"{\"%s:%s\":}",
		"{\"https://%s@h.io\":}",
		"{\"h.io:%s\":}",
		"{\"%s\\n\":}",
	};

	for (size_t i = 0; i < sizeof(SHAPES) / sizeof(SHAPES[0]); i++) {
		struct buf out;
		struct status st;
		struct str rest = str_from(SHAPES[i]);

		buf_init(&out, memory, sizeof(memory));
		while (rest.len > 0) {
			bool here = str_starts(rest, STR("%s"));

			buf_put(&out, here ? CANARY : rest.ptr,
				here ? strlen(CANARY) : 1);
			rest = str_skip(rest, here ? 2 : 1);
		}
		assert_int_equal(parse_copy(buf_view(&out), &st),
				 CODE_INVALID_ARGUMENT);
		if (strstr(st.message, CANARY) != NULL)
			fail_msg("shape %zu: %s", i, st.message);
	}
}

/* How keys look in paths; `k` stands in {"k":} */
TEST(only_names_and_hosts_are_shown)
{
	static const struct {
		const char *key;
		const char *shown;
	} KEYS[] = {
		{ "auths", "$.auths" },
		{ "token_uri", "$.token_uri" },
		{ "privateKeyId", "$.privateKeyId" },
		{ "_x509", "$._x509" },
		{ "az", "$.az" },
		{ "Az", "$.Az" },
		{ "Zz", "$.Zz" },
		{ "a{", "$[key 1]" },
		{ "[a", "$[key 1]" },
		{ "@a", "$[key 1]" },
		{ "a.{", "$[key 1]" },
		{ "a.b:5", "$[\"a.b:5\"]" },
		{ "z.a", "$[\"z.a\"]" },
		{ "dataCrc32c", "$.dataCrc32c" },
		{ "HttpHeaders", "$.HttpHeaders" },
		{ "dXNlcjpwYXNz", "$[key 1]" },
		{ "passW", "$[key 1]" },
		{ "quay.io", "$[\"quay.io\"]" },
		{ "quay.io/org/a-b_c", "$[\"quay.io/org/a-b_c\"]" },
		{ "*.example.com:5000", "$[\"*.example.com:5000\"]" },
		{ "10.0.0.1:5000", "$[\"10.0.0.1:5000\"]" },
		{ "https://index.docker.io/v1/",
		  "$[\"https://index.docker.io/v1/\"]" },
		{ "abcdefghijabcdefghijabcdefghijabcdefghij",
		  "$.abcdefghijabcdefghijabcdefghijabcdefghij" },
		{ "abcdefghijabcdefghijabcdefghijabcdefghijk", "$[key 1]" },
		{ "a1234", "$[key 1]" },
		{ "1a", "$[key 1]" },
		{ "", "$[key 1]" },
		{ "@type", "$[key 1]" },
		{ "Quay.io", "$[key 1]" },
		{ "user:password", "$[key 1]" },
		{ "user:pass.word", "$[key 1]" },
		{ "user@quay.io", "$[key 1]" },
		{ "quay.io:", "$[key 1]" },
		{ "a b", "$[key 1]" },
		{ "a.b\\n", "$[key 1]" },
		{ "\\u0061", "$[key 1]" },
		{ "\xc3\xa9", "$[key 1]" },
	};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
		char text[256], expected[256];
		struct status st;

		(void)snprintf(text, sizeof(text), "{\"%s\":}", KEYS[i].key);
		(void)snprintf(expected, sizeof(expected), "at %s: no value",
			       KEYS[i].shown);
		assert_int_equal(parse_copy(str_from(text), &st),
				 CODE_INVALID_ARGUMENT);
		if (strstr(st.message, expected) == NULL)
			fail_msg("row %zu: %s", i, st.message);
	}
}

TEST(hosts_longer_than_128_bytes_are_not_shown)
{
	char text[256] = "{\"a.", *end = text + 4;
	struct status st;

	memset(end, 'b', 126);
	memcpy(end + 126, "\":}", 4);
	assert_int_equal(parse_copy(str_from(text), &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "at $[\"a.bbb"));
	memcpy(end + 126, "b\":}", 5);
	assert_int_equal(parse_copy(str_from(text), &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "at $[key 1]: "));
}

TEST(long_paths_end_in_dots)
{
	struct buf out;
	struct status st;

	buf_init(&out, memory, sizeof(memory));
	for (size_t i = 0; i < 30; i++)
		buf_put_cstr(&out, "{\"quay.io/organisation/name\":");
	assert_int_equal(parse_copy(buf_view(&out), &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "...: the text ends before '}'"));
	assert_true(strlen(st.message) < 700);
}

/* A status that holds an error keeps it. */
TEST(the_first_cause_stays)
{
	struct json json;
	struct status st;

	status_clear(&st);
	(void)status_set(&st, CODE_NOT_FOUND, "earlier");
	assert_int_equal(json_parse(&json, STR("["), &tokens, &st),
			 CODE_NOT_FOUND);
	assert_string_equal(st.message, "earlier");
}
