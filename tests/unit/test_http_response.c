/* How the body of a response is framed: RFC 9112 sections 6 and 7. */
#include "net/http_response.h"

#include "read_response.h"
#include "test.h"

#define OK_11 "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_11 "Transfer-Encoding: chunked\r\n\r\n"

enum ending {
	ITSELF, /* its own framing ends it */
	CLOSE,  /* the end of the connection does */
};

static const struct {
	const char *wire;
	int status;
	const char *body;
	bool keep_alive;
	enum ending ending;
} GOOD[] = {
	/* 6.2 and 6.3 rule 6: Content-Length */
	{ OK_11 "Content-Length: 5\r\n\r\nhello", 200, "hello", true, ITSELF },
	{ OK_11 "content-LENGTH:5\r\n\r\nhello", 200, "hello", true, ITSELF },
	{ OK_11 "Content-Length: \t 005 \t\r\n\r\nhello", 200, "hello", true,
	  ITSELF },
	{ OK_11 "Content-Length: 0\r\n\r\n", 200, "", true, ITSELF },
	{ OK_11 "Content-Length: 4\r\n\r\n\r\n\r\n", 200, "\r\n\r\n", true,
	  ITSELF },
	{ "HTTP/1.1 503 x\r\nContent-Length: 1\r\n\r\n!", 503, "!", true,
	  ITSELF },
	/* 6.3 rule 1: no body whatever the fields say */
	{ "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, ITSELF },
	{ "HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n", 204, "", true,
	  ITSELF },
	{ "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", 304, "", true,
	  ITSELF },
	{ "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", 304, "", true,
	  ITSELF },
	/* 6.3 rule 8: until the close */
	{ OK_11 "\r\n", 200, "", false, CLOSE },
	{ OK_11 "\r\nto the end\n", 200, "to the end\n", false, CLOSE },
	{ "HTTP/1.0 200 OK\r\n\r\nold", 200, "old", false, CLOSE },
	/* 7.1: chunked */
	{ CHUNKED "0\r\n\r\n", 200, "", true, ITSELF },
	{ CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, "hello", true, ITSELF },
	{ CHUNKED "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, "hello", true,
	  ITSELF },
	{ CHUNKED "00000005\r\nhello\r\n00000000\r\n\r\n", 200, "hello", true,
	  ITSELF },
	{ CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", 200,
	  "01234567890123456789a", true, ITSELF },
	{ CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", 200, "\r\n\r\n", true, ITSELF },
	{ OK_11 "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200, "", true,
	  ITSELF },
	/* 7.1.1: extensions are passed over */
	{ CHUNKED "5;a=b\r\nhello\r\n0;last\r\n\r\n", 200, "hello", true,
	  ITSELF },
	{ CHUNKED "5 \t; a=\"b;c\"\r\nhello\r\n0\r\n\r\n", 200, "hello", true,
	  ITSELF },
	/* 7.1.2: trailers too */
	{ CHUNKED "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", 200, "x", true,
	  ITSELF },
	/* 9.3 and 9.6: what keeps a connection */
	{ OK_11 "Connection: close\r\nContent-Length: 0\r\n\r\n", 200, "",
	  false, ITSELF },
	{ OK_11 "Connection: x, Close ,y\r\nContent-Length: 0\r\n\r\n", 200, "",
	  false, ITSELF },
	{ OK_11 "Connection: x\r\nConnection: close\r\nContent-Length: 0"
		"\r\n\r\n",
	  200, "", false, ITSELF },
	{ OK_11 "Connection: closed\r\nContent-Length: 0\r\n\r\n", 200, "",
	  true, ITSELF },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false,
	  ITSELF },
	/* RFC 9110 15.2: interim responses are passed over */
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK_11 "Content-Length: 2\r\n\r\nok",
	  200, "ok", true, ITSELF },
	{ "HTTP/1.1 103 x\r\nLink: y\r\nContent-Length: 7\r\n\r\n"
	  "HTTP/1.1 102 x\r\n\r\nHTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno",
	  404, "no", true, ITSELF },
};

