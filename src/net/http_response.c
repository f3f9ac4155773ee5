#include "net/http_response.h"

#include <string.h>

#include "base/codec.h"
#include "net/http_head.h"

void
http_response_init(struct http_response *r, const char *method,
		   struct buf *head, struct buf *body)
{
	r->state = HTTP_HEAD;
	r->status = 0;
	r->keep_alive = false;
	r->body_dropped = false;
	r->head = head;
	r->body = body;
	r->field_count = 0;
	r->left = 0;
	r->line_length = 0;
	r->chunk_overhead = 0;
	r->trailer_length = 0;
	r->interim = 0;
	r->head_request = strcmp(method, "HEAD") == 0;
	r->connect_request = strcmp(method, "CONNECT") == 0;
	r->in_value = false;
	r->http10 = false;
	r->seen_cr = false;
}

/* Other protocols, known by their first byte. */
static enum code
check_first_byte(struct http_response *r, unsigned char first,
		 struct status *st)
{
	if (first == 'H')
		return CODE_OK;
	st->permanent = true;
	if (first == 0x15 || first == 0x16)
		return http_refuse(r, st, "the server speaks TLS on this port");
	if (first == 0x00)
		return http_refuse(r, st,
				   "the server speaks HTTP/2 on this port");
	st->permanent = false;
	return http_refuse(r, st, "the reply does not start with HTTP/");
}

/*
 * Lines end with CRLF and nothing else. Returns true when `c` ends the line;
 * `*bad` if it breaks the rule.
 */
static bool
ends_line(struct http_response *r, char c, bool *bad)
{
	bool after_cr = r->seen_cr;

	r->seen_cr = c == '\r';
	*bad = (c == '\n') != after_cr;
	return c == '\n' && after_cr;
}

static enum code
feed_head(struct http_response *r, char c, struct status *st)
{
	bool bad, end = ends_line(r, c, &bad);

	if (r->head->len == 0 && r->interim == 0 &&
	    check_first_byte(r, (unsigned char)c, st) != CODE_OK)
		return st->code;
	if (bad)
		return http_refuse(r, st, "CR or LF that is not CRLF");
	buf_put_char(r->head, c);
	if (r->head->overflow)
		return http_refuse(r, st, "the head is larger than the limit");
	if (!end) {
		if (c != '\r' && ++r->line_length > HTTP_LINE_MAX)
			return http_refuse(r, st,
					   "a line is longer than the limit");
		return CODE_OK;
	}
	if (r->line_length > 0) {
		r->line_length = 0;
		return CODE_OK;
	}
	if (r->head->len == 2)
		return http_refuse(r, st, "an empty line before the status");
	return http_read_head(r, st);
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\t')
			return true;
	return false;
}

/* Adds up the excess overhead of chunks, as Go's client does. */
static bool
is_mostly_overhead(struct http_response *r, uint64_t size)
{
	uint64_t usual = 16 + 2 * size;

	r->chunk_overhead += r->line_length + 2;
	r->chunk_overhead -=
		r->chunk_overhead < usual ? r->chunk_overhead : usual;
	return r->chunk_overhead > HTTP_CHUNK_OVERHEAD_MAX;
}

/*
 * "SIZE[;EXTENSION]" (RFC 9112 section 7.1). White space before ';' is
 * accepted, as the RFC asks ("bad whitespace").
 */
static enum code
read_chunk_size(struct http_response *r, struct status *st)
{
	struct str line = { r->line, r->line_length };
	uint64_t size = 0;
	size_t i = 0;

	for (; i < line.len && hex_value(line.ptr[i]) >= 0; i++) {
		/* Far over any limit, and far from an overflow. */
		if (i == 8)
			return http_refuse(r, st, "a chunk is too large");
		size = size * 16 + (uint64_t)hex_value(line.ptr[i]);
	}
	if (i == 0)
		return http_refuse(r, st, "a chunk has no size");
	line = str_skip(line, i);
	while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
		line = str_skip(line, 1);
	if (line.len > 0 ? line.ptr[0] != ';' : i < r->line_length)
		return http_refuse(r, st, "a chunk's size is no number");
	if (has_control(line))
		return http_refuse(r, st,
				   "a chunk extension holds a control "
				   "character");
	if (is_mostly_overhead(r, size))
		return http_refuse(r, st,
				   "too much around the data of the chunks");
	if (size > buf_room(r->body))
		return http_too_large(r, st);
	r->left = size;
	r->state = size == 0 ? HTTP_TRAILERS : HTTP_CHUNK_DATA;
	r->line_length = 0;
	return CODE_OK;
}

