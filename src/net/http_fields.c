#include "net/http_fields.h"

#include "base/codec.h"
#include "net/http_response.h"
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

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
static bool
parse_date(struct str text, int64_t *unix_seconds)
{
	return clock_scan(text, "???, dd bbb yyyy hh:mm:ss GMT", unix_seconds);
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
