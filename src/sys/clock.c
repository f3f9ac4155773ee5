#include "sys/clock.h"

#include <stdio.h>
#include <time.h>

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
	(void)snprintf(out, RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		       (unsigned)year % 10000, (unsigned)month % 100,
		       (unsigned)day % 100, second / 3600 % 100,
		       second / 60 % 60, second % 60);
}

struct deadline
deadline_in(int64_t ms)
{
	return (struct deadline){ clock_ms() + ms };
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
