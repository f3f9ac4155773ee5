/* What error replies mean: AIP-193, RFC 6749 section 5.2, and no JSON. */
#include "gcp/rpcstatus.h"

#include "base/json_walk.h"
#include "gcp/cred_types.h"
#include "gcp/hint.h"
#include "gcp/secretmanager.h"

#include "test.h"

#define DETAIL "\"@type\":\"type.googleapis.com/google.rpc."

static struct json_tokens tokens;
static struct status st;

/* What the next replies are read with. */
static const char *hints = SECRETMANAGER_HINTS;
static struct secrets secrets;
static enum code expected;

/* Reads a body, or none if `text` is NULL or no JSON. */
static enum code
read_reply(int http_status, const char *text)
{
	struct status unused = { .code = CODE_OK };
	struct json_value root = { NULL, 0 };
	struct json json;

	if (text != NULL &&
	    json_parse(&json, str_from(text), &tokens, &unused) == CODE_OK)
		root = json_root(&json);
	status_clear(&st);
	return rpcstatus_read(&(struct error_reply){ .http_status = http_status,
						     .json = root,
						     .hints = hints,
						     .secrets = &secrets,
						     .expected = expected },
			      &st);
}

TEST(the_status_decides_before_the_http_status)
{
	static const struct {
		int http_status;
		const char *body;
		enum code code;
	} rows[] = {
		{ 404, "{\"error\":{\"status\":\"NOT_FOUND\"}}",
		  CODE_NOT_FOUND },
		{ 409, "{\"error\":{\"status\":\"ALREADY_EXISTS\"}}",
		  CODE_ALREADY_EXISTS },
		{ 409, "{\"error\":{\"status\":\"ABORTED\"}}", CODE_ABORTED },
		{ 400, "{\"error\":{\"status\":\"FAILED_PRECONDITION\"}}",
		  CODE_FAILED_PRECONDITION },
		{ 500, "{\"error\":{\"status\":\"UNAVAILABLE\"}}",
		  CODE_UNAVAILABLE },
		{ 400, "{\"error\":{\"status\":\"NEWER_THAN_US\"}}",
		  CODE_UNKNOWN },
		/* some services wrap it in an array */
		{ 404, "[{\"error\":{\"status\":\"NOT_FOUND\"}}]",
		  CODE_NOT_FOUND },
		/* an error that calls itself none */
		{ 500, "{\"error\":{\"status\":\"OK\"}}", CODE_UNKNOWN },
		/* without a status */
		{ 403, "{\"error\":{\"code\":403}}", CODE_PERMISSION_DENIED },
		{ 404, "{\"error\":{\"code\":404,\"message\":\"NOT_FOUND\"}}",
		  CODE_UNKNOWN },
		{ 503, "{\"error\":{\"status\":14}}", CODE_UNAVAILABLE },
		{ 503, "{\"error\":{}}", CODE_UNAVAILABLE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_reply(rows[i].http_status, rows[i].body) !=
		    rows[i].code)
			fail_msg("row %zu: %s", i, st.message);
		assert_int_equal(st.http_status, rows[i].http_status);
	}
}

