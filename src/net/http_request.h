/*
 * Floor 2, network. The head of an HTTP/1.1 request (RFC 9112 section 3), as
 * bytes only.
 */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include "net/http_fields.h"

/* Everything belongs to the caller. */
struct http_request {
	const char *method;    /* "GET", "POST" */
	struct str target;     /* path and query, starts with '/' */
	const char *authority; /* the Host field */
	const struct http_field *fields;
	size_t field_count;
	/* POST, PUT and PATCH send Content-Length even if this is empty. */
	struct str body;
};

/*
 * Appends the head of a request to `out`, up to and with the empty line:
 * request line, Host, User-Agent, the fields given, Content-Length if there is
 * a body or the method has one. Returns false if it does not fit or a field
 * could break the framing (CR, LF or NUL in a value, a name that is not a
 * token).
 */
MUST_CHECK bool http_write_head(const struct http_request *request,
				struct buf *out);

#endif