static const struct {
	const char *wire;
	const char *rule;
} BAD[] = {
	/* 6.3 rules 3 to 5: lengths that contradict */
	{ OK_11 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
	  "more than one Content-Length" },
	{ OK_11 "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
	  "more than one Content-Length" },
	{ OK_11 "Content-Length: 5, 5\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length:\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length: -1\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length: +1\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length: 0x5\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length: 5 5\r\n\r\n", "is no number" },
	{ OK_11 "Content-Length: 18446744073709551616\r\n\r\n",
	  "is no number" },
	{ OK_11 "Content-Length: 18446744073709551615\r\n\r\n",
	  "larger than the limit" },
	{ OK_11 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "both Content-Length and Transfer-Encoding" },
	/* 6.1: codings */
	{ OK_11 "Transfer-Encoding: gzip, chunked\r\n\r\n",
	  "unknown transfer coding" },
	{ OK_11 "Transfer-Encoding: gzip\r\n\r\n", "unknown transfer coding" },
	{ OK_11 "Transfer-Encoding: chunked, chunked\r\n\r\n",
	  "unknown transfer coding" },
	{ OK_11 "Transfer-Encoding:\r\n\r\n", "unknown transfer coding" },
	{ OK_11 "Transfer-Encoding: \"chunked\"\r\n\r\n",
	  "unknown transfer coding" },
	{ OK_11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"
		"\r\n\r\n",
	  "unknown transfer coding" },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "a transfer coding in HTTP/1.0" },
	{ OK_11 "Content-Encoding: gzip\r\n\r\n", "a content coding" },
	/* 7.1: chunks */
	{ CHUNKED "\r\n", "a chunk has no size" },
	{ CHUNKED ";a\r\n", "a chunk has no size" },
	{ CHUNKED " 5\r\n", "a chunk has no size" },
	{ CHUNKED "-1\r\n", "a chunk has no size" },
	{ CHUNKED "5x\r\n", "a chunk's size is no number" },
	{ CHUNKED "0x5\r\n", "a chunk's size is no number" },
	{ CHUNKED "5 \r\n", "a chunk's size is no number" },
	{ CHUNKED "5 5\r\n", "a chunk's size is no number" },
	{ CHUNKED "100000000\r\n", "a chunk is too large" },
	{ CHUNKED "ffffffffffffffffffff\r\n", "a chunk is too large" },
	{ CHUNKED "FFFFFFFF\r\n", "larger than the limit" },
	{ CHUNKED "5;\x01\r\n", "a chunk extension holds a control" },
	{ CHUNKED "5\nhello", "CR or LF that is not CRLF" },
	{ CHUNKED "5\r\rhello", "CR or LF that is not CRLF" },
	{ CHUNKED "5\r\nhello!", "a chunk is longer than its size" },
	{ CHUNKED "5\r\nhello\n", "a chunk is longer than its size" },
	{ CHUNKED "5\r\nhello\r\r", "a chunk is longer than its size" },
	{ CHUNKED "5\r\nhello\rx", "a chunk is longer than its size" },
	{ CHUNKED "0\r\nA: b\n", "CR or LF that is not CRLF" },
	{ CHUNKED "0\r\n\n", "CR or LF that is not CRLF" },
	{ CHUNKED "0\r\n\r\r", "CR or LF that is not CRLF" },
	/* 7.1.2: trailers are fields */
	{ CHUNKED "0\r\nA\r\n", "a field has no name" },
	{ CHUNKED "0\r\n: b", "a field has no name" },
	{ CHUNKED "0\r\nA: b\r\nC\r\n", "a field has no name" },
	{ CHUNKED "0\r\nA : b", "a field's name is no token" },
	{ CHUNKED "0\r\nHTTP/1.1 200 OK\r\n", "a field's name is no token" },
	{ CHUNKED "0\r\n{\"a\":", "a field's name is no token" },
	{ CHUNKED "0\r\n5\r\n", "a field has no name" },
	{ CHUNKED "0\r\nA: b\r\n c: d", "a field is folded" },
	{ CHUNKED "0\r\n\tA: b", "a field is folded" },
	{ CHUNKED "0\r\nA: b\x7f", "a field holds a control character" },
	/* 6.3: more than the framing tells */
	{ OK_11 "Content-Length: 5\r\n\r\nhello!", "bytes after the end" },
	{ OK_11 "Content-Length: 0\r\n\r\n\r\n", "bytes after the end" },
	{ CHUNKED "0\r\n\r\nHTTP/1.1 200 OK\r\n", "bytes after the end" },
	{ "HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n!",
	  "bytes after the end" },
	/* RFC 9110 15.2.2 */
	{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", "101" },
};