/* Only a google.rpc.Status may say that something is missing. */
TEST(without_json_the_http_status_decides)
{
	static const struct {
		int http_status;
		const char *body;
		enum code code;
		const char *hint;
	} rows[] = {
		{ 404, NULL, CODE_UNKNOWN, "does not mean that a secret" },
		{ 404, "<html>", CODE_UNKNOWN, "does not mean that a secret" },
		{ 404, "{}", CODE_UNKNOWN, "does not mean that a secret" },
		{ 404, "[]", CODE_UNKNOWN, "does not mean that a secret" },
		{ 404, "{\"error\":null}", CODE_UNKNOWN, "does not mean" },
		{ 404, "{\"error\":404}", CODE_UNKNOWN, "does not mean" },
		{ 404, "\"NOT_FOUND\"", CODE_UNKNOWN, "does not mean" },
		{ 404, "{\"status\":\"NOT_FOUND\"}", CODE_UNKNOWN,
		  "does not mean" },
		{ 301, NULL, CODE_UNKNOWN, "redirects are never followed" },
		{ 307, NULL, CODE_UNKNOWN, "redirects are never followed" },
		{ 403, NULL, CODE_PERMISSION_DENIED, "front end or a proxy" },
		{ 429, NULL, CODE_RESOURCE_EXHAUSTED, "front end or a proxy" },
		{ 500, NULL, CODE_INTERNAL, "front end or a proxy" },
		{ 502, NULL, CODE_UNAVAILABLE, "front end or a proxy" },
		{ 503, NULL, CODE_UNAVAILABLE, "front end or a proxy" },
		{ 504, NULL, CODE_DEADLINE_EXCEEDED, "front end or a proxy" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_reply(rows[i].http_status, rows[i].body) !=
			    rows[i].code ||
		    strstr(st.hint, rows[i].hint) == NULL)
			fail_msg("row %zu: %s (%s)", i, st.message, st.hint);
		assert_non_null(strstr(st.message, "without a JSON error"));
	}
}

TEST(a_message_has_code_reason_and_text)
{
	assert_int_equal(
		read_reply(403, "{\"error\":{\"code\":403,"
				"\"message\":\"No \\\"way\\\"\\n\\u00e4\","
				"\"status\":\"PERMISSION_DENIED\",\"details\":["
				"{" DETAIL "ErrorInfo\",\"reason\":\"NO_WAY\","
				"\"domain\":\"x\"}]}}"),
		CODE_PERMISSION_DENIED);
	assert_string_equal(st.message,
			    "HTTP 403 PERMISSION_DENIED NO_WAY: No \"way\"?"
			    "\xc3\xa4");
	assert_string_equal(st.reason, "NO_WAY");
}

/* Twice as long as the whole status, in one and in two bytes a character. */
TEST(a_long_message_is_cut_not_lost)
{
	static char body[8192];
	static const char *const pieces[] = { "x", "\xc3\xa4", "\\u0001" };

	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct buf out;

		buf_init(&out, body, sizeof(body) - 8);
		buf_put_cstr(&out, "{\"error\":{\"message\":\"Because ");
		while (!out.overflow)
			buf_put_cstr(&out, pieces[i]);
		memcpy(body + out.len, "\"}}", 4);
		(void)read_reply(500, body);
		if (strstr(st.message, "HTTP 500 INTERNAL: Because ") == NULL)
			fail_msg("row %zu: %s", i, st.message);
		assert_true(strlen(st.message) > 500);
	}
}

