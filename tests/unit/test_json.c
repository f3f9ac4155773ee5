/* Values of a text that was read. */
#include "base/json.h"
#include "base/json_path.h"
#include "base/json_walk.h"

#include "test.h"

static struct json_tokens tokens;
static struct json json;

/* Reads `text`, which must be valid, and returns its root. */
static struct json_value
root_of(const char *text)
{
	struct status st;

	status_clear(&st);
	if (json_parse(&json, str_from(text), &tokens, &st) != CODE_OK)
		fail_msg("%s: %s", text, st.message);
	return json_root(&json);
}

static void
assert_raw(struct json_value value, const char *expected)
{
	struct str raw = json_raw(value);

	assert_int_equal(raw.len, strlen(expected));
	assert_memory_equal(raw.ptr, expected, raw.len);
}

TEST(every_value_has_a_type_a_raw_text_and_a_size)
{
	static const struct {
		const char *text;
		enum json_type type;
		const char *raw;
		size_t size;
	} ROWS[] = {
		{ " null ", JSON_NULL, "null", 0 },
		{ "true", JSON_BOOLEAN, "true", 0 },
		{ "\tfalse\n", JSON_BOOLEAN, "false", 0 },
		{ "0", JSON_NUMBER, "0", 0 },
		{ "-1.5e3", JSON_NUMBER, "-1.5e3", 0 },
		{ "\"\"", JSON_STRING, "", 0 },
		{ " \"a\\n\" ", JSON_STRING, "a\\n", 0 },
		{ " [ ] ", JSON_ARRAY, "[ ]", 0 },
		{ "[1,[2,3],{\"a\":4}]", JSON_ARRAY, "[1,[2,3],{\"a\":4}]", 3 },
		{ "{}", JSON_OBJECT, "{}", 0 },
		{ "{\"a\":{\"b\":1},\"c\":[1,2,3]}", JSON_OBJECT,
		  "{\"a\":{\"b\":1},\"c\":[1,2,3]}", 2 },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct json_value root = root_of(ROWS[i].text);

		assert_int_equal(json_type(root), ROWS[i].type);
		assert_raw(root, ROWS[i].raw);
		assert_int_equal(json_size(root), ROWS[i].size);
	}
}

TEST(type_names_read_well)
{
	assert_string_equal(json_type_name(JSON_ABSENT), "nothing");
	assert_string_equal(json_type_name(JSON_NULL), "null");
	assert_string_equal(json_type_name(JSON_BOOLEAN), "a boolean");
	assert_string_equal(json_type_name(JSON_NUMBER), "a number");
	assert_string_equal(json_type_name(JSON_STRING), "a string");
	assert_string_equal(json_type_name(JSON_ARRAY), "an array");
	assert_string_equal(json_type_name(JSON_OBJECT), "an object");
	assert_string_equal(json_type_name((enum json_type)99), "nothing");
}

TEST(get_finds_members_behind_any_nesting)
{
	struct json_value root =
		root_of("{\"a\":{\"z\":1,\"y\":[{\"z\":2}]},\"b\":[[],[\"z\"]],"
			"\"s\":\"z\",\"z\":3,\"\\u007a2\":4,\"\":5}");

	assert_raw(json_get(root, "z"), "3");
	assert_raw(json_get(root, "z2"), "4");
	assert_raw(json_get(root, ""), "5");
	assert_raw(json_get(json_get(root, "a"), "z"), "1");
	assert_int_equal(json_type(json_get(root, "y")), JSON_ABSENT);
	assert_int_equal(json_type(json_get(root, "Z")), JSON_ABSENT);
	assert_int_equal(json_type(json_get(root, "z3")), JSON_ABSENT);
	/* neither elements nor strings are members */
	assert_int_equal(json_type(json_get(json_get(root, "b"), "z")),
			 JSON_ABSENT);
	assert_int_equal(json_type(json_get(json_get(root, "b"), "")),
			 JSON_ABSENT);
	assert_int_equal(json_type(json_get(json_get(root, "s"), "z")),
			 JSON_ABSENT);
}

