/*
 * Floor 2, network. HTTP/1.1 messages (RFC 9110, RFC 9112), as bytes only.
 *
 * A request writer and a response parser that is fed bytes as they come. It
 * does no input or output, so that it can be tested and fuzzed as it stands.
 * It guesses nothing: what RFC 9112 lets a lenient client repair is an error
 * here (bare LF, folded fields, a second or contradicting Content-Length,
 * Content-Length beside Transfer-Encoding, codings other than chunked, control
 * characters in the reason, trailers that are no fields, bytes after the body,
 * an HTTP version other than 1.0 and 1.1).
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/bounds.h"
#include "base/status.h"

struct http_field {
	struct str name;
	struct str value;
};

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
 * to http.c but for the fields said to be readable.
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
 * Appends the head of a request to `out`, up to and with the empty line:
 * request line, Host, User-Agent, the fields given, Content-Length where it belongs.
 * Returns false if it does not fit or a field could break the framing (CR, LF
 * or NUL in a value, a name that is no token).
 */
MUST_CHECK bool http_write_head(const struct http_request *request,
				struct buf *out);

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
 * breaks a success only; a failure is complete without it, for its status says
 * enough: `body_dropped`.
 */
MUST_CHECK enum code http_feed(struct http_response *response,
			       const void *bytes, size_t len,
			       struct status *st);

/*
 * Says that the connection has ended; `clean` if the peer said so (TCP FIN,
 * or over TLS a close_notify). Ends a body that lasts until the close.
 * UNAVAILABLE if the response is not complete then: how many bytes of how
 * many came.
 */
MUST_CHECK enum code http_feed_end(struct http_response *response, bool clean,
				   struct status *st);

/*
 * The value of a field of the final head, or an empty view with a NULL
 * pointer. `name` in any case. A field given twice is found once: the first.
 */
struct str http_field(const struct http_response *response, const char *name);

/* The server's time, of the field Date; false if it gives none. */
MUST_CHECK bool http_date(const struct http_response *response,
			  int64_t *unix_seconds);

/* Whether Content-Type is application/json, with whatever parameters. */
bool http_is_json(const struct http_response *response);

/*
 * The wait that Retry-After asks for, in milliseconds (RFC 9110 section
 * 10.2.3: seconds, or a date, which is compared with `unix_now`); 0 if there
 * is none that can be read. At most one day.
 */
uint64_t http_retry_after_ms(const struct http_response *response,
			     int64_t unix_now);

#endif