static void
assert_good(size_t row, const char *how, size_t size)
{
	bool ended = response.state == HTTP_COMPLETE;

	if (GOOD[row].ending == CLOSE)
		ended = response.state == HTTP_BODY_CLOSE;
	if (!ended || st.code != CODE_OK)
		fail_msg("row %zu, %s %zu: %s", row, how, size, st.message);
	assert_int_equal(http_feed_end(&response, true, &st), CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(response.status, GOOD[row].status);
	assert_int_equal(response.keep_alive, GOOD[row].keep_alive);
	assert_false(response.body_dropped);
	if (!str_eq(buf_view(&body), str_from(GOOD[row].body)))
		fail_msg("row %zu, %s %zu: body", row, how, size);
}

TEST(bodies_end_where_their_framing_says)
{
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		struct str wire = str_from(GOOD[i].wire);

		for (size_t step = 1; step <= wire.len; step++) {
			start_response("GET");
			(void)feed_steps(wire, step);
			assert_good(i, "pieces of", step);
		}
		for (size_t cut = 0; cut <= wire.len; cut++) {
			start_response("GET");
			(void)feed_copy(wire.ptr, cut);
			(void)feed_copy(wire.ptr + cut, wire.len - cut);
			assert_good(i, "cut at", cut);
		}
	}
}

TEST(broken_framing_is_refused_by_rule_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(BAD); i++) {
		struct str wire = str_from(BAD[i].wire);

		for (size_t step = 1; step <= wire.len; step++) {
			start_response("GET");
			if (feed_steps(wire, step) != CODE_UNAVAILABLE ||
			    strstr(st.message, BAD[i].rule) == NULL)
				fail_msg("row %zu, pieces of %zu: %s", i, step,
					 st.message);
			assert_int_equal(response.state, HTTP_FAILED);
			assert_false(response.keep_alive);
		}
	}
}

/* Whether a response cut there is whole all the same: RFC 9112 section 8. */
static bool
may_end_at(size_t row, size_t cut)
{
	const char *wire = GOOD[row].wire;

	return GOOD[row].ending == CLOSE &&
	       cut >= (size_t)(strstr(wire, "\r\n\r\n") + 4 - wire);
}

TEST(a_response_cut_at_any_byte_is_incomplete)
{
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		size_t len = strlen(GOOD[i].wire);

		for (size_t cut = 0; cut < len; cut++) {
			start_response("GET");
			assert_int_equal(feed_copy(GOOD[i].wire, cut), CODE_OK);
			if ((http_feed_end(&response, true, &st) == CODE_OK) !=
			    may_end_at(i, cut))
				fail_msg("row %zu, cut at %zu", i, cut);
			if (may_end_at(i, cut))
				continue;
			assert_int_equal(st.code, CODE_UNAVAILABLE);
			assert_false(st.permanent);
			assert_int_equal(response.state, HTTP_FAILED);
			assert_false(response.keep_alive);
		}
	}
}

