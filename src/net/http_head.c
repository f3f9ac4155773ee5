#include "net/http_head.h"

#include <string.h>

#include "base/codec.h"

enum code
http_refuse(struct http_response *response, struct status *st, const char *rule)
{
	response->state = HTTP_FAILED;
	response->keep_alive = false;
	return status_set(st, CODE_UNAVAILABLE, "malformed HTTP response: %s",
			  rule);
}

enum code
http_too_large(struct http_response *response, struct status *st)
{
	if (response->status >= 200 && response->status <= 299)
		return http_refuse(response, st,
				   "the body is larger than the limit");
	buf_reset(response->body);
	response->state = HTTP_COMPLETE;
	response->keep_alive = false;
	response->body_dropped = true;
	return CODE_OK;
}

/* "HTTP/1.1 200 OK": version, three digits, maybe a reason (RFC 9112 4). */
static enum code
read_status_line(struct http_response *r, struct str line, struct status *st)
{
	uint64_t status;

	if (!str_starts(line, STR("HTTP/")))
		return http_refuse(r, st, "the status line is none");
	if (str_starts(line, STR("HTTP/1.0 ")))
		r->http10 = true;
	else if (str_starts(line, STR("HTTP/1.1 ")))
		r->http10 = false;
	else
		return http_refuse(r, st, "the version is not HTTP/1.1");
	line = str_skip(line, 9);
	if (line.len < 3 || (line.len > 3 && line.ptr[3] != ' ') ||
	    !parse_uint((struct str){ line.ptr, 3 }, &status) || status < 100 ||
	    status > 599)
		return http_refuse(r, st, "the status is not 100 to 599");
	r->status = (int)status;
	return CODE_OK;
}

static bool
is_name_char(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(others, c) != NULL);
}

static enum code
read_field(struct http_response *r, struct str line, struct status *st)
{
	size_t colon = str_find(line, ':');
	struct http_field *field;

	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return http_refuse(r, st, "a field is folded over two lines");
	if (colon == 0 || colon == line.len)
		return http_refuse(r, st, "a field has no name");
	for (size_t i = 0; i < colon; i++)
		if (!is_name_char(line.ptr[i]))
			return http_refuse(r, st, "a field's name is no token");
	if (r->field_count == HTTP_FIELDS_MAX)
		return http_refuse(r, st, "too many fields");
	field = &r->field[r->field_count++];
	field->name = (struct str){ line.ptr, colon };
	field->value = str_skip(line, colon + 1);
	for (size_t i = 0; i < field->value.len; i++) {
		unsigned char c = (unsigned char)field->value.ptr[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return http_refuse(r, st,
					   "a field holds a control character");
	}
	field->value = str_trim(field->value);
	return CODE_OK;
}

static size_t
count_fields(const struct http_response *r, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < r->field_count; i++)
		if (str_eq_nocase(r->field[i].name, str_from(name)))
			count++;
	return count;
}

/* Whether a comma-separated list, over all fields `name`, has `token`. */
static bool
list_has(const struct http_response *r, const char *name, struct str token)
{
	for (size_t i = 0; i < r->field_count; i++) {
		struct str rest = r->field[i].value, part;

		if (!str_eq_nocase(r->field[i].name, str_from(name)))
			continue;
		while (str_split(&rest, ',', &part))
			if (str_eq_nocase(str_trim(part), token))
				return true;
	}
	return false;
}

/* What a lenient client would repair, and must not (RFC 9112 6.1, 6.3). */
static const char *
framing_error(const struct http_response *r)
{
	size_t lengths = count_fields(r, "Content-Length");
	size_t codings = count_fields(r, "Transfer-Encoding");
	struct str coding = http_field(r, "Content-Encoding");

	if (coding.ptr != NULL && !str_eq_nocase(coding, STR("identity")))
		return "a content coding nobody asked for";
	if (lengths > 1)
		return "more than one Content-Length";
	if (lengths > 0 && codings > 0)
		return "both Content-Length and Transfer-Encoding";
	if (codings > 1 ||
	    (codings == 1 && !str_eq_nocase(http_field(r, "Transfer-Encoding"),
					    STR("chunked"))))
		return "an unknown transfer coding";
	if (codings == 1 && r->http10)
		return "a transfer coding in HTTP/1.0";
	return NULL;
}

/* How the body is framed, once the fields are known not to contradict. */
static enum code
read_framing(struct http_response *r, struct status *st)
{
	const char *error = framing_error(r);
	struct str length = http_field(r, "Content-Length");

	if (error != NULL)
		return http_refuse(r, st, error);
	if (length.ptr != NULL && !parse_uint(length, &r->left))
		return http_refuse(r, st, "Content-Length is no number");
	r->keep_alive = !r->http10 && !list_has(r, "Connection", STR("close"));
	if (r->head_request || r->status == 204 || r->status == 304) {
		r->state = HTTP_COMPLETE;
	} else if (length.ptr != NULL) {
		if (r->left > buf_room(r->body))
			return http_too_large(r, st);
		r->state = r->left == 0 ? HTTP_COMPLETE : HTTP_BODY_LENGTH;
	} else if (count_fields(r, "Transfer-Encoding") > 0) {
		r->state = HTTP_CHUNK_SIZE;
	} else {
		r->state = HTTP_BODY_CLOSE;
		r->keep_alive = false;
	}
	return CODE_OK;
}

/* The next line of the head without its CRLF. */
static struct str
next_line(struct str *rest)
{
	size_t end = str_find(*rest, '\r');
	struct str line = { rest->ptr, end };

	*rest = str_skip(*rest, end + 2);
	return line;
}

enum code
http_read_head(struct http_response *r, struct status *st)
{
	struct str rest = buf_view(r->head), line;

	r->field_count = 0;
	line = next_line(&rest);
	if (read_status_line(r, line, st) != CODE_OK)
		return st->code;
	for (line = next_line(&rest); line.len > 0; line = next_line(&rest))
		if (read_field(r, line, st) != CODE_OK)
			return st->code;
	if (r->status >= 200)
		return read_framing(r, st);
	if (r->status == 101)
		return http_refuse(r, st, "101: nobody asked for an upgrade");
	if (++r->interim > HTTP_INTERIM_MAX)
		return http_refuse(r, st, "too many interim responses");
	r->field_count = 0;
	r->status = 0;
	buf_reset(r->head);
	return CODE_OK;
}
