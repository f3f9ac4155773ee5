/* The head of a response: RFC 9112 sections 2 to 5. */
#include "net/http_response.h"

#include "read_response.h"
#include "test.h"

/* Section 4. */
TEST(status_lines_are_read)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ "HTTP/1.1 200 OK", 200 },
		{ "HTTP/1.1 200 ", 200 },
		{ "HTTP/1.1 200", 200 },
		{ "HTTP/1.0 599 Two words", 599 },
		{ "HTTP/1.1 404 \xc3\xa4\xff", 404 },
		{ "HTTP/1.1 404 not\tfound", 404 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		start_response("GET");
		assert_int_equal(feed_steps(str_from(rows[i].line), 1),
				 CODE_OK);
		assert_int_equal(feed_copy("\r\n\r\n", 4), CODE_OK);
		assert_int_equal(response.status, rows[i].status);
		assert_int_equal(response.state, HTTP_BODY_CLOSE);
	}
}

static const struct {
	const char *head;
	const char *rule;
} BAD[] = {
	/* section 4: the status line */
	{ "HTTP 200 OK", "malformed status line" },
	{ "HTTX/1.1 200 OK", "malformed status line" },
	{ "HTTP/1.1", "the version is not HTTP/1.1" },
	{ "HTTP/1.2 200 OK", "the version is not HTTP/1.1" },
	{ "HTTP/2 200", "the version is not HTTP/1.1" },
	{ "HTTP/0.9 200 OK", "the version is not HTTP/1.1" },
	{ "HTTP/1.1  200 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1\t200 OK", "the version is not HTTP/1.1" },
	{ "HTTP/1.1 ", "the status is not 100 to 599" },
	{ "HTTP/1.1 20", "the status is not 100 to 599" },
	{ "HTTP/1.1 2000 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 200OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 099 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 600 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 -20 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 2x0 OK", "the status is not 100 to 599" },
	{ "HTTP/1.1 200 \x01", "the reason holds a control character" },
	{ "HTTP/1.1 200 O\x1b[2JK", "the reason holds a control character" },
	{ "HTTP/1.1 200 OK\x7f", "the reason holds a control character" },
	/* section 2.2: ends of lines */
	{ "HTTP/1.1 200 OK\n", "CR or LF that is not CRLF" },
	{ "HTTP/1.1 200\rOK", "CR or LF that is not CRLF" },
	{ "HTTP/1.1 200 OK\r\nA: b\n", "CR or LF that is not CRLF" },
	{ "HTTP/1.1 200 OK\r\nA: b\rC: d", "CR or LF that is not CRLF" },
	{ "HTTP/1.1 200 OK\r\n\n", "CR or LF that is not CRLF" },
	{ "HTTP/1.1 200 OK\r\n\r\r", "CR or LF that is not CRLF" },
	/* section 5.1: names */
	{ "HTTP/1.1 200 OK\r\n: b", "a field has no name" },
	{ "HTTP/1.1 200 OK\r\nA", "a field has no name" },
	{ "HTTP/1.1 200 OK\r\nA : b", "a field's name is no token" },
	{ "HTTP/1.1 200 OK\r\nA\t: b", "a field's name is no token" },
	{ "HTTP/1.1 200 OK\r\nA(: b", "a field's name is no token" },
	{ "HTTP/1.1 200 OK\r\n\xc3\xa4: b", "a field's name is no token" },
	/* section 5.2: folded lines */
	{ "HTTP/1.1 200 OK\r\nA: b\r\n c", "folded over two lines" },
	{ "HTTP/1.1 200 OK\r\nA: b\r\n\tc: d", "folded over two lines" },
	{ "HTTP/1.1 200 OK\r\n A: b", "folded over two lines" },
	/* RFC 9110 section 5.5: values */
	{ "HTTP/1.1 200 OK\r\nA: b\x01", "holds a control character" },
	{ "HTTP/1.1 200 OK\r\nA: \x0b"
	  "b",
	  "holds a control character" },
	{ "HTTP/1.1 200 OK\r\nA: b\x7f", "holds a control character" },
};

TEST(broken_heads_are_refused_by_rule)
{
	for (size_t i = 0; i < COUNT(BAD); i++) {
		for (size_t step = 1; step < 50; step++) {
			start_response("GET");
			(void)feed_steps(str_from(BAD[i].head), step);
			if (st.code == CODE_OK)
				(void)feed_copy("\r\n\r\n", 4);
			if (st.code != CODE_UNAVAILABLE ||
			    strstr(st.message, BAD[i].rule) == NULL)
				fail_msg("row %zu: %s", i, st.message);
			assert_false(st.permanent);
			assert_int_equal(response.state, HTTP_FAILED);
		}
	}
}

TEST(a_nul_in_a_field_is_refused)
{
	start_response("GET");
	assert_int_equal(feed_steps(STR("HTTP/1.1 200 OK\r\nA: \0b\r\n\r\n"),
				    7),
			 CODE_UNAVAILABLE);
	start_response("GET");
	assert_int_equal(feed_steps(STR("HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n"),
				    7),
			 CODE_UNAVAILABLE);
}

