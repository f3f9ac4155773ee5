/* The head of a request: RFC 9112 section 3, RFC 9110 sections 5 and 7. */
#include "net/http_request.h"

#include "base/version.h"

#include "test.h"

static struct buf out;
static char memory[512];

static bool
write_head(const struct http_request *request, size_t size)
{
	buf_init(&out, memory, size);
	return http_write_head(request, &out);
}

static void
assert_head(const char *before, const char *after)
{
	struct str text = buf_view(&out);

	assert_true(str_starts(text, str_from(before)));
	text = str_skip(text, strlen(before));
	assert_true(str_starts(text, str_from(USER_AGENT)));
	text = str_skip(text, strlen(USER_AGENT));
	assert_true(str_eq(text, str_from(after)));
}

TEST(a_request_is_written_to_the_byte)
{
	static const struct http_field fields[] = {
		{ { "Accept", 6 }, { "application/json", 16 } },
		{ { "X-Empty", 7 }, { "", 0 } },
	};
	const struct http_request request = {
		.method = "GET",
		.target = STR("/v1/a:b?c=d%20e"),
		.authority = "host.example:8443",
		.fields = fields,
		.field_count = 2,
	};

	assert_true(write_head(&request, sizeof(memory)));
	assert_head("GET /v1/a:b?c=d%20e HTTP/1.1\r\n"
		    "Host: host.example:8443\r\nUser-Agent: ",
		    "\r\nAccept: application/json\r\nX-Empty: \r\n\r\n");
}

/* RFC 9110 section 8.6. */
TEST(content_length_stands_where_a_body_is_expected)
{
	static const struct {
		const char *method;
		const char *body;
		const char *length;
	} rows[] = {
		{ "GET", "", NULL },
		{ "HEAD", "", NULL },
		{ "DELETE", "", NULL },
		{ "DELETE", "{}", "\r\nContent-Length: 2\r\n\r\n" },
		{ "POST", "", "\r\nContent-Length: 0\r\n\r\n" },
		{ "PUT", "", "\r\nContent-Length: 0\r\n\r\n" },
		{ "PATCH", "", "\r\nContent-Length: 0\r\n\r\n" },
		{ "POST", "hello body", "\r\nContent-Length: 10\r\n\r\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_request request = {
			.method = rows[i].method,
			.target = STR("/"),
			.authority = "h",
			.body = str_from(rows[i].body),
		};

		assert_true(write_head(&request, sizeof(memory)));
		memory[out.len] = '\0';
		if (rows[i].length == NULL)
			assert_null(strstr(memory, "Content-Length"));
		else
			assert_true(str_ends(buf_view(&out),
					     str_from(rows[i].length)));
	}
}

/* RFC 9112 section 11.1: nothing may split the request. */
TEST(what_could_break_the_framing_is_refused)
{
	static const struct {
		const char *method;
		struct str target;
		const char *authority;
		struct http_field field;
	} rows[] = {
		{ "", { "/", 1 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GE T", { "/", 1 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET\r\n", { "/", 1 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "", 0 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "x", 1 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/ x", 3 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/\n", 2 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/\r", 2 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/\0", 2 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/\x7f", 2 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/\xc3\xa4", 3 }, "h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h h", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h\r\nX:", { { "A", 1 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h", { { "", 0 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h", { { "A:", 2 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h", { { "A B", 3 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h", { { "A\0", 2 }, { "b", 1 } } },
		{ "GET", { "/", 1 }, "h", { { "A", 1 }, { "b\r", 2 } } },
		{ "GET", { "/", 1 }, "h", { { "A", 1 }, { "b\nC: d", 6 } } },
		{ "GET", { "/", 1 }, "h", { { "A", 1 }, { "b\0", 2 } } },
		{ "GET", { "/", 1 }, "h", { { "A", 1 }, { "b\xff", 2 } } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_request request = {
			.method = rows[i].method,
			.target = rows[i].target,
			.authority = rows[i].authority,
			.fields = &rows[i].field,
			.field_count = 1,
		};

		if (write_head(&request, sizeof(memory)))
			fail_msg("row %zu", i);
	}
}

TEST(a_head_that_does_not_fit_is_refused)
{
	const struct http_request request = {
		.method = "POST",
		.target = STR("/"),
		.authority = "h",
	};
	size_t size;

	assert_true(write_head(&request, sizeof(memory)));
	size = out.len;
	assert_true(write_head(&request, size));
	for (size_t less = 0; less < size; less++)
		assert_false(write_head(&request, less));
}
