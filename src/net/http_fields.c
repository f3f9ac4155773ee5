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

/* Where the numbers of an IMF-fixdate stand, and the largest allowed. */
static const struct {
	size_t from, len;
	int64_t last;
} PARTS[] = {
	{ 5, 2, 31 },  { 12, 4, 9999 }, { 17, 2, 23 },
	{ 20, 2, 59 }, { 23, 2, 60 },
};

/* The number of a month by its name; 0 for none. */
static int64_t
month_number(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, name, 3) == 0)
			return (int64_t)i + 1;
	return 0;
}

/* What stands between the parts, which are the dots. */
static bool
has_date_shape(struct str text)
{
	static const char shape[] = "..., .. ... .... ..:..:.. GMT";

	if (text.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] != '.' && shape[i] != text.ptr[i])
			return false;
	return true;
}

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
static bool
parse_date(struct str text, int64_t *unix_seconds)
{
	int64_t part[5], month;

	if (!has_date_shape(text))
		return false;
	for (size_t i = 0; i < 5; i++) {
		uint64_t number;

		if (!parse_uint((struct str){ text.ptr + PARTS[i].from,
					      PARTS[i].len },
				&number) ||
		    (int64_t)number > PARTS[i].last)
			return false;
		part[i] = (int64_t)number;
	}
	month = month_number(text.ptr + 8);
	if (month == 0 || part[0] == 0)
		return false;
	*unix_seconds = clock_days(part[1], month, part[0]) * 86400 +
			part[2] * 3600 + part[3] * 60 + part[4];
	return true;
}

bool
http_date(const struct http_response *response, int64_t *unix_seconds)
{
	return parse_date(http_field(response, "Date"), unix_seconds);
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
	/* Unsigned: a wild clock must not overflow the difference. */
	seconds = (uint64_t)date - (uint64_t)unix_now;
	return seconds > DAY_MS / 1000 ? DAY_MS : seconds * 1000;
}
