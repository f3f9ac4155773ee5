#include "gcp/rpcstatus.h"

#include <string.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "gcp/hint.h"

#define TEXT_MAX 512
/* What is shown of a body that is plain text. */
#define BODY_SHOWN 480

/* Longer waits are cut to this. */
#define DAY_S 86400

/* The value of a string, cut where it must be; "" and false for all else. */
static bool
text_of(struct json_value value, char out[static TEXT_MAX])
{
	struct buf text;
	bool found;

	buf_init(&text, out, TEXT_MAX - 1);
	found = json_string_cut(value, &text) &&
		str_find(buf_view(&text), '\0') == text.len;
	out[found ? text.len : 0] = '\0';
	return found;
}

/* One that is known is a public constant; what is not may be a quotation. */
static void
take_reason(struct json_value value, const struct error_reply *reply,
	    struct status *st)
{
	if (st->reason[0] != '\0')
		return;
	if (!json_cstr(value, st->reason, sizeof(st->reason)))
		st->reason[0] = '\0';
	else if (hint_find(reply->hints, st->reason, NULL) == NULL &&
		 hint_find(HINTS, st->reason, NULL) == NULL)
		redact(st->reason, reply->secrets);
}

/* google.protobuf.Duration in JSON: "1.5s"; digits past ms are dropped. */
static uint64_t
duration_ms(struct json_value value)
{
	char text[TEXT_MAX];
	struct str rest, whole, fraction;
	uint64_t seconds, ms = 0, unit = 100;

	if (!text_of(value, text) || !str_ends(str_from(text), STR("s")))
		return 0;
	rest = str_from(text);
	rest.len--;
	(void)str_split(&rest, '.', &whole);
	if (!parse_uint(whole, &seconds))
		return 0;
	if (seconds > DAY_S)
		seconds = DAY_S;
	fraction = rest.ptr == NULL ? STR("") : rest;
	for (size_t i = 0; i < fraction.len && i < 3; i++) {
		if (fraction.ptr[i] < '0' || fraction.ptr[i] > '9')
			return 0;
		ms += (uint64_t)(fraction.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return seconds * 1000 + ms;
}

static bool
is_type(struct json_value detail, struct str name)
{
	char type[TEXT_MAX];

	return text_of(json_get(detail, "@type"), type) &&
	       str_ends(str_from(type), name);
}

/* What a peer wrote for people, without the secrets that it knows. */
static void
quote(struct json_value value, const struct error_reply *reply,
      char out[static TEXT_MAX])
{
	if (text_of(value, out))
		redact(out, reply->secrets);
}

/* One of google.rpc.Status.details; unknown ones are skipped (AIP-193). */
static void
read_detail(struct json_value detail, const struct error_reply *reply,
	    struct status *st, char link[static TEXT_MAX])
{
	if (is_type(detail, STR("/google.rpc.ErrorInfo"))) {
		take_reason(json_get(detail, "reason"), reply, st);
	} else if (is_type(detail, STR("/google.rpc.RetryInfo"))) {
		uint64_t ms = duration_ms(json_get(detail, "retryDelay"));

		if (ms > 0)
			st->retry_after_ms = ms;
	} else if (is_type(detail, STR("/google.rpc.Help"))) {
		struct json_iter links = json_iter(json_get(detail, "links"));

		if (link[0] == '\0' && json_next(&links))
			quote(json_get(links.value, "url"), reply, link);
	}
}

/* The API's form: {"error": {"code", "message", "status", "details"}}. */
static enum code
read_api_error(const struct error_reply *reply, struct json_value error,
	       struct status *st, char link[static TEXT_MAX])
{
	char status[TEXT_MAX] = "", message[TEXT_MAX] = "";
	struct json_iter details = json_iter(json_get(error, "details"));
	enum code code = code_from_http(reply->http_status);

	if (text_of(json_get(error, "status"), status))
		code = code_from_name(str_from(status));
	if (code == CODE_OK)
		code = CODE_UNKNOWN;
	if (code != reply->expected)
		quote(json_get(error, "message"), reply, message);
	while (json_next(&details))
		read_detail(details.value, reply, st, link);
	return status_set(st, code, "HTTP %d %s%s%s%s%s", reply->http_status,
			  code_name(code), st->reason[0] != '\0' ? " " : "",
			  st->reason, message[0] != '\0' ? ": " : "", message);
}

/* RFC 6749 section 5.2: {"error": "invalid_grant", "error_description"}. */
static enum code
read_oauth_error(const struct error_reply *reply, struct json_value root,
		 struct status *st)
{
	char description[TEXT_MAX] = "";
	int http_status = reply->http_status;
	enum code code = code_from_http(http_status);
	struct str reason;

	take_reason(json_get(root, "error_subtype"), reply, st);
	take_reason(json_get(root, "error"), reply, st);
	reason = str_from(st->reason);
	quote(json_get(root, "error_description"), reply, description);
	if (str_eq(reason, STR("internal_failure")) ||
	    str_eq(reason, STR("server_error")) ||
	    str_eq(reason, STR("temporarily_unavailable")))
		code = CODE_UNAVAILABLE;
	else if ((http_status < 300 || http_status >= 400) &&
		 http_status < 500 && http_status != 429 && http_status != 408)
		code = CODE_UNAUTHENTICATED;
	return status_set(st, code, "HTTP %d %s%s%s", http_status, st->reason,
			  description[0] != '\0' ? ": " : "", description);
}

/* A text body on one line; "" for a page of HTML. */
static void
take_text(const struct error_reply *reply, char out[static TEXT_MAX])
{
	struct str body = str_trim(reply->text);

	if (str_starts(body, STR("<")))
		body.len = 0;
	if (body.len > BODY_SHOWN)
		body.len = BODY_SHOWN;
	memcpy(out, body.ptr, body.len);
	out[body.len] = '\0';
	redact(out, reply->secrets);
	for (char *c = out; *c != '\0'; c++)
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
}

static enum code
read_other_error(const struct error_reply *reply, struct status *st)
{
	int http_status = reply->http_status;
	enum code code = code_from_http(http_status);
	char text[TEXT_MAX];

	if (http_status >= 300 && http_status < 400)
		status_hint(st, "redirects are never followed: check the "
				"endpoint and proxies in between");
	if (reply->text.ptr != NULL) {
		take_text(reply, text);
		return status_set(st, code, "HTTP %d%s%s", http_status,
				  text[0] != '\0' ? ": " : "", text);
	}
	if (http_status == 404)
		status_hint(st, "a 404 without JSON comes from a front end or "
				"a proxy, it does not mean that a secret is "
				"missing: check the endpoint");
	status_hint(st, "the reply is no JSON, so it comes from a front end "
			"or a proxy in between");
	return status_set(st, code, "HTTP %d without a JSON error",
			  http_status);
}

/* The remedy that is known here, and the server's own link behind it. */
static void
add_hint(struct status *st, const struct error_reply *reply, const char *link)
{
	struct buf hint;

	hint_add(st, reply->hints);
	if (link[0] == '\0' ||
	    str_contains(str_from(st->message), str_from(link)))
		return;
	status_hint(st, "see %s", link);
	if (str_contains(str_from(st->hint), str_from(link)))
		return;
	buf_init(&hint, st->hint, sizeof(st->hint) - 1);
	hint.len = strlen(st->hint);
	if (strlen(link) + sizeof("; see ") > buf_room(&hint))
		return;
	buf_put_cstr(&hint, "; see ");
	buf_put_cstr(&hint, link);
	st->hint[hint.len] = '\0';
}

enum code
rpcstatus_read(const struct error_reply *reply, struct status *st)
{
	char link[TEXT_MAX] = "";
	struct json_value root = reply->json, error;

	if (json_type(root) == JSON_ARRAY) { /* some services wrap it */
		struct json_iter first = json_iter(root);

		(void)json_next(&first);
		root = first.value;
	}
	error = json_get(root, "error");
	if (json_type(error) == JSON_OBJECT)
		(void)read_api_error(reply, error, st, link);
	else if (json_type(error) == JSON_STRING)
		(void)read_oauth_error(reply, root, st);
	else
		(void)read_other_error(reply, st);
	st->http_status = reply->http_status;
	st->not_granted = reply->http_status == 403 &&
			  strcmp(st->reason, "IAM_PERMISSION_DENIED") == 0;
	add_hint(st, reply, link);
	utf8_make_printable(st->hint);
	return st->code;
}