TEST(details_are_found_among_others)
{
	static const struct {
		const char *details;
		const char *reason;
		uint64_t wait_ms;
		const char *hint;
	} rows[] = {
		{ "[]", "", 0, "" },
		{ "{}", "", 0, "" },
		{ "[null,1,\"x\",[],{}]", "", 0, "" },
		{ "[{\"@type\":\"x/google.rpc.BadRequest\"}]", "", 0, "" },
		{ "[{" DETAIL "ErrorInfo\",\"reason\":\"A\"},{" DETAIL
		  "ErrorInfo\",\"reason\":\"B\"}]",
		  "A", 0, "" },
		{ "[{" DETAIL "ErrorInfo\",\"reason\":7}]", "", 0, "" },
		{ "[{" DETAIL "ErrorInfo\"}]", "", 0, "" },
		{ "[{\"@type\":\"ErrorInfo\",\"reason\":\"A\"}]", "", 0, "" },
		{ "[{" DETAIL "ErrorInfo\",\"reason\":\"SERVICE_DISABLED\"}]",
		  "SERVICE_DISABLED", 0, "gcloud services enable" },
		{ "[{" DETAIL "RetryInfo\",\"retryDelay\":\"2s\"}]", "", 2000,
		  "" },
		{ "[{" DETAIL "Help\",\"links\":[{\"description\":\"d\","
		  "\"url\":\"https://x\"},{\"url\":\"https://y\"}]}]",
		  "", 0, "see https://x" },
		{ "[{" DETAIL "Help\",\"links\":[]}]", "", 0, "" },
		{ "[{" DETAIL "Help\",\"links\":[{\"url\":\"a\\u0000b\"}]}]",
		  "", 0, "" },
		{ "[{" DETAIL "ErrorInfo\",\"reason\":\"BILLING_DISABLED\"},"
		  "{" DETAIL "Help\",\"links\":[{\"url\":\"https://x\\n\"}]}]",
		  "BILLING_DISABLED", 0, "project; see https://x?" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char body[1024];

		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"status\":\"ABORTED\","
			       "\"details\":%s}}",
			       rows[i].details);
		assert_int_equal(read_reply(409, body), CODE_ABORTED);
		if (strcmp(st.reason, rows[i].reason) != 0 ||
		    st.retry_after_ms != rows[i].wait_ms ||
		    strstr(st.hint, rows[i].hint) == NULL ||
		    (rows[i].hint[0] == '\0' && st.hint[0] != '\0'))
			fail_msg("row %zu: %s %s", i, st.reason, st.hint);
	}
}

/* google.protobuf.Duration in JSON. */
TEST(retry_delays_are_read_to_the_millisecond)
{
	static const struct {
		const char *delay;
		uint64_t ms;
	} rows[] = {
		{ "\"1s\"", 1000 },
		{ "\"0s\"", 0 },
		{ "\"0.5s\"", 500 },
		{ "\"1.25s\"", 1250 },
		{ "\"1.234567891s\"", 1234 },
		{ "\"86400s\"", 86400000 },
		{ "\"86401s\"", 86400000 },
		{ "\"315576000000s\"", 86400000 },
		{ "\"1\"", 0 },
		{ "\"s\"", 0 },
		{ "\"-1s\"", 0 },
		{ "\"1.xs\"", 0 },
		{ "\"1.2.3s\"", 0 },
		{ "\"1m\"", 0 },
		{ "\"\"", 0 },
		{ "1", 0 },
		{ "null", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char body[256];

		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"details\":[{" DETAIL
			       "RetryInfo\",\"retryDelay\":%s}]}}",
			       rows[i].delay);
		(void)read_reply(429, body);
		if (st.retry_after_ms != rows[i].ms)
			fail_msg("%s: %d ms", rows[i].delay,
				 (int)st.retry_after_ms);
	}
}

