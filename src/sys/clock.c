#include "sys/clock.h"

#include <string.h>
#include <time.h>

#include "base/codec.h"
#include "base/format.h"

#define DAY 86400

int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_unix(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec;
}

/*
 * Both conversions count in years that start on 1 March, so that the leap day
 * is the last of its year, and in eras of 400 years (146,097 days).
 */
int64_t
clock_days(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year =
		(153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

void
clock_rfc3339(int64_t unix_seconds, char out[static RFC3339_SIZE])
{
	const int64_t first = clock_days(1, 1, 1) * DAY;
	const int64_t last = clock_days(10000, 1, 1) * DAY - 1;
	int64_t t = unix_seconds < first ? first : unix_seconds;
	int64_t days, era, day_of_era, year_of_era, day_of_year, m;
	int64_t day, month, year;
	unsigned second;

	t = t > last ? last : t;
	second = (unsigned)((t % DAY + DAY) % DAY);
	days = (t - second) / DAY + 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
		       day_of_era / 146096) /
		      365;
	day_of_year = day_of_era -
		      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	m = (5 * day_of_year + 2) / 153;
	day = day_of_year - (153 * m + 2) / 5 + 1;
	month = m < 10 ? m + 3 : m - 9;
	year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
	(void)format_text(out, RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
			  (unsigned)year % 10000, (unsigned)month % 100,
			  (unsigned)day % 100, second / 3600 % 100,
			  second / 60 % 60, second % 60);
}

/* "Jan" to "Dec" as 1 to 12, 0 for all else. */
static int64_t
month_number(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, name, 3) == 0)
			return (int64_t)i + 1;
	return 0;
}

/* Year, month, day, hour, minute and second, without their ranges. */
static bool
read_parts(struct str text, const char *shape, int64_t part[static 6])
{
	static const char fields[] = "yndhms";

	for (size_t i = 0; i < text.len; i++) {
		const char *field = strchr(fields, shape[i]);
		unsigned digit = (unsigned)text.ptr[i] - '0';

		if (field != NULL) {
			if (digit > 9)
				return false;
			part[field - fields] =
				part[field - fields] * 10 + (int64_t)digit;
		} else if (shape[i] == 'b') {
			if (i == 0 || shape[i - 1] != 'b')
				part[1] = month_number(text.ptr + i);
		} else if (shape[i] != '?' && shape[i] != text.ptr[i]) {
			return false;
		}
	}
	return true;
}

bool
clock_scan(struct str text, const char *shape, int64_t *unix_seconds)
{
	static const int64_t first[6] = { 0, 1, 1, 0, 0, 0 };
	static const int64_t last[6] = { 9999, 12, 31, 23, 59, 60 };
	int64_t part[6] = { 0 };

	if (text.len != strlen(shape) || !read_parts(text, shape, part))
		return false;
	if (!str_contains(str_from(shape), STR("yyyy")))
		part[0] += part[0] >= 50 ? 1900 : 2000;
	for (size_t i = 0; i < 6; i++)
		if (part[i] < first[i] || part[i] > last[i])
			return false;
	*unix_seconds = clock_days(part[0], part[1], part[2]) * DAY +
			part[3] * 3600 + part[4] * 60 + part[5];
	return true;
}

/* "Z", or "+hh:mm" and "-hh:mm" in seconds. */
static bool
parse_offset(struct str text, int64_t *seconds)
{
	uint64_t hours, minutes;

	*seconds = 0;
	if (str_eq(text, STR("Z")) || str_eq(text, STR("z")))
		return true;
	if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') ||
	    text.ptr[3] != ':' ||
	    !parse_uint((struct str){ text.ptr + 1, 2 }, &hours) ||
	    !parse_uint((struct str){ text.ptr + 4, 2 }, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*seconds = (int64_t)(hours * 3600 + minutes * 60);
	if (text.ptr[0] == '-')
		*seconds = -*seconds;
	return true;
}

bool
clock_parse(struct str text, int64_t *unix_seconds)
{
	static const char shape[] = "yyyy-nn-ddThh:mm:ss";
	const size_t len = sizeof(shape) - 1;
	struct str rest = str_skip(text, len);
	int64_t seconds, offset;

	if (rest.len == 0 || str_starts(text, STR("0000")) ||
	    !clock_scan((struct str){ text.ptr, len }, shape, &seconds))
		return false;
	if (rest.ptr[0] == '.') {
		size_t digits = 1;

		while (digits < rest.len && rest.ptr[digits] >= '0' &&
		       rest.ptr[digits] <= '9')
			digits++;
		if (digits == 1)
			return false;
		rest = str_skip(rest, digits);
	}
	if (!parse_offset(rest, &offset))
		return false;
	*unix_seconds = seconds - offset;
	return true;
}

bool
clock_duration(struct str text, uint64_t *seconds)
{
	static const char units[] = "hms";
	uint64_t sum = 0, unit = 3600, number;

	if (parse_uint(text, seconds))
		return true;
	if (text.len == 0)
		return false;
	for (size_t i = 0; units[i] != '\0'; i++, unit /= 60) {
		size_t end = str_find(text, units[i]);

		if (end == text.len)
			continue;
		if (!parse_uint((struct str){ text.ptr, end }, &number) ||
		    number > (UINT64_MAX - sum) / unit)
			return false;
		sum += number * unit;
		text = str_skip(text, end + 1);
	}
	if (text.len > 0)
		return false;
	*seconds = sum;
	return true;
}

struct deadline
deadline_in(int64_t ms)
{
	int64_t now = clock_ms();

	return (struct deadline){ ms > INT64_MAX - now ? INT64_MAX : now + ms };
}

int64_t
deadline_left(struct deadline deadline)
{
	int64_t left = deadline.at_ms - clock_ms();

	return left > 0 ? left : 0;
}

struct deadline
deadline_first(struct deadline a, struct deadline b)
{
	return a.at_ms <= b.at_ms ? a : b;
}
