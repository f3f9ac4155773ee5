#include <string.h>

#include "base/codec.h"
#include "net/http.h"
#include "sys/clock.h"

#define DAY_MS ((uint64_t)86400 * 1000)

struct str
http_field(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->field_count; i++)
		if (str_eq_nocase(response->field[i].name, str_from(name)))
			return response->field[i].value;
	return (struct str){ NULL, 0 };
}

bool
http_is_json(const struct http_response *response)
{
	struct str type = http_field(response, "Content-Type");

	type.len = str_find(type, ';');
	return str_eq_nocase(str_trim(type), STR("application/json"));
}

static bool
parse_digits(struct str text, size_t from, size_t len, int64_t *value)
{
	uint64_t number;

	if (from + len > text.len ||
	    !parse_uint((struct str){ text.ptr + from, len }, &number))
		return false;
	*value = (int64_t)number;
	return true;
}

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
static bool
parse_date(struct str text, int64_t *unix_seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day, year, hour, minute, second, month = 0;

	if (text.len != 29 || !str_ends(text, STR(" GMT")) ||
	    !parse_digits(text, 5, 2, &day) ||
	    !parse_digits(text, 12, 4, &year) ||
	    !parse_digits(text, 17, 2, &hour) ||
	    !parse_digits(text, 20, 2, &minute) ||
	    !parse_digits(text, 23, 2, &second))
		return false;
	for (size_t i = 0; i < 12; i++)
		if (memcmp(months + 3 * i, text.ptr + 8, 3) == 0)
			month = (int64_t)i + 1;
	if (month == 0 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	*unix_seconds = clock_days(year, month, day) * 86400 + hour * 3600 +
			minute * 60 + second;
	return true;
}

uint64_t
http_retry_after_ms(const struct http_response *response, int64_t unix_now)
{
	struct str text = http_field(response, "Retry-After");
	uint64_t seconds;
	int64_t date;

	if (text.len == 0)
		return 0;
	if (parse_uint(text, &seconds))
		return seconds > DAY_MS / 1000 ? DAY_MS : seconds * 1000;
	if (!parse_date(text, &date) || date <= unix_now)
		return 0;
	seconds = (uint64_t)(date - unix_now);
	return seconds > DAY_MS / 1000 ? DAY_MS : seconds * 1000;
}
