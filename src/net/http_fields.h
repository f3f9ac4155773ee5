/*
 * Floor 2, network. Fields of HTTP messages (RFC 9110 section 5), and those of
 * a response that the program reads.
 */
#ifndef NET_HTTP_FIELDS_H
#define NET_HTTP_FIELDS_H

#include "base/buf.h"

struct http_response;

struct http_field {
	struct str name;
	struct str value;
};

/*
 * The value of a field of the final head, or an empty view with a NULL
 * pointer. `name` in any case. A field given twice is found once: the first.
 */
struct str http_field(const struct http_response *response, const char *name);

/* The server's time, of the field Date; false without a valid one. */
MUST_CHECK bool http_date(const struct http_response *response,
			  int64_t *unix_seconds);

/* Whether Content-Type is application/json, with whatever parameters. */
bool http_is_json(const struct http_response *response);

/*
 * The wait that Retry-After asks for, in milliseconds (RFC 9110 section
 * 10.2.3: seconds, or a date, which is compared with `unix_now`); 0 without
 * a valid one. At most one day.
 */
uint64_t http_retry_after_ms(const struct http_response *response,
			     int64_t unix_now);

#endif