TEST(oauth_errors_are_read)
{
	static const struct {
		int http_status;
		const char *body;
		enum code code;
		const char *reason;
		const char *hint;
	} rows[] = {
		{ 400, "{\"error\":\"invalid_grant\"}", CODE_UNAUTHENTICATED,
		  "invalid_grant", "expired or was revoked" },
		{ 401, "{\"error\":\"invalid_client\"}", CODE_UNAUTHENTICATED,
		  "invalid_client", "client_secret" },
		{ 400,
		  "{\"error\":\"invalid_grant\","
		  "\"error_subtype\":\"invalid_rapt\"}",
		  CODE_UNAUTHENTICATED, "invalid_rapt", "fresh login" },
		{ 403, "{\"error\":\"access_denied\"}", CODE_UNAUTHENTICATED,
		  "access_denied", "" },
		/* may pass */
		{ 400, "{\"error\":\"server_error\"}", CODE_UNAVAILABLE,
		  "server_error", "" },
		{ 400, "{\"error\":\"temporarily_unavailable\"}",
		  CODE_UNAVAILABLE, "temporarily_unavailable", "" },
		{ 500, "{\"error\":\"internal_failure\"}", CODE_UNAVAILABLE,
		  "internal_failure", "" },
		{ 429, "{\"error\":\"slow_down\"}", CODE_RESOURCE_EXHAUSTED,
		  "slow_down", "quota" },
		{ 408, "{\"error\":\"x\"}", CODE_DEADLINE_EXCEEDED, "x", "" },
		{ 503, "{\"error\":\"x\"}", CODE_UNAVAILABLE, "x", "" },
		{ 400, "{\"error\":\"\"}", CODE_UNAUTHENTICATED, "", "" },
	};

	hints = CRED_authorized_user.hints;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_reply(rows[i].http_status, rows[i].body) !=
			    rows[i].code ||
		    strcmp(st.reason, rows[i].reason) != 0 ||
		    strstr(st.hint, rows[i].hint) == NULL)
			fail_msg("row %zu: %s (%s)", i, st.message, st.hint);
	}
	(void)read_reply(400, "{\"error\":\"invalid_grant\","
			      "\"error_description\":\"Bad\\tRequest\"}");
	assert_string_equal(st.message, "HTTP 400 invalid_grant: Bad?Request");
	/* a success that is none */
	assert_int_equal(read_reply(200, "{\"error\":\"invalid_grant\"}"),
			 CODE_UNAUTHENTICATED);
	assert_int_equal(read_reply(200, "{\"error\":\"server_error\"}"),
			 CODE_UNAVAILABLE);
	assert_int_equal(read_reply(302, "{\"error\":\"x\"}"), CODE_UNKNOWN);
	hints = SECRETMANAGER_HINTS;
}

/* A reason that is too long is dropped. */
TEST(reasons_have_a_ceiling)
{
	char body[256], reason[STATUS_REASON_MAX + 1];

	memset(reason, 'R', sizeof(reason));
	for (size_t len = STATUS_REASON_MAX - 1; len <= STATUS_REASON_MAX;
	     len++) {
		(void)snprintf(body, sizeof(body), "{\"error\":\"%.*s\"}",
			       (int)len, reason);
		(void)read_reply(400, body);
		assert_int_equal(strlen(st.reason),
				 len == STATUS_REASON_MAX ? 0 : len);
	}
}

TEST(every_known_reason_has_a_remedy)
{
	static const char *const reasons[] = {
		"SERVICE_DISABLED",
		"BILLING_DISABLED",
		"USER_PROJECT_DENIED",
		"IAM_PERMISSION_DENIED",
		"ACCESS_TOKEN_SCOPE_INSUFFICIENT",
		"SECURITY_POLICY_VIOLATED",
		"TLS_ORG_POLICY_VIOLATED",
		"TLS_CIPHER_RESTRICTION_VIOLATED",
		"CONSUMER_INVALID",
		"CONSUMER_SUSPENDED",
	};

	for (size_t i = 0; i < COUNT(reasons); i++) {
		char body[256];

		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"status\":\"PERMISSION_DENIED\","
			       "\"details\":[{" DETAIL
			       "ErrorInfo\",\"reason\":\"%s\"}]}}",
			       reasons[i]);
		(void)read_reply(403, body);
		assert_string_equal(st.reason, reasons[i]);
		/* and it is about roles if the reason is */
		assert_true(st.hint[0] != '\0');
		assert_int_equal(strstr(st.hint, "roles/secretmanager") != NULL,
				 strstr(reasons[i], "IAM") != NULL);
	}
	(void)read_reply(403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}");
	assert_non_null(strstr(st.hint, "roles/secretmanager"));
	(void)read_reply(403, "{\"error\":{\"status\":\"PERMISSION_DENIED\","
			      "\"details\":[{" DETAIL
			      "ErrorInfo\",\"reason\":\"GCP_SUSPENDED\"}]}}");
	assert_string_equal(st.hint, "");
	(void)read_reply(429,
			 "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}");
	assert_non_null(strstr(st.hint, "quota"));
}

