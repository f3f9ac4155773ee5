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
http_drop_body(struct http_response *response, struct status *st,
	       const char *why)
{
	if (response->status >= 200 && response->status <= 299)
		return http_refuse(response, st, why);
	buf_reset(response->body);
	response->state = HTTP_COMPLETE;
	response->keep_alive = false;
	response->body_dropped = true;
	return CODE_OK;
}

enum code
http_too_large(struct http_response *response, struct status *st)
{
	return http_drop_body(response, st,
			      "the body is larger than the limit");
}

/* Not allowed in field values and reasons (RFC 9110 section 5.5). */
static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* "HTTP/1.1 200 OK": version, three digits, maybe a reason (RFC 9112 4). */
static enum code
read_status_line(struct http_response *r, struct str line, struct status *st)
{
	uint64_t status;

	if (!str_starts(line, STR("HTTP/")))
		return http_refuse(r, st, "malformed status line");
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
	for (size_t i = 3; i < line.len; i++)
		if (is_control(line.ptr[i]))
			return http_refuse(r, st,
					   "the reason holds a control "
					   "character");
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

const char *
http_field_byte(size_t at, bool *in_value, char c)
{
	if (*in_value)
		return is_control(c) ? "a field holds a control character"
				     : NULL;
	if (at == 0 && (c == ' ' || c == '\t'))
		return "a field is folded over two lines";
	if (c != ':')
		return is_name_char(c) ? NULL : "a field's name is no token";
	*in_value = true;
	return http_field_end(at > 0);
}

const char *
http_field_end(bool has_name)
{
	return has_name ? NULL : "a field has no name";
}

static enum code
read_field(struct http_response *r, struct str line, struct status *st)
{
	size_t colon = str_find(line, ':');
	const char *error = NULL;
	struct http_field *field;
	bool in_value = false;

	for (size_t i = 0; i < line.len && error == NULL; i++)
		error = http_field_byte(i, &in_value, line.ptr[i]);
	if (error == NULL)
		error = http_field_end(in_value);
	if (error != NULL)
		return http_refuse(r, st, error);
	if (r->field_count == HTTP_FIELDS_MAX)
		return http_refuse(r, st, "too many fields");
	field = &r->field[r->field_count++];
	field->name = (struct str){ line.ptr, colon };
	field->value = str_trim(str_skip(line, colon + 1));
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

/* Contradictions in the framing (RFC 9112 sections 6.1 and 6.3). */
static const char *
framing_error(const struct http_response *r)
{
	size_t lengths = count_fields(r, "Content-Length");
	size_t codings = count_fields(r, "Transfer-Encoding");

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

static bool
is_encoded(const struct http_response *r)
{
	struct str coding = http_field(r, "Content-Encoding");

	return coding.ptr != NULL && !str_eq_nocase(coding, STR("identity"));
}

/* How the body is framed, once the fields are known not to contradict. */
static enum code
read_framing(struct http_response *r, struct status *st)
{
	const char *error = framing_error(r);
	struct str length = http_field(r, "Content-Length");

	/*
	 * A tunnel begins after the head, and a refusal's body is not needed:
	 * fields about a body are ignored (RFC 9110 section 9.3.6).
	 */
	if (r->connect_request) {
		r->state = HTTP_COMPLETE;
		return CODE_OK;
	}
	if (error != NULL)
		return http_refuse(r, st, error);
	if (length.ptr != NULL && !parse_uint(length, &r->left))
		return http_refuse(r, st, "Content-Length is no number");
	r->keep_alive = !r->http10 && !list_has(r, "Connection", STR("close"));
	if (r->head_request || r->status == 204 || r->status == 304) {
		r->state = HTTP_COMPLETE;
	} else if (is_encoded(r)) {
		return http_drop_body(r, st,
				      "a content coding nobody asked for");
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
