/* The writer writes JSON or says that it did not. */
#include "base/json.h"
#include "base/json_write.h"

#include "test.h"

static char memory[1024];
static struct buf out;
static struct json_writer writer;

static void
start(size_t size)
{
	buf_init(&out, memory, size);
	json_writer_init(&writer, &out);
}

static void
assert_text(const char *expected)
{
	assert_true(json_writer_done(&writer));
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(out.ptr, expected, out.len);
}

/* One letter a call; what stands in upper case opens. */
static void
play(const char *calls)
{
	for (; *calls != '\0'; calls++) {
		switch (*calls) {
		case 'O':
			json_open_object(&writer);
			break;
		case 'A':
			json_open_array(&writer);
			break;
		case 'c':
			json_close(&writer);
			break;
		case 'k':
			json_key(&writer, "k");
			break;
		case 's':
			json_put_string(&writer, STR("s"));
			break;
		case 'u':
			json_put_uint(&writer, 7);
			break;
		case 'U':
			json_put_uint_string(&writer, 8);
			break;
		case 't':
			json_put_boolean(&writer, true);
			break;
		case 'f':
			json_put_boolean(&writer, false);
			break;
		case 'n':
			json_put_null(&writer);
			break;
		case 'b':
			json_put_base64(&writer, "a", 1);
			break;
		case 'm':
			json_member(&writer, "m", STR("s"));
			break;
		default:
			fail_msg("no such call");
		}
	}
}

