/*
 * Floor 2, network. The head of a response: status line and fields.
 *
 * Private to http_*.c.
 */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include "net/http_response.h"

/*
 * Reads the complete head that stands in `response->head`, with its empty
 * line, and decides how the body is framed: sets `status`, the fields,
 * `keep_alive`, `left` and `state`. An interim head (1xx) is dropped and the
 * next one awaited. Codes as http_feed().
 */
MUST_CHECK enum code http_read_head(struct http_response *response,
				    struct status *st);

/* Records a broken rule of the protocol and fails the response. */
enum code http_refuse(struct http_response *response, struct status *st,
		      const char *rule);

/*
 * Checks byte `c`, the one at `at` from 0, of a field's line, in a head and in
 * trailers (RFC 9112 sections 5 and 7.1.2). `*in_value` is false before the
 * first byte and true after the colon. Returns the broken rule or NULL.
 */
const char *http_field_byte(size_t at, bool *in_value, char c);

/* The rule that a line without a name and a colon breaks, else NULL. */
const char *http_field_end(bool has_name);

/*
 * Ends a response whose body cannot be read: a success fails with
 * `why`, of an error response the status suffices (http_feed()).
 */
MUST_CHECK enum code http_drop_body(struct http_response *response,
				    struct status *st, const char *why);

/* The same for a body over the limit. */
MUST_CHECK enum code http_too_large(struct http_response *response,
				    struct status *st);

#endif