/* Secrets are kept out of it; what is ours is not, though it is the same. */
TEST(only_what_the_server_wrote_is_masked)
{
	secrets_add(&secrets, STR("supersecret"));
	secrets_add(&secrets, STR("HTTP 403 PERMISSION_DENIED "
				  "SERVICE_DISABLED gcloud services enable"));
	(void)read_reply(
		403,
		"{\"error\":{\"status\":\"PERMISSION_DENIED\","
		"\"message\":\"a supersecret thing\",\"details\":[{" DETAIL
		"ErrorInfo\",\"reason\":\"SERVICE_DISABLED\"},{" DETAIL
		"Help\",\"links\":[{\"url\":\"https://supersecret\"}]}]}}");
	assert_string_equal(st.message,
			    "HTTP 403 PERMISSION_DENIED SERVICE_DISABLED: a "
			    "*********** thing");
	assert_non_null(strstr(st.hint, "gcloud services enable"));
	assert_non_null(strstr(st.hint, "; see https://***********"));
	(void)read_reply(400, "{\"error\":\"a_supersecret\"}");
	assert_string_equal(st.reason, "a_***********");
	assert_string_equal(st.message, "HTTP 400 a_***********");
	secrets.count = 0;
}

/* It is answered with a create: nobody reads what it says. */
TEST(the_text_of_an_expected_error_is_not_read)
{
	static const char body[] =
		"{\"error\":{\"status\":\"NOT_FOUND\",\"message\":\"x\"}}";

	expected = CODE_NOT_FOUND;
	assert_int_equal(read_reply(404, body), CODE_NOT_FOUND);
	assert_string_equal(st.message, "HTTP 404 NOT_FOUND");
	expected = CODE_OK;
	assert_int_equal(read_reply(404, body), CODE_NOT_FOUND);
	assert_string_equal(st.message, "HTTP 404 NOT_FOUND: x");
}

/* As metadata servers send it: one line, no page, not without end. */
TEST(a_plain_text_is_shown)
{
	static char text[2000];
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "Not Found\n", "HTTP 404: Not Found" },
		{ "a\r\n\tb\x1b[1m\xff", "HTTP 404: a   b?[1m?" },
		{ "", "HTTP 404" },
		{ " <!DOCTYPE html><html>x</html>", "HTTP 404" },
		{ "my supersecret", "HTTP 404: my ***********" },
	};
	struct error_reply reply = { .http_status = 404, .secrets = &secrets };

	secrets_add(&secrets, STR("supersecret"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		reply.text = str_from(rows[i].text);
		status_clear(&st);
		assert_int_equal(rpcstatus_read(&reply, &st), CODE_UNKNOWN);
		assert_string_equal(st.message, rows[i].message);
		assert_string_equal(st.hint, "");
	}
	memset(text, 'x', sizeof(text));
	reply.text = (struct str){ text, sizeof(text) };
	status_clear(&st);
	(void)rpcstatus_read(&reply, &st);
	assert_in_range(strlen(st.message), 400, 511);
	secrets.count = 0;
}

/* A link is added where it fits, and never twice. */
TEST(a_link_is_shown_once)
{
	static char body[1024], link[512];

	(void)read_reply(
		403, "{\"error\":{\"status\":\"PERMISSION_DENIED\","
		     "\"message\":\"visit https://x now\",\"details\":[{" DETAIL
		     "Help\",\"links\":[{\"url\":\"https://x\"}]}]}}");
	assert_null(strstr(st.hint, "https://x"));
	for (size_t len = 100; len < sizeof(link) - 1; len += 50) {
		memset(link, 'l', len);
		link[len] = '\0';
		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"status\":\"PERMISSION_DENIED\","
			       "\"details\":[{" DETAIL
			       "Help\",\"links\":[{\"url\":\"%s\"}]}]}}",
			       link);
		(void)read_reply(403, body);
		assert_non_null(strstr(st.hint, "roles/secretmanager"));
		/* all of it or nothing */
		if (strstr(st.hint, "see l") != NULL)
			assert_non_null(strstr(st.hint, link));
		else
			assert_true(len > 200);
	}
}