TEST(writes_every_shape)
{
	static const struct {
		const char *calls;
		const char *text;
	} ROWS[] = {
		{ "s", "\"s\"" },
		{ "u", "7" },
		{ "U", "\"8\"" },
		{ "t", "true" },
		{ "f", "false" },
		{ "n", "null" },
		{ "b", "\"YQ==\"" },
		{ "Oc", "{}" },
		{ "Ac", "[]" },
		{ "Auuc", "[7,7]" },
		{ "AsuUtfnbc", "[\"s\",7,\"8\",true,false,null,\"YQ==\"]" },
		{ "AAcAcc", "[[],[]]" },
		{ "AOcAcuc", "[{},[],7]" },
		{ "Okuc", "{\"k\":7}" },
		{ "OkOmckAucmc",
		  "{\"k\":{\"m\":\"s\"},\"k\":[7],\"m\":\"s\"}" },
		{ "OkAOcOkncckuc", "{\"k\":[{},{\"k\":null}],\"k\":7}" },
		{ "AOmcOmcc", "[{\"m\":\"s\"},{\"m\":\"s\"}]" },
		{ "AAAcucuc", "[[[],7],7]" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		start(sizeof(memory));
		play(ROWS[i].calls);
		assert_text(ROWS[i].text);
	}
}

TEST(refuses_what_would_break_the_grammar)
{
	static const char *const ROWS[] = {
		"",        /* nothing */
		"O",       /* not closed */
		"A",       /* not closed */
		"AOc",     /* not closed */
		"c",       /* nothing to close */
		"Occ",     /* closed twice */
		"uu",      /* two roots */
		"OcOc",    /* two roots */
		"AcAc",    /* two roots */
		"un",      /* two roots */
		"k",       /* a key at the root */
		"ku",      /* a key at the root */
		"m",       /* a member at the root */
		"Akuc",    /* a key in an array */
		"Amc",     /* a member in an array */
		"Ouc",     /* a value without a key */
		"OOcc",    /* an object without a key */
		"OAcc",    /* an array without a key */
		"Osc",     /* a string without a key */
		"Obc",     /* base64 without a key */
		"OUc",     /* a number in a string without a key */
		"Onc",     /* null without a key */
		"Okc",     /* a key without a value */
		"Okkuc",   /* two keys */
		"Okmc",    /* two keys */
		"Okuuc",   /* two values */
		"OkOcuc",  /* two values */
		"OkAcuc",  /* two values */
		"AOcOkcc", /* a key without a value */
		"Ocku",    /* a key after the end */
		"Ocm",     /* a member after the end */
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		start(sizeof(memory));
		play(ROWS[i]);
		if (json_writer_done(&writer))
			fail_msg("\"%s\" was built", ROWS[i]);
		/* once failed, always failed */
		play("cccuOc");
		assert_false(writer.failed && json_writer_done(&writer));
	}
}

TEST(a_failed_builder_writes_no_more)
{
	size_t len;

	start(sizeof(memory));
	play("Au");
	play("k");
	len = out.len;
	play("uUtfnbskmOAc");
	assert_int_equal(out.len, len);
	assert_false(json_writer_done(&writer));
}

TEST(nesting_has_a_ceiling)
{
	start(sizeof(memory));
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
		play(i % 2 == 0 ? "A" : "Ok");
	play("u");
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
		play("c");
	assert_true(json_writer_done(&writer));
	start(sizeof(memory));
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
		play("A");
	play("A");
	for (size_t i = 0; i < JSON_DEPTH_MAX + 1; i++)
		play("c");
	assert_false(json_writer_done(&writer));
	/* a key before the container that is too deep changes nothing */
	start(sizeof(memory));
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
		play("Ok");
	play("O");
	assert_true(writer.failed);
}

TEST(strings_are_escaped)
{
	static const struct {
		struct str s;
		const char *text;
	} ROWS[] = {
		{ STR(""), "\"\"" },
		{ STR("a/b'c"), "\"a/b'c\"" },
		{ STR("\"\\"), "\"\\\"\\\\\"" },
		{ STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ STR("\0\x01\x0b\x1f\x20\x7f"),
		  "\"\\u0000\\u0001\\u000b\\u001f \\u007f\"" },
		{ STR("\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80"),
		  "\"\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		/* what a terminal obeys: CSI, right-to-left override */
		{ STR("\xc2\x9b\xe2\x80\xae"), "\"\\u009b\\u202e\"" },
		{ STR("\x01\xc3\xa9"), "\"\\u0001\xc3\xa9\"" },
		{ STR("\xff"), "\"\xef\xbf\xbd\"" },
		{ STR("a\x80"
		      "b\xc3"),
		  "\"a\xef\xbf\xbd"
		  "b\xef\xbf\xbd\"" },
		{ STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
				       "\xbd\"" },
		{ STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ STR("\xc3\""), "\"\xef\xbf\xbd\\\"\"" },
		{ STR("\xf0\x9f\x98"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
				       "\xbd\"" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		start(sizeof(memory));
		json_put_string(&writer, ROWS[i].s);
		assert_text(ROWS[i].text);
	}
}

TEST(keys_are_escaped)
{
	start(sizeof(memory));
	json_open_object(&writer);
	json_member(&writer, "a\"\n\xff", STR("b"));
	json_close(&writer);
	assert_text("{\"a\\\"\\n\xef\xbf\xbd\":\"b\"}");
}

TEST(numbers_keep_64_bits)
{
	start(sizeof(memory));
	json_open_array(&writer);
	json_put_uint(&writer, 0);
	json_put_uint(&writer, UINT64_MAX);
	json_put_uint_string(&writer, UINT64_MAX);
	json_put_int(&writer, INT64_MIN);
	json_put_int(&writer, -1);
	json_put_int(&writer, INT64_MAX);
	json_close(&writer);
	assert_text("[0,18446744073709551615,\"18446744073709551615\","
		    "-9223372036854775808,-1,9223372036854775807]");
}

TEST(base64_of_any_length)
{
	start(sizeof(memory));
	json_open_array(&writer);
	json_put_base64(&writer, "", 0);
	json_put_base64(&writer, "\xff\xfe\xfd", 3);
	json_close(&writer);
	assert_text("[\"\",\"//79\"]");
}

/* Whatever the room, the text is whole or json_writer_done() says no. */
TEST(overflow_fails_closed)
{
	size_t whole;

	start(sizeof(memory));
	play("OkAsuUtfnbcmc");
	assert_true(json_writer_done(&writer));
	whole = out.len;
	for (size_t size = 0; size < whole; size++) {
		start(size);
		play("OkAsuUtfnbcmc");
		assert_false(json_writer_done(&writer));
		assert_true(out.overflow);
		assert_true(out.len <= size);
	}
	start(whole);
	play("OkAsuUtfnbcmc");
	assert_true(json_writer_done(&writer));
}

TEST(appends_to_what_is_there)
{
	start(sizeof(memory));
	buf_put_cstr(&out, "x=");
	json_writer_init(&writer, &out);
	play("Ac");
	assert_true(json_writer_done(&writer));
	assert_true(str_eq(buf_view(&out), STR("x=[]")));
	buf_put_char(&out, '\n');
	json_writer_init(&writer, &out);
	play("u");
	assert_true(str_eq(buf_view(&out), STR("x=[]\n7")));
}

TEST(a_buffer_that_overflowed_before_holds_no_json)
{
	start(2);
	buf_put_cstr(&out, "abc");
	json_writer_init(&writer, &out);
	play("Ac");
	assert_false(json_writer_done(&writer));
}
