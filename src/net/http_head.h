/*
 * Floor 2, network. The head of a response: status line and fields.
 *
 * A part of http.h that its users do not need.
 */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include "net/http.h"

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

/* Ends a response whose body is over the limit, as http_feed() tells. */
MUST_CHECK enum code http_too_large(struct http_response *response,
				    struct status *st);

#endif