TEST(what_is_no_http_is_told_by_its_first_byte)
{
	static const struct {
		struct str wire;
		const char *message;
		bool permanent;
	} rows[] = {
		{ { "\x15\x03\x01\x00\x02\x02\x46", 7 }, "speaks TLS", true },
		{ { "\x16\x03\x03", 3 }, "speaks TLS", true },
		{ { "\0\0\x12\x04\0", 5 }, "speaks HTTP/2", true },
		{ { "<html>", 6 }, "does not start with HTTP/", false },
		{ { "\r\nHTTP/1.1", 10 }, "does not start with HTTP/", false },
		{ { "SSH-2.0-x\r\n", 11 }, "does not start with HTTP/", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		start_response("GET");
		assert_int_equal(feed_steps(rows[i].wire, 100),
				 CODE_UNAVAILABLE);
		assert_non_null(strstr(st.message, rows[i].message));
		assert_int_equal(st.permanent, rows[i].permanent);
	}
}

TEST(a_message_quotes_nothing_that_came)
{
	start_response("GET");
	assert_int_equal(feed_steps(STR("HTTP/1.1 200 OK\r\nA: canary\n"), 1),
			 CODE_UNAVAILABLE);
	assert_null(strstr(st.message, "canary"));
}

/* RFC 9110 section 5.1: names in any case, the first of two counts. */
TEST(fields_are_found_in_any_case)
{
	static const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "etag", "\"x\"" },
		{ "ETAG", "\"x\"" },
		{ "a", "1: 2 ,3" },
		{ "empty", "" },
		{ "twice", "first" },
		{ "latin", "\xe4" },
		{ "!#$%&'*+-.^_`|~", "token" },
	};

	start_response("GET");
	assert_int_equal(feed_steps(STR("HTTP/1.1 200 OK\r\n"
					"ETag:\"x\"\r\nA: \t1: 2 ,3\t \r\n"
					"Empty: \r\nTwice: first\r\n"
					"TWICE: second\r\nLatin: \xe4\r\n"
					"!#$%&'*+-.^_`|~:token\r\n\r\n"),
				    3),
			 CODE_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str value = http_field(&response, rows[i].name);

		assert_non_null(value.ptr);
		assert_true(str_eq(value, str_from(rows[i].value)));
	}
	assert_null(http_field(&response, "e").ptr);
	assert_null(http_field(&response, "").ptr);
}

TEST(fields_of_an_interim_head_are_forgotten)
{
	start_response("GET");
	assert_int_equal(feed_steps(STR("HTTP/1.1 103 x\r\nA: early\r\n\r\n"
					"HTTP/1.1 200 OK\r\nB: b\r\n\r\n"),
				    100),
			 CODE_OK);
	assert_null(http_field(&response, "A").ptr);
	assert_true(str_eq(http_field(&response, "B"), STR("b")));
}

/* `times` interim heads, then a final one. */
static enum code
feed_interim(size_t times)
{
	start_response("GET");
	for (size_t i = 0; i < times && st.code == CODE_OK; i++)
		(void)feed_steps(STR("HTTP/1.1 100 Continue\r\n\r\n"), 100);
	if (st.code == CODE_OK)
		(void)feed_steps(STR("HTTP/1.1 204 x\r\n\r\n"), 100);
	return st.code;
}

TEST(interim_heads_have_a_ceiling)
{
	assert_int_equal(feed_interim(HTTP_INTERIM_MAX), CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(feed_interim(HTTP_INTERIM_MAX + 1), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "too many interim"));
}

static enum code
feed_fields(size_t count)
{
	start_response("GET");
	(void)feed_steps(STR("HTTP/1.1 204 x\r\n"), 100);
	for (size_t i = 0; i < count; i++)
		(void)feed_steps(STR("A: b\r\n"), 100);
	(void)feed_steps(STR("\r\n"), 100);
	return st.code;
}

TEST(fields_have_a_ceiling)
{
	assert_int_equal(feed_fields(HTTP_FIELDS_MAX), CODE_OK);
	assert_int_equal(response.field_count, HTTP_FIELDS_MAX);
	assert_int_equal(feed_fields(HTTP_FIELDS_MAX + 1), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "too many fields"));
}

/* One field of `len` bytes of line, CRLF not counted. */
static void
feed_line(size_t len)
{
	(void)feed_steps(STR("A:"), 2);
	for (size_t i = 2; i < len && st.code == CODE_OK; i++)
		(void)feed_copy("b", 1);
	if (st.code == CODE_OK)
		(void)feed_steps(STR("\r\n"), 2);
}

static enum code
feed_one_line(size_t len)
{
	start_response("GET");
	(void)feed_steps(STR("HTTP/1.1 204 x\r\n"), 100);
	feed_line(len);
	if (st.code == CODE_OK)
		(void)feed_steps(STR("\r\n"), 2);
	return st.code;
}

TEST(lines_have_a_ceiling)
{
	assert_int_equal(feed_one_line(HTTP_LINE_MAX), CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(feed_one_line(HTTP_LINE_MAX + 1), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "a line is longer"));
}

/* A head of exactly `size` bytes, its empty line included. */
static enum code
feed_head_of(size_t size)
{
	size_t left;

	start_response("GET");
	(void)feed_steps(STR("HTTP/1.1 204 x\r\n"), 100);
	for (left = size - 18; left > 8002; left -= 8002)
		feed_line(8000);
	feed_line(left - 2);
	if (st.code == CODE_OK)
		(void)feed_steps(STR("\r\n"), 2);
	return st.code;
}

TEST(the_head_has_a_ceiling)
{
	assert_int_equal(feed_head_of(HTTP_HEAD_MAX), CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(head.len, HTTP_HEAD_MAX);
	assert_int_equal(feed_head_of(HTTP_HEAD_MAX + 1), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "the head is larger"));
}