/* Section 8: a TCP reset, or TLS without close_notify, may be an attack. */
TEST(an_unclean_close_does_not_end_a_body)
{
	start_response("GET");
	assert_int_equal(feed_steps(STR(OK_11 "\r\npart"), 100), CODE_OK);
	assert_int_equal(http_feed_end(&response, false, &st),
			 CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "cut off after 4 bytes"));
	start_response("GET");
	assert_int_equal(feed_steps(STR(OK_11 "Content-Length: 1\r\n\r\n!"),
				    100),
			 CODE_OK);
	assert_int_equal(http_feed_end(&response, false, &st), CODE_OK);
}

TEST(the_message_says_how_far_a_cut_response_came)
{
	static const struct {
		const char *wire;
		const char *message;
	} rows[] = {
		{ "", "closed without a reply" },
		{ "H", "cut off in its head" },
		{ OK_11, "cut off in its head" },
		{ OK_11 "Content-Length: 9\r\n\r\n",
		  "0 bytes of its body came, 9 are missing" },
		{ OK_11 "Content-Length: 9\r\n\r\nfour",
		  "4 bytes of its body came, 5 are missing" },
		{ CHUNKED "9\r\nfour", "cut off after 4 bytes" },
		{ CHUNKED "4\r\nfour\r\n0\r\n", "cut off after 4 bytes" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		start_response("GET");
		assert_int_equal(feed_steps(str_from(rows[i].wire), 100),
				 CODE_OK);
		assert_int_equal(http_feed_end(&response, true, &st),
				 CODE_UNAVAILABLE);
		assert_non_null(strstr(st.message, rows[i].message));
	}
}

/* Section 6.3 rule 1. */
TEST(the_response_to_head_has_no_body)
{
	static const char *const rows[] = {
		OK_11 "\r\n",
		OK_11 "Content-Length: 9999\r\n\r\n",
		CHUNKED,
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		start_response("HEAD");
		assert_int_equal(feed_steps(str_from(rows[i]), 1), CODE_OK);
		assert_int_equal(response.state, HTTP_COMPLETE);
		assert_true(response.keep_alive);
	}
}

/* RFC 9110 section 9.3.6. */
TEST(the_response_to_connect_ends_with_its_head)
{
	static const char *const rows[] = {
		OK_11 "\r\n",
		OK_11 "Content-Length: 9999\r\n\r\n",
		OK_11 "Content-Length: x\r\nContent-Length: 1\r\n\r\n",
		OK_11 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		OK_11 "Transfer-Encoding: gzip\r\nContent-Encoding: br\r\n\r\n",
		"HTTP/1.0 299 x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 407 x\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		start_response("CONNECT");
		if (feed_steps(str_from(rows[i]), 1) != CODE_OK)
			fail_msg("row %zu: %s", i, st.message);
		assert_int_equal(response.state, HTTP_COMPLETE);
		assert_int_equal(body.len, 0);
	}
}

/* Of a failure the status suffices. */
TEST(a_content_coding_breaks_a_success_only)
{
	static const char *const rows[] = {
		"Content-Length: 2\r\n\r\n\x1f\x8b",
		"Transfer-Encoding: chunked\r\n\r\n2\r\n\x1f\x8b\r\n0\r\n\r\n",
		"\r\n\x1f\x8b",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t step = 1; step < 100; step++) {
			start_response("GET");
			(void)feed_steps(STR("HTTP/1.1 403 x\r\n"
					     "Content-Encoding: gzip\r\n"),
					 step);
			assert_int_equal(feed_steps(str_from(rows[i]), step),
					 CODE_OK);
			assert_int_equal(response.state, HTTP_COMPLETE);
			assert_int_equal(response.status, 403);
			assert_true(response.body_dropped);
			assert_false(response.keep_alive);
			assert_int_equal(body.len, 0);
		}
	}
}

