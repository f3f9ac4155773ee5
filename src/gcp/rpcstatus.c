#include "gcp/rpcstatus.h"

#include <string.h>

#include "base/codec.h"
#include "base/utf8.h"

#define TEXT_MAX 512

/* Longer waits are cut to this. */
#define DAY_S 86400

/* What to do, by ErrorInfo reason (google/api/error_reason.proto). */
static const struct {
	const char *reason;
	const char *hint;
} HINTS[] = {
	{ "SERVICE_DISABLED",
	  "enable the API in the project: gcloud services enable "
	  "secretmanager.googleapis.com; with user credentials, set "
	  "GOOGLE_CLOUD_QUOTA_PROJECT too" },
	{ "BILLING_DISABLED", "enable billing for the project" },
	{ "USER_PROJECT_DENIED",
	  "grant roles/serviceusage.serviceUsageConsumer on the quota project, "
	  "or set another GOOGLE_CLOUD_QUOTA_PROJECT" },
	{ "IAM_PERMISSION_DENIED",
	  "grant the permission: roles/secretmanager.secretVersionAdder and "
	  "roles/secretmanager.secretAccessor, and for a new secret "
	  "secretmanager.secrets.create; a new binding may take minutes" },
	{ "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
	  "the node's or instance's access scopes lack cloud-platform" },
	{ "SECURITY_POLICY_VIOLATED",
	  "VPC Service Controls refused it: give the unique identifier in the "
	  "message to the organization's administrator" },
	{ "TLS_ORG_POLICY_VIOLATED",
	  "the organization denies TLS 1.2, and this program speaks TLS 1.2 "
	  "only" },
	{ "TLS_CIPHER_RESTRICTION_VIOLATED",
	  "the organization's policy allows none of the cipher suites that "
	  "this program offers" },
	{ "invalid_grant",
	  "the refresh token has expired or was revoked: run gcloud auth "
	  "application-default login" },
	{ "invalid_rapt",
	  "the organization asks for a fresh login: run gcloud auth "
	  "application-default login" },
	{ "unauthorized_client",
	  "the OAuth client may not use refresh tokens: run gcloud auth "
	  "application-default login" },
	{ "deleted_client",
	  "the OAuth client of the credential file was deleted: run gcloud "
	  "auth application-default login" },
	{ "invalid_client",
	  "client_id or client_secret of the credential file is wrong: run "
	  "gcloud auth application-default login" },
};

#define OUTAGE \
	"the server's own trouble: run again later; " \
	"https://status.cloud.google.com shows Google's outages"

/* What to do, by code, where there is no such reason. */
static const struct {
	enum code code;
	const char *hint;
} CODE_HINTS[] = {
	{ CODE_PERMISSION_DENIED,
	  "check the IAM roles of the identity: "
	  "roles/secretmanager.secretVersionAdder and "
	  "roles/secretmanager.secretAccessor, and for a new secret "
	  "secretmanager.secrets.create" },
	{ CODE_RESOURCE_EXHAUSTED,
	  "a quota is used up: retry later or raise it" },
	{ CODE_UNAVAILABLE, OUTAGE },
	{ CODE_INTERNAL, OUTAGE },
	{ CODE_DEADLINE_EXCEEDED, OUTAGE },
};

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

