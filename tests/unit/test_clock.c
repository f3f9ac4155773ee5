/* Clocks, dates and deadlines. */
#include "sys/clock.h"

#include <time.h>

#include "test.h"

TEST(known_times)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} ROWS[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 86399, "1970-01-01T23:59:59Z" },
		{ 86400, "1970-01-02T00:00:00Z" },
		{ -86400, "1969-12-31T00:00:00Z" },
		{ -86401, "1969-12-30T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868800, "2000-03-01T00:00:00Z" },
		{ 1709164800, "2024-02-29T00:00:00Z" },
		{ 1735689599, "2024-12-31T23:59:59Z" },
		{ 1735689600, "2025-01-01T00:00:00Z" },
		{ 2147483647, "2038-01-19T03:14:07Z" },
		{ 2147483648, "2038-01-19T03:14:08Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
		{ 4294967296, "2106-02-07T06:28:16Z" },
		{ -2208988800, "1900-01-01T00:00:00Z" },
		{ -62135596800, "0001-01-01T00:00:00Z" },
		{ -62135596801, "0001-01-01T00:00:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MIN, "0001-01-01T00:00:00Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char out[RFC3339_SIZE + 1] = "#####################";

		out[RFC3339_SIZE] = '#';
		clock_rfc3339(ROWS[i].seconds, out);
		assert_string_equal(out, ROWS[i].text);
		assert_int_equal(out[RFC3339_SIZE], '#');
	}
}

/* Day for day from the year 1 to 9999, counted by hand. */
TEST(every_day_of_the_calendar)
{
	static const int64_t LENGTH[] = { 31, 28, 31, 30, 31, 30,
					  31, 31, 30, 31, 30, 31 };
	int64_t days = -719162;

	for (int64_t year = 1; year <= 9999; year++) {
		bool leap =
			year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		for (int64_t month = 1; month <= 12; month++) {
			int64_t length = LENGTH[month - 1] +
					 (leap && month == 2 ? 1 : 0);
			char out[RFC3339_SIZE], expected[64];

			for (int64_t day = 1; day <= length; day++, days++) {
				/* the plain loop is enough for most days */
				if (clock_days(year, month, day) != days)
					fail_msg("%d-%d-%d", (int)year,
						 (int)month, (int)day);
				if (day > 1 && day < length)
					continue;
				clock_rfc3339(days * 86400 + 3723, out);
				(void)snprintf(expected, sizeof(expected),
					       "%04d-%02d-%02dT01:02:03Z",
					       (int)year, (int)month, (int)day);
				if (strcmp(out, expected) != 0)
					fail_msg("%s for %s", out, expected);
			}
		}
	}
	assert_int_equal(clock_days(1970, 1, 1), 0);
	assert_int_equal(clock_days(0, 12, 31), -719163);
	assert_int_equal(clock_days(0, 3, 1), -719468);
	assert_int_equal(clock_days(-400, 3, 1), -719468 - 146097);
}

TEST(every_second_of_a_day)
{
	for (int64_t second = 0; second < 86400; second++) {
		char out[RFC3339_SIZE], expected[64];

		(void)snprintf(expected, sizeof(expected),
			       "1969-12-31T%02d:%02d:%02dZ",
			       (int)(second / 3600), (int)(second / 60 % 60),
			       (int)(second % 60));
		clock_rfc3339(second - 86400, out);
		if (strcmp(out, expected) != 0)
			fail_msg("%s for %s", out, expected);
	}
}

TEST(the_wall_clock_counts_from_1970)
{
	int64_t before = (int64_t)time(NULL);
	int64_t now = clock_unix();

	/* time() may read a coarser clock that lags by a tick */
	assert_true(now >= before && now <= (int64_t)time(NULL) + 1);
}

TEST(times_are_read_with_fraction_and_offset)
{
	static const struct {
		const char *text;
		int64_t unix_seconds;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-01-02T03:04:05Z", 1767323045 },
		{ "2026-01-02t03:04:05z", -1 },
		{ "2026-01-02T03:04:05.0Z", 1767323045 },
		{ "2026-01-02T03:04:05.000001Z", 1767323045 },
		{ "2026-01-02T03:04:05.1234567890Z", 1767323045 },
		{ "2026-01-02T04:04:05.90+01:00", 1767323045 },
		{ "2026-01-02T04:34:05+01:30", 1767323045 },
		{ "2026-01-01T23:04:05.5-04:00", 1767323045 },
		{ "2024-02-29T23:59:60Z", 1709251200 },
	};
	static const char *const bad[] = {
		"",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02 03:04:05Z",
		"2026-1-02T03:04:05Z0",
		"2026-13-02T03:04:05Z",
		"2026-00-02T03:04:05Z",
		"2026-01-32T03:04:05Z",
		"2026-01-02T24:04:05Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05./Z",
		"2026-01-02T03:04:05.0:Z",
		"2026-01-02T03:04:05.5",
		"2026-01-02T03:04:05+1:30",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05+01:60",
		"2026-01-02T03:04:05Z ",
		"+026-01-02T03:04:05Z",
		"0000-01-02T03:04:05Z",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t value = -1;

		assert_int_equal(clock_parse(str_from(good[i].text), &value),
				 good[i].unix_seconds >= 0);
		assert_int_equal(value, good[i].unix_seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t value = 7;

		assert_false(clock_parse(str_from(bad[i]), &value));
		assert_int_equal(value, 7);
	}
}

TEST(times_are_read_by_their_shape)
{
	static const struct {
		const char *text, *shape;
		int64_t seconds; /* -1: refused */
	} rows[] = {
		{ "19700102000000", "yyyynnddhhmmss", 86400 },
		{ "700102000001", "yynnddhhmmss", 86401 },
		{ "491231235959", "yynnddhhmmss", 2524607999 },
		{ "000101000000", "yynnddhhmmss", 946684800 },
		{ "02 Jan 1970", "dd bbb yyyy", 86400 },
		{ "31 Dec 1970", "dd bbb yyyy", 31449600 },
		{ "31 dec 1970", "dd bbb yyyy", -1 },
		{ "31 Dez 1970", "dd bbb yyyy", -1 },
		{ "xyz, 02 01 1970", "???, dd nn yyyy", 86400 },
		{ "1970-01-01T00:00:60Z", "yyyy-nn-ddThh:mm:ssZ", 60 },
		{ "1970-01-01T00:00:61Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:60:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T24:00:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-32T00:00:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-00T00:00:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-13-01T00:00:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-00-01T00:00:00Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:00:00z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:00:00", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:00:00ZZ", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:00:0:Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "1970-01-01T00:00:/0Z", "yyyy-nn-ddThh:mm:ssZ", -1 },
		{ "", "yyyynndd", -1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = -1;

		if (clock_scan(str_from(rows[i].text), rows[i].shape,
			       &seconds) != (rows[i].seconds >= 0) ||
		    seconds != rows[i].seconds)
			fail_msg("%s: %lld", rows[i].text, (long long)seconds);
	}
}

TEST(the_monotonic_clock_counts_milliseconds_and_never_back)
{
	const struct timespec nap = { .tv_sec = 0, .tv_nsec = 20000000 };
	int64_t start = clock_ms(), last = start;

	for (size_t i = 0; i < 1000; i++) {
		int64_t now = clock_ms();

		assert_true(now >= last);
		last = now;
	}
	(void)nanosleep(&nap, NULL);
	assert_true(clock_ms() - start >= 19);
}

TEST(deadlines_run_out_and_stay_so)
{
	struct deadline past = deadline_in(-5), now = deadline_in(0);
	struct deadline far = deadline_in(3600000);

	assert_int_equal(deadline_left(past), 0);
	assert_int_equal(deadline_left(now), 0);
	assert_true(deadline_left(far) > 0);
	assert_true(deadline_left(far) <= 3600000);
	assert_int_equal(deadline_left((struct deadline){ 0 }), 0);
	assert_int_equal(deadline_in(INT64_MAX).at_ms, INT64_MAX);
	assert_true(deadline_left(DEADLINE_NEVER) > 0);
}

TEST(the_earlier_deadline_wins)
{
	struct deadline a = { 5 }, b = { 6 }, negative = { -7 };

	assert_int_equal(deadline_first(a, b).at_ms, 5);
	assert_int_equal(deadline_first(b, a).at_ms, 5);
	assert_int_equal(deadline_first(a, a).at_ms, 5);
	assert_int_equal(deadline_first(a, negative).at_ms, -7);
}

TEST(durations)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = {
		{ "0", 0 },
		{ "280", 280 },
		{ "90s", 90 },
		{ "5m", 300 },
		{ "1h", 3600 },
		{ "1h30m", 5400 },
		{ "1h5s", 3605 },
		{ "2h3m4s", 7384 },
		{ "90m", 5400 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18446744073709551615s", UINT64_MAX },
		{ "5124095576030431h15s", UINT64_MAX },
	};
	static const char *const bad[] = {
		"",
		"s",
		"m",
		"-1",
		"-1s",
		"+1",
		"1.5h",
		"1d",
		"1ms",
		"5M",
		"5 m",
		" 5m",
		"5m ",
		"5m5",
		"1s1m",
		"1m1h",
		"1m1m",
		"1h1h",
		"0x10s",
		"hms",
		"1hm",
		"h1",
		"18446744073709551616",
		"18446744073709551616s",
		"307445734561825861m",
		"5124095576030432h",
		"5124095576030431h16s",
		"5124095576030431h1m",
	};
	uint64_t seconds;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(clock_duration(str_from(good[i].text), &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	seconds = 7;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(clock_duration(str_from(bad[i]), &seconds));
		assert_int_equal(seconds, 7);
	}
}