TEST(absent_in_absent_out)
{
	struct json_value absent = json_get(root_of("{}"), "a");
	struct json_iter iter = json_iter(absent);
	char memory[8], cstr[8] = "x";
	struct buf out;
	uint64_t number = 7;
	size_t line = 9, column = 9;

	buf_init(&out, memory, sizeof(memory));
	assert_int_equal(json_type(absent), JSON_ABSENT);
	assert_int_equal(json_type(json_get(absent, "b")), JSON_ABSENT);
	assert_int_equal(json_size(absent), 0);
	assert_false(json_next(&iter));
	assert_false(json_equals(absent, STR("")));
	assert_false(json_string(absent, &out));
	assert_false(json_cstr(absent, cstr, sizeof(cstr)));
	assert_string_equal(cstr, "");
	assert_false(json_uint(absent, &number));
	assert_int_equal(number, 7);
	assert_false(json_is_true(absent));
	assert_raw(absent, "");
	assert_false(json_is_plain(absent));
	json_path(absent, &out);
	assert_int_equal(out.len, 0);
	json_position(absent, &line, &column);
	assert_int_equal(line, 0);
	assert_int_equal(column, 0);
}

TEST(iteration_gives_each_child_once_and_in_order)
{
	static const struct {
		const char *text;
		const char *keys;
		const char *values;
	} ROWS[] = {
		{ "{}", "", "" },
		{ "[]", "", "" },
		{ "3", "", "" },
		{ "\"a\"", "", "" },
		{ "[[],[],[]]", "---", "[][][]" },
		{ "[[[1]],2]", "--", "[[1]]2" },
		{ "[\"\",\"\"]", "--", "" },
		{ "[{\"a\":[{\"b\":1}]},{},5]", "---",
		  "{\"a\":[{\"b\":1}]}{}5" },
		{ "{\"a\":1,\"b\":2}", "ab", "12" },
		{ "{\"a\":{\"b\":{\"c\":1}},\"d\":[],\"e\":\"f\"}", "ade",
		  "{\"b\":{\"c\":1}}[]f" },
		{ "{\"a\":[1,{\"b\":2}],\"c\":{}}", "ac", "[1,{\"b\":2}]{}" },
		{ "{ \"a\" : \"\" , \"b\" : [ ] }", "ab", "[ ]" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct json_value root = root_of(ROWS[i].text);
		struct json_iter iter = json_iter(root);
		char keys_memory[16], values_memory[64];
		struct buf keys, values;
		size_t count = 0;

		buf_init(&keys, keys_memory, sizeof(keys_memory));
		buf_init(&values, values_memory, sizeof(values_memory));
		for (; json_next(&iter); count++) {
			if (json_type(iter.key) == JSON_ABSENT)
				buf_put_char(&keys, '-');
			buf_put_str(&keys, json_raw(iter.key));
			buf_put_str(&values, json_raw(iter.value));
		}
		assert_int_equal(count, json_size(root));
		assert_true(str_eq(buf_view(&keys), str_from(ROWS[i].keys)));
		assert_true(
			str_eq(buf_view(&values), str_from(ROWS[i].values)));
		/* the end is the end */
		assert_false(json_next(&iter));
		assert_int_equal(json_type(iter.value), JSON_ABSENT);
		assert_int_equal(json_type(iter.key), JSON_ABSENT);
	}
}

TEST(strings_unescape)
{
	static const struct {
		const char *text;
		struct str content;
		bool plain;
	} ROWS[] = {
		{ "\"\"", STR(""), true },
		{ "\"abc\"", STR("abc"), true },
		{ "\"\xc3\xa9\xf0\x9f\x98\x80\"",
		  STR("\xc3\xa9\xf0\x9f\x98\x80"), true },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t"),
		  false },
		{ "\"\\u0041\\u0000b\"", STR("A\0b"), false },
		{ "\"\\u007f\\u0080\"", STR("\x7f\xc2\x80"), false },
		{ "\"\\u07ff\\u0800\"", STR("\xdf\xbf\xe0\xa0\x80"), false },
		{ "\"\\uFFFF\"", STR("\xef\xbf\xbf"), false },
		{ "\"\\ud800\\udc00\"", STR("\xf0\x90\x80\x80"), false },
		{ "\"\\uDBFF\\uDFFFx\"", STR("\xf4\x8f\xbf\xbfx"), false },
		{ "\"a\\u00e9\\n\\\\n\"", STR("a\xc3\xa9\n\\n"), false },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct json_value value = root_of(ROWS[i].text);
		struct str content = ROWS[i].content;
		char memory[32];
		struct buf out;

		/* exactly as much room as it needs */
		buf_init(&out, memory, content.len);
		assert_true(json_string(value, &out));
		assert_true(str_eq(buf_view(&out), content));
		assert_true(json_equals(value, content));
		assert_int_equal(json_is_plain(value), ROWS[i].plain);
	}
}

