/* Fields of a response: RFC 9110 sections 5.6.7, 6.6.1 and 10.2.3. */
#include "net/http_response.h"

#include "read_response.h"
#include "test.h"

#define DAY_MS 86400000

/* Reads a response with the one field `name: value`, or with none. */
static void
read_field(const char *name, const char *value)
{
	start_response("GET");
	(void)feed_steps(STR("HTTP/1.1 204 x\r\n"), 100);
	if (value != NULL) {
		(void)feed_steps(str_from(name), 100);
		(void)feed_steps(STR(": "), 100);
		(void)feed_steps(str_from(value), 100);
		(void)feed_steps(STR("\r\n"), 100);
	}
	(void)feed_steps(STR("\r\n"), 100);
	assert_int_equal(response.state, HTTP_COMPLETE);
}

TEST(dates_are_read_in_the_one_form_that_servers_send)
{
	static const struct {
		const char *value;
		bool good;
		int64_t seconds;
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", true, 0 },
		{ "Tue, 29 Feb 2028 23:59:60 GMT", true, 1835481600 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", true, 253402300799 },
		/* the two obsolete forms */
		{ "Sunday, 06-Nov-94 08:49:37 GMT", false, 0 },
		{ "Sun Nov  6 08:49:37 1994", false, 0 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", false, 0 },
		{ "Sun, 06 Nov 1994 08:49:37", false, 0 },
		{ "Sun, 06 nov 1994 08:49:37 GMT", false, 0 },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", false, 0 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 08:60:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 08:49:61 GMT", false, 0 },
		{ "Sun, 6  Nov 1994 08:49:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT0", false, 0 },
		{ "Sun, 06 Nov -994 08:49:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 08:49:3x GMT", false, 0 },
		{ "Sun, 06xNov 1994 08:49:37 GMT", false, 0 },
		{ "Sun, 06 Nov 1994 08.49.37 GMT", false, 0 },
		{ "784111777", false, 0 },
		{ "", false, 0 },
		{ NULL, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = 0;

		read_field("Date", rows[i].value);
		if (http_date(&response, &seconds) != rows[i].good)
			fail_msg("%s", rows[i].value);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

TEST(retry_after_is_seconds_or_a_date)
{
	const int64_t now = 784111777;
	static const struct {
		const char *value;
		uint64_t wait_ms;
	} rows[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "0", 0 },
		{ "1", 1000 },
		{ "120", 120000 },
		{ "86400", DAY_MS },
		{ "86401", DAY_MS },
		{ "18446744073709551615", DAY_MS },
		{ "18446744073709551616", 0 },
		{ "1.5", 0 },
		{ "-1", 0 },
		{ "soon", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:38 GMT", 1000 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
		{ "Mon, 07 Nov 1994 08:49:38 GMT", DAY_MS },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", DAY_MS },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		read_field("Retry-After", rows[i].value);
		assert_int_equal(http_retry_after_ms(&response, now),
				 rows[i].wait_ms);
	}
}

/* A clock gone wild must not overflow anything. */
TEST(retry_after_bears_any_clock)
{
	read_field("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(http_retry_after_ms(&response, INT64_MAX), 0);
	assert_int_equal(http_retry_after_ms(&response, INT64_MIN), DAY_MS);
}

TEST(json_is_told_by_its_media_type)
{
	static const struct {
		const char *value;
		bool json;
	} rows[] = {
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/json; charset=UTF-8", true },
		{ "application/json ;charset=UTF-8", true },
		{ "application/json;", true },
		{ "application/jsonp", false },
		{ "application/problem+json", false },
		{ "text/html", false },
		{ "text/html; application/json", false },
		{ ";application/json", false },
		{ "", false },
		{ NULL, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		read_field("Content-Type", rows[i].value);
		assert_int_equal(http_is_json(&response), rows[i].json);
	}
}