static enum code
feed_chunk_size(struct http_response *r, char c, struct status *st)
{
	bool bad, end = ends_line(r, c, &bad);

	if (bad)
		return http_refuse(r, st, "CR or LF that is not CRLF");
	if (end)
		return read_chunk_size(r, st);
	if (c == '\r')
		return CODE_OK;
	if (r->line_length == sizeof(r->line))
		return http_refuse(r, st, "a chunk's line is too long");
	r->line[r->line_length++] = c;
	return CODE_OK;
}

static enum code
feed_chunk_end(struct http_response *r, char c, struct status *st)
{
	bool bad, end = ends_line(r, c, &bad);

	if (bad || (!end && c != '\r'))
		return http_refuse(r, st, "a chunk is longer than its size");
	if (end)
		r->state = HTTP_CHUNK_SIZE;
	return CODE_OK;
}

/*
 * Trailer fields are dropped, but must be fields, so that what follows an early
 * chunk of size 0 is not.
 */
static enum code
feed_trailers(struct http_response *r, char c, struct status *st)
{
	bool bad, end = ends_line(r, c, &bad);
	const char *error = NULL;

	if (bad)
		return http_refuse(r, st, "CR or LF that is not CRLF");
	if (++r->trailer_length > HTTP_TRAILERS_MAX)
		return http_refuse(r, st, "the trailers are too long");
	if (end && r->line_length == 0) {
		r->state = HTTP_COMPLETE;
	} else if (end) {
		error = http_field_end(r->in_value);
		r->line_length = 0;
		r->in_value = false;
	} else if (c != '\r') {
		error = http_field_byte(r->line_length++, &r->in_value, c);
	}
	return error == NULL ? CODE_OK : http_refuse(r, st, error);
}

/* Takes body bytes in bulk; returns how many. */
static size_t
feed_body(struct http_response *r, const char *bytes, size_t len)
{
	size_t take = len;

	if (r->state != HTTP_BODY_CLOSE && r->left < take)
		take = (size_t)r->left;
	buf_put(r->body, bytes, take);
	if (r->state == HTTP_BODY_CLOSE)
		return take;
	r->left -= take;
	if (r->left == 0)
		r->state = r->state == HTTP_CHUNK_DATA ? HTTP_CHUNK_END
						       : HTTP_COMPLETE;
	return take;
}

static enum code
feed_byte(struct http_response *r, char c, struct status *st)
{
	switch (r->state) {
	case HTTP_HEAD:
		return feed_head(r, c, st);
	case HTTP_CHUNK_SIZE:
		return feed_chunk_size(r, c, st);
	case HTTP_CHUNK_END:
		return feed_chunk_end(r, c, st);
	case HTTP_TRAILERS:
		return feed_trailers(r, c, st);
	case HTTP_COMPLETE:
		return http_refuse(r, st, "bytes after the end of the body");
	case HTTP_BODY_LENGTH:
	case HTTP_BODY_CLOSE:
	case HTTP_CHUNK_DATA:
	case HTTP_FAILED:
		break;
	}
	return http_refuse(r, st, "more bytes after an error");
}

enum code
http_feed(struct http_response *r, const void *bytes, size_t len,
	  struct status *st)
{
	const char *at = bytes;
	const char *end = at + len;

	while (at < end && !r->body_dropped) {
		if (r->state == HTTP_BODY_LENGTH ||
		    r->state == HTTP_BODY_CLOSE ||
		    r->state == HTTP_CHUNK_DATA) {
			at += feed_body(r, at, (size_t)(end - at));
			if (r->body->overflow)
				return http_too_large(r, st);
			continue;
		}
		if (feed_byte(r, *at++, st) != CODE_OK)
			return st->code;
	}
	return CODE_OK;
}

/* How far it got, for the message about a cut response. */
static enum code
cut_off(struct http_response *r, struct status *st)
{
	enum http_state state = r->state;

	r->state = HTTP_FAILED;
	r->keep_alive = false;
	if (state == HTTP_HEAD && r->head->len == 0)
		return status_set(st, CODE_UNAVAILABLE,
				  "the connection was closed without a reply");
	if (state == HTTP_HEAD)
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply was cut off in its head");
	if (state == HTTP_BODY_LENGTH)
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply was cut off: %zu bytes of its "
				  "body came, %llu are missing",
				  r->body->len, (unsigned long long)r->left);
	return status_set(st, CODE_UNAVAILABLE,
			  "the reply was cut off after %zu bytes of its body",
			  r->body->len);
}

enum code
http_feed_end(struct http_response *r, bool clean, struct status *st)
{
	if (r->state == HTTP_COMPLETE)
		return CODE_OK;
	if (r->state == HTTP_BODY_CLOSE && clean) {
		r->state = HTTP_COMPLETE;
		return CODE_OK;
	}
	return cut_off(r, st);
}