TEST(string_appends_all_or_nothing)
{
	struct json_value value = root_of("\"a\\u00e9\"");
	char memory[5];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	buf_put_cstr(&out, "123");
	assert_false(json_string(value, &out));
	assert_true(str_eq(buf_view(&out), STR("123")));
	assert_false(out.overflow);
	out.len = 2;
	assert_true(json_string(value, &out));
	assert_true(str_eq(buf_view(&out), STR("12a\xc3\xa9")));
	/* a buffer that overflowed takes no more */
	out.overflow = true;
	assert_false(json_string(root_of("\"\""), &out));
	assert_int_equal(out.len, 5);
}

TEST(a_string_is_cut_between_characters)
{
	/* 1, 2, 3 and 4 bytes, and what fits of them in 0 to 10 */
	static const size_t FITS[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };
	const struct str whole = STR("a\xc3\xa9\xe2\x82\xac\xf0\x90\x80\x80");
	char memory[16];
	struct buf out;

	for (size_t size = 0; size <= 10; size++) {
		buf_init(&out, memory, size);
		assert_true(json_string_cut(
			root_of("\"a\\u00e9\xe2\x82\xac\\ud800\\udc00\""),
			&out));
		assert_int_equal(out.len, FITS[size]);
		assert_memory_equal(memory, whole.ptr, out.len);
		assert_false(out.overflow);
	}
	/* what stood there before stays */
	buf_init(&out, memory, 3);
	buf_put_cstr(&out, "\xc3\xa9");
	assert_true(json_string_cut(root_of("\"\\u00e9\""), &out));
	assert_true(str_eq(buf_view(&out), STR("\xc3\xa9")));
	assert_false(json_string_cut(root_of("7"), &out));
	out.overflow = true;
	assert_false(json_string_cut(root_of("\"\""), &out));
}

TEST(equals_is_exact)
{
	struct json_value value = root_of("\"a\\u0062c\"");

	assert_true(json_equals(value, STR("abc")));
	assert_false(json_equals(value, STR("ab")));
	assert_false(json_equals(value, STR("abcd")));
	assert_false(json_equals(value, STR("abC")));
	assert_false(json_equals(value, STR("")));
	assert_false(json_equals(value, STR("a\\u0062c")));
	assert_false(json_equals(root_of("5"), STR("5")));
	assert_false(json_equals(root_of("[]"), STR("[]")));
	assert_false(json_equals(root_of("\"\xc3\xa9\""), STR("\xc3")));
}

