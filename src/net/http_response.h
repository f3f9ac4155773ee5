/*
 * Floor 2, network. A parser of HTTP/1.1 responses (RFC 9110, RFC 9112), as
 * bytes only.
 *
 * It is fed bytes as they come, and does no input or output, so that it can be
 * tested and fuzzed as it stands. It repairs nothing: what RFC 9112 lets a
 * lenient client repair is an error here (bare LF, folded fields, a second or
 * contradicting Content-Length, Content-Length with Transfer-Encoding, codings
 * other than chunked, control characters in the reason, trailers that are not
 * fields, bytes after the body, an HTTP version other than 1.0 and 1.1).
 */
#ifndef NET_HTTP_RESPONSE_H
#define NET_HTTP_RESPONSE_H

#include "base/bounds.h"
#include "base/status.h"
#include "net/http_fields.h"

enum http_state {
	HTTP_HEAD,        /* status line and fields, interim ones too */
	HTTP_BODY_LENGTH, /* Content-Length: `left` bytes to come */
	HTTP_BODY_CLOSE,  /* until the connection ends */
	HTTP_CHUNK_SIZE,  /* a chunk's size line */
	HTTP_CHUNK_DATA,  /* `left` bytes of a chunk to come */
	HTTP_CHUNK_END,   /* the CRLF after a chunk */
	HTTP_TRAILERS,    /* fields after the last chunk, or the empty line */
	HTTP_COMPLETE,    /* the response has ended */
	HTTP_FAILED
};

/*
 * A response. `head` and `body` are caller-owned buffers; the rest is private
 * to http_*.c but for the fields said to be readable.
 */
struct http_response {
	enum http_state state; /* readable */
	int status;            /* readable after the head: 100 to 599 */
	bool keep_alive;       /* readable at HTTP_COMPLETE: may be reused */
	bool body_dropped;     /* readable: not read, see http_feed() */
	struct buf *head;      /* the final head, field views point into it */
	struct buf *body;      /* readable: the body so far */
	struct http_field field[HTTP_FIELDS_MAX];
	size_t field_count;
	uint64_t left;
	size_t line_length;      /* of the line being read */
	uint64_t chunk_overhead; /* beyond what is usual */
	size_t trailer_length;
	unsigned interim;
	bool head_request; /* the request was HEAD: no body */
	bool connect_request;
	bool in_value; /* of the trailer field being read */
	bool http10;
	bool seen_cr;
	char line[HTTP_CHUNK_LINE_MAX];
};

/*
 * Makes `response` ready for the response to a `method` request. One to
 * CONNECT ends with its head, whatever that says about a body.
 */
void http_response_init(struct http_response *response, const char *method,
			struct buf *head, struct buf *body);

/*
 * Feeds `len` bytes that arrived. Codes: UNAVAILABLE (with `permanent` set
 * where a repetition will not help) if they break the protocol or a limit,
 * among them bytes after the end of the response. Messages name the rule, and
 * quote nothing of the body. A body over the limit, or with a content coding,
 * breaks a success only; an error response is complete without it, since its
 * status suffices: `body_dropped`.
 */
MUST_CHECK enum code http_feed(struct http_response *response,
			       const void *bytes, size_t len,
			       struct status *st);

/*
 * Tells that the connection has ended; `clean` after a TCP FIN, or over TLS a
 * close_notify. Ends a body that lasts until the close.
 * UNAVAILABLE if the response is not complete then: how many bytes of how
 * many came.
 */
MUST_CHECK enum code http_feed_end(struct http_response *response, bool clean,
				   struct status *st);

#endif