static void
take_reason(struct json_value value, struct status *st)
{
	if (st->reason[0] == '\0' &&
	    !json_cstr(value, st->reason, sizeof(st->reason)))
		st->reason[0] = '\0';
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

/* One of google.rpc.Status.details; unknown ones are skipped (AIP-193). */
static void
read_detail(struct json_value detail, struct status *st,
	    char link[static TEXT_MAX])
{
	if (is_type(detail, STR("/google.rpc.ErrorInfo"))) {
		take_reason(json_get(detail, "reason"), st);
	} else if (is_type(detail, STR("/google.rpc.RetryInfo"))) {
		uint64_t ms = duration_ms(json_get(detail, "retryDelay"));

		if (ms > 0)
			st->retry_after_ms = ms;
	} else if (is_type(detail, STR("/google.rpc.Help"))) {
		struct json_iter links = json_iter(json_get(detail, "links"));

		if (link[0] == '\0' && json_next(&links))
			(void)text_of(json_get(links.value, "url"), link);
	}
}

/* The API's form: {"error": {"code", "message", "status", "details"}}. */
static enum code
read_api_error(int http_status, struct json_value error, struct status *st,
	       char link[static TEXT_MAX])
{
	char status[TEXT_MAX] = "", message[TEXT_MAX] = "";
	struct json_iter details = json_iter(json_get(error, "details"));
	enum code code = code_from_http(http_status);

	if (text_of(json_get(error, "status"), status))
		code = code_from_name(str_from(status));
	if (code == CODE_OK)
		code = CODE_UNKNOWN;
	(void)text_of(json_get(error, "message"), message);
	while (json_next(&details))
		read_detail(details.value, st, link);
	(void)status_set(st, code, "HTTP %d %s%s%s%s%s", http_status,
			 code_name(code), st->reason[0] != '\0' ? " " : "",
			 st->reason, message[0] != '\0' ? ": " : "", message);
	return code;
}

/* RFC 6749 section 5.2: {"error": "invalid_grant", "error_description"}. */
static enum code
read_oauth_error(int http_status, struct json_value root, struct status *st)
{
	char description[TEXT_MAX] = "";
	enum code code = code_from_http(http_status);
	struct str reason;

	take_reason(json_get(root, "error_subtype"), st);
	take_reason(json_get(root, "error"), st);
	reason = str_from(st->reason);
	(void)text_of(json_get(root, "error_description"), description);
	if (str_eq(reason, STR("internal_failure")) ||
	    str_eq(reason, STR("server_error")) ||
	    str_eq(reason, STR("temporarily_unavailable")))
		code = CODE_UNAVAILABLE;
	else if (http_status >= 400 && http_status < 500 &&
		 http_status != 429 && http_status != 408)
		code = CODE_UNAUTHENTICATED;
	return status_set(st, code, "HTTP %d %s%s%s", http_status, st->reason,
			  description[0] != '\0' ? ": " : "", description);
}

static enum code
read_other_error(int http_status, struct status *st)
{
	enum code code = code_from_http(http_status);

	if (http_status == 404)
		status_hint(st, "a 404 without JSON comes from a front end or "
				"a proxy, it does not mean that a secret is "
				"missing: check the endpoint");
	else if (http_status >= 300 && http_status < 400)
		status_hint(st, "redirects are never followed: check the "
				"endpoint and proxies in between");
	else
		status_hint(st, "the reply is no JSON, so it comes from a "
				"front end or a proxy in between");
	return status_set(st, code, "HTTP %d without a JSON error",
			  http_status);
}

/* The remedy that is known here, and the server's own link behind it. */
static void
add_hint(struct status *st, const char *link)
{
	struct buf hint;

	for (size_t i = 0; i < sizeof(HINTS) / sizeof(HINTS[0]); i++)
		if (strcmp(st->reason, HINTS[i].reason) == 0)
			status_hint(st, "%s", HINTS[i].hint);
	for (size_t i = 0; i < sizeof(CODE_HINTS) / sizeof(CODE_HINTS[0]); i++)
		if (st->code == CODE_HINTS[i].code)
			status_hint(st, "%s", CODE_HINTS[i].hint);
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
rpcstatus_read(int http_status, struct json_value root, struct status *st)
{
	char link[TEXT_MAX] = "";
	struct json_value error;

	if (json_type(root) == JSON_ARRAY) { /* some services wrap it */
		struct json_iter first = json_iter(root);

		(void)json_next(&first);
		root = first.value;
	}
	error = json_get(root, "error");
	if (json_type(error) == JSON_OBJECT)
		(void)read_api_error(http_status, error, st, link);
	else if (json_type(error) == JSON_STRING)
		(void)read_oauth_error(http_status, root, st);
	else
		(void)read_other_error(http_status, st);
	st->http_status = http_status;
	add_hint(st, link);
	utf8_make_printable(st->hint);
	return st->code;
}