TEST(cstr_ends_in_nul_and_holds_none)
{
	char out[4];

	assert_true(json_cstr(root_of("\"a\\tb\""), out, sizeof(out)));
	assert_string_equal(out, "a\tb");
	assert_true(json_cstr(root_of("\"\""), out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(json_cstr(root_of("\"abcd\""), out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(json_cstr(root_of("\"a\\u0000\""), out, sizeof(out)));
	assert_string_equal(out, "");
	out[0] = 'x';
	assert_false(json_cstr(root_of("12"), out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(json_cstr(root_of("\"\""), out, 1));
	assert_false(json_cstr(root_of("\"\""), out, 0));
}

TEST(uint_takes_plain_integers_only)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t number;
	} ROWS[] = {
		{ "0", true, 0 },
		{ "42", true, 42 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "\"18446744073709551615\"", true, UINT64_MAX },
		{ "\"0\"", true, 0 },
		{ "\"\\u0031\"", true, 1 },
		{ "18446744073709551616", false, 0 },
		{ "\"18446744073709551616\"", false, 0 },
		{ "100000000000000000000", false, 0 },
		{ "\"0000000000000000000000000000000000001\"", false, 0 },
		{ "-0", false, 0 },
		{ "-1", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "\"\"", false, 0 },
		{ "\"1 \"", false, 0 },
		{ "\"+1\"", false, 0 },
		{ "\"-1\"", false, 0 },
		{ "\"1.0\"", false, 0 },
		{ "\"1\\u0000\"", false, 0 },
		{ "null", false, 0 },
		{ "true", false, 0 },
		{ "[1]", false, 0 },
		{ "{\"a\":1}", false, 0 },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		uint64_t number = 77;

		if (json_uint(root_of(ROWS[i].text), &number) != ROWS[i].valid)
			fail_msg("row %zu", i);
		assert_int_equal(number, ROWS[i].valid ? ROWS[i].number : 77);
	}
}

TEST(only_the_literal_true_is_true)
{
	assert_true(json_is_true(root_of("true")));
	assert_false(json_is_true(root_of("false")));
	assert_false(json_is_true(root_of("\"true\"")));
	assert_false(json_is_true(root_of("1")));
	assert_false(json_is_true(root_of("null")));
	assert_false(json_is_true(root_of("[true]")));
}

static void
assert_place(struct json_value value, const char *path, size_t line,
	     size_t column)
{
	char memory[128];
	struct buf out;
	size_t at_line, at_column;

	buf_init(&out, memory, sizeof(memory));
	json_path(value, &out);
	buf_put_char(&out, '\0');
	assert_string_equal(memory, path);
	json_position(value, &at_line, &at_column);
	assert_int_equal(at_line, line);
	assert_int_equal(at_column, column);
}

TEST(paths_and_positions)
{
	struct json_value root =
		root_of("\n{\"auths\": {\r\n  \"a.b\": {\"auth\": \"x\"},\n"
			"  \"C\": [1, [2, {\"\": null}], \"\"]}, \"n\": -5}");
	struct json_value auths = json_get(root, "auths");
	struct json_iter list = json_iter(json_get(auths, "C"));
	struct json_iter iter = json_iter(auths);

	assert_place(root, "$", 2, 1);
	assert_place(auths, "$.auths", 2, 11);
	assert_true(json_next(&iter));
	assert_place(iter.key, "$.auths[\"a.b\"]", 3, 3);
	assert_place(iter.value, "$.auths[\"a.b\"]", 3, 10);
	assert_place(json_get(iter.value, "auth"), "$.auths[\"a.b\"].auth", 3,
		     19);
	assert_true(json_next(&iter));
	assert_place(iter.key, "$.auths[key 2]", 4, 3);
	assert_true(json_next(&list));
	assert_place(list.value, "$.auths[key 2][0]", 4, 9);
	assert_true(json_next(&list));
	assert_place(list.value, "$.auths[key 2][1]", 4, 12);
	list = json_iter(list.value);
	assert_true(json_next(&list) && json_next(&list));
	assert_place(json_get(list.value, ""), "$.auths[key 2][1][1][key 1]", 4,
		     21);
	assert_false(json_next(&list));
	assert_place(json_get(root, "n"), "$.n", 4, 40);
	list = json_iter(json_get(auths, "C"));
	while (list.left > 0)
		assert_true(json_next(&list));
	assert_place(list.value, "$.auths[key 2][2]", 4, 29);
}

TEST(a_path_as_deep_as_can_be)
{
	char text[2 * JSON_DEPTH_MAX + 2] = "";
	char memory[3 * JSON_DEPTH_MAX + 2];
	struct json_value value;
	struct buf expected;

	buf_init(&expected, memory, sizeof(memory));
	buf_put_char(&expected, '$');
	memset(text, '[', JSON_DEPTH_MAX);
	text[JSON_DEPTH_MAX] = '0';
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX);
	value = root_of(text);
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
		struct json_iter iter = json_iter(value);

		assert_true(json_next(&iter));
		value = iter.value;
		buf_put_cstr(&expected, "[0]");
	}
	assert_int_equal(json_type(value), JSON_NUMBER);
	buf_put_char(&expected, '\0');
	assert_false(expected.overflow);
	assert_place(value, memory, 1, JSON_DEPTH_MAX + 1);
}

TEST(tokens_serve_one_text_after_the_other)
{
	assert_int_equal(json_size(root_of("[1,2,3,4,5,6,7,8,9]")), 9);
	assert_int_equal(json_size(root_of("{\"a\":[]}")), 1);
	assert_int_equal(json_size(json_get(root_of("{\"a\":[]}"), "a")), 0);
}

TEST(reading_starts_at_the_view_not_the_string)
{
	static const char AROUND[] = "][1,2]}";
	struct status st;

	status_clear(&st);
	assert_int_equal(json_parse(&json, (struct str){ AROUND + 1, 5 },
				    &tokens, &st),
			 CODE_OK);
	assert_raw(json_root(&json), "[1,2]");
}