TEST(nothing_is_read_after_an_error)
{
	start_response("GET");
	assert_int_equal(feed_steps(STR("nonsense"), 100), CODE_UNAVAILABLE);
	status_clear(&st);
	assert_int_equal(feed_copy("H", 1), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "after an error"));
	status_clear(&st);
	assert_int_equal(http_feed_end(&response, true, &st), CODE_UNAVAILABLE);
}

/* A response to `status` with `len` bytes of body, framed in each way. */
static struct str
with_body(int status, const char *framing, size_t len)
{
	static char wire[512];
	const char *fill = "################################################"
			   "################";
	int used;

	if (strcmp(framing, "length") == 0)
		used = snprintf(wire, sizeof(wire),
				"HTTP/1.1 %d x\r\nContent-Length: %zu\r\n\r\n"
				"%.*s",
				status, len, (int)len, fill);
	else if (strcmp(framing, "chunked") == 0)
		used = snprintf(wire, sizeof(wire),
				"HTTP/1.1 %d x\r\nTransfer-Encoding: chunked"
				"\r\n\r\n8\r\n%.8s\r\n%zx\r\n%.*s\r\n0\r\n\r\n",
				status, fill, len - 8, (int)len - 8, fill);
	else
		used = snprintf(wire, sizeof(wire), "HTTP/1.1 %d x\r\n\r\n%.*s",
				status, (int)len, fill);
	assert_true(used > 0 && (size_t)used < sizeof(wire));
	return (struct str){ wire, (size_t)used };
}

TEST(a_body_over_the_limit_breaks_a_success_only)
{
	static const char *const framings[] = { "length", "chunked", "close" };

	for (size_t i = 0; i < COUNT(framings); i++) {
		for (size_t step = 1; step < 200; step++) {
			struct str fits =
				with_body(200, framings[i], BODY_SIZE);
			struct str over;

			start_response("GET");
			assert_int_equal(feed_steps(fits, step), CODE_OK);
			assert_int_equal(http_feed_end(&response, true, &st),
					 CODE_OK);
			assert_int_equal(body.len, BODY_SIZE);

			over = with_body(299, framings[i], BODY_SIZE + 1);
			start_response("GET");
			assert_int_equal(feed_steps(over, step),
					 CODE_UNAVAILABLE);
			assert_non_null(strstr(st.message, "than the limit"));

			over = with_body(500, framings[i], BODY_SIZE + 1);
			start_response("GET");
			assert_int_equal(feed_steps(over, step), CODE_OK);
			assert_int_equal(response.state, HTTP_COMPLETE);
			assert_true(response.body_dropped);
			assert_false(response.keep_alive);
			assert_int_equal(body.len, 0);
			assert_false(body.overflow);
		}
	}
}

/* `before`, `fill` times 'a', and `after`. */
static enum code
feed_filled(const char *before, size_t fill, const char *after)
{
	start_response("GET");
	(void)feed_copy(before, strlen(before));
	for (size_t i = 0; i < fill && st.code == CODE_OK; i++)
		(void)feed_copy("a", 1);
	if (st.code == CODE_OK)
		(void)feed_copy(after, strlen(after));
	return st.code;
}

TEST(chunk_lines_and_trailers_have_a_ceiling)
{
	const size_t rest = sizeof("A:\r\n\r\n") - 1;

	assert_int_equal(feed_filled(CHUNKED "0;", HTTP_CHUNK_LINE_MAX - 2,
				     "\r\n\r\n"),
			 CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(feed_filled(CHUNKED "0;", HTTP_CHUNK_LINE_MAX - 1,
				     "\r\n\r\n"),
			 CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "a chunk's line is too long"));
	assert_int_equal(feed_filled(CHUNKED "0\r\nA:",
				     HTTP_TRAILERS_MAX - rest, "\r\n\r\n"),
			 CODE_OK);
	assert_int_equal(response.state, HTTP_COMPLETE);
	assert_int_equal(feed_filled(CHUNKED "0\r\nA:",
				     HTTP_TRAILERS_MAX - rest + 1, "\r\n\r\n"),
			 CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "the trailers are too long"));
}
