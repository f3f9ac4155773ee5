#include "net/http_request.h"

#include <string.h>

#include "base/version.h"

/* tchar of RFC 9110 section 5.6.2. */
static bool
is_token(struct str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') &&
		    (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return s.len > 0;
}

/* Visible ASCII and, with `space`, SP: nothing that ends a line. */
static bool
is_visible(struct str s, bool space)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] <= ' ' || s.ptr[i] > '~') &&
		    !(space && s.ptr[i] == ' '))
			return false;
	return true;
}

static void
put_field(struct buf *out, struct str name, struct str value)
{
	buf_put_str(out, name);
	buf_put_cstr(out, ": ");
	buf_put_str(out, value);
	buf_put_cstr(out, "\r\n");
}

static bool
has_body(const struct http_request *request)
{
	return request->body.len > 0 || strcmp(request->method, "POST") == 0 ||
	       strcmp(request->method, "PUT") == 0 ||
	       strcmp(request->method, "PATCH") == 0;
}

bool
http_write_head(const struct http_request *request, struct buf *out)
{
	struct str authority = str_from(request->authority);

	if (!is_token(str_from(request->method)) ||
	    !is_visible(request->target, false) ||
	    !str_starts(request->target, STR("/")) ||
	    !is_visible(authority, false) || authority.len == 0)
		return false;
	buf_put_cstr(out, request->method);
	buf_put_char(out, ' ');
	buf_put_str(out, request->target);
	buf_put_cstr(out, " HTTP/1.1\r\n");
	put_field(out, STR("Host"), authority);
	put_field(out, STR("User-Agent"), str_from(USER_AGENT));
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];

		if (!is_token(field->name) || !is_visible(field->value, true))
			return false;
		put_field(out, field->name, field->value);
	}
	if (has_body(request)) {
		buf_put_cstr(out, "Content-Length: ");
		buf_put_uint(out, request->body.len);
		buf_put_cstr(out, "\r\n");
	}
	buf_put_cstr(out, "\r\n");
	return !out->overflow;
}
