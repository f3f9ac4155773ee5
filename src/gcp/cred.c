#include "gcp/cred.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/redact.h"
#include "gcp/adc.h"

#define METADATA_PATH \
	"/computeMetadata/v1/instance/service-accounts/default/token" \
	"?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"

/* A new pod's metadata server is up within 5 to 10 s, nearly always. */
#define METADATA_PATIENCE_MS 30000
/* A 404 may also mean that there is no service account at all. */
#define METADATA_404_PATIENCE_MS 5000

/* A token with less life than this is not worth using, in seconds. */
#define TOKEN_LIFE_MIN 10
/* Assumed where the reply names no life (RFC 6749 section 5.1). */
#define TOKEN_LIFE_UNKNOWN 300
/* Longer lives are not believed. */
#define TOKEN_LIFE_MAX 86400

/* The metadata server is one hop away: short limits, many tries. */
static const struct conn_limits METADATA_LIMITS = {
	.dial = { .resolve_ms = 5000, .address_ms = 2000, .connect_ms = 4000 },
	.handshake_ms = 5000,
	.first_byte_ms = 5000,
	.exchange_ms = 5000,
};

static const struct conn_limits ENDPOINT_LIMITS = {
	.dial = { .resolve_ms = 10000,
		  .address_ms = 5000,
		  .connect_ms = 15000 },
	.handshake_ms = 10000,
	.first_byte_ms = 20000,
	.exchange_ms = 30000,
};

/* It is sent as a header field; no project has other characters. */
static enum code
check_quota_project(const struct cred *cred, bool own, struct status *st)
{
	for (const char *c = cred->quota_project; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s holds a character that no "
					  "project ID has",
					  own ? "GOOGLE_CLOUD_QUOTA_PROJECT"
					      : "quota_project_id of the "
						"credential file");
	return CODE_OK;
}

enum code
cred_load(struct cred *cred, const struct cred_settings *settings,
	  struct call *call, struct status *st)
{
	cred->expires_at = 0;
	cred->quota_project[0] = '\0';
	if (adc_find(cred, settings, call, st) != CODE_OK)
		return st->code;
	if (settings->quota_project != NULL &&
	    !str_copy(str_from(settings->quota_project), cred->quota_project,
		      sizeof(cred->quota_project)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "GOOGLE_CLOUD_QUOTA_PROJECT is too long");
	return check_quota_project(cred, settings->quota_project != NULL, st);
}

void
cred_connect(struct cred *cred, const struct trust *trust,
	     const struct resolver_config *resolver)
{
	conn_init(&cred->conn, &cred->url, trust, resolver,
		  cred->type == CRED_METADATA ? &METADATA_LIMITS
					      : &ENDPOINT_LIMITS);
}

/* What a bearer token is made of (RFC 6750 section 2.1). */
static bool
is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Takes the token out of a successful reply (RFC 6749 section 5.1). */
static enum code
take_token(struct cred *cred, struct json_value root, struct status *st)
{
	struct json_value life = json_get(root, "expires_in");
	uint64_t seconds = TOKEN_LIFE_UNKNOWN;

	if (!json_cstr(json_get(root, "access_token"), cred->token,
		       sizeof(cred->token)) ||
	    !is_token(cred->token))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply holds no usable access_token");
	if (json_type(life) != JSON_ABSENT && !json_uint(life, &seconds))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply's expires_in is no whole number");
	if (seconds < TOKEN_LIFE_MIN)
		return status_set(st, CODE_UNAVAILABLE,
				  "the token expires in %llu s",
				  (unsigned long long)seconds);
	if (seconds > TOKEN_LIFE_MAX)
		seconds = TOKEN_LIFE_MAX;
	cred->expires_at = clock_unix() + (int64_t)seconds;
	return CODE_OK;
}

/*
 * A reply without "Metadata-Flavor: Google" comes from something else that
 * answers on that address: a proxy, a captive portal. Its words count for
 * nothing, only a server error may pass.
 */
static enum code
check_flavor(const struct call *call, struct status *st)
{
	struct str flavor = http_field(&call->response, "Metadata-Flavor");
	int http_status = call->response.status;

	if (call->response.state != HTTP_COMPLETE || http_status >= 500 ||
	    str_eq(flavor, STR("Google")))
		return st->code;
	status_clear(st);
	st->http_status = http_status;
	status_hint(st, "something else answers on the metadata server's "
			"address: check proxies, service mesh and "
			"GCE_METADATA_HOST");
	return status_set(st, CODE_UNAUTHENTICATED,
			  "the reply (HTTP %d) lacks Metadata-Flavor: Google, "
			  "so it is not from a metadata server",
			  http_status);
}

/* Whether a refusal of the metadata server may pass soon. */
static void
judge_metadata(struct cred *cred, struct deadline patience_404,
	       struct status *st)
{
	/* UNAUTHENTICATED is the verdict of check_flavor(), which stays. */
	if (st->code == CODE_OK || st->code == CODE_CANCELLED ||
	    st->code == CODE_UNAUTHENTICATED)
		return;
	if (st->http_status == 404) {
		st->code = CODE_UNAVAILABLE;
		st->permanent = deadline_left(patience_404) == 0;
		if (st->permanent)
			st->code = CODE_UNAUTHENTICATED;
		st->hint[0] = '\0';
		status_hint(st, "no service account is attached: bind the "
				"Kubernetes service account (Workload "
				"Identity) or attach one to the node");
	} else if (st->http_status == 403) {
		st->hint[0] = '\0';
		status_hint(st, "the Kubernetes service account may not act "
				"as the Google service account: grant "
				"roles/iam.workloadIdentityUser; a new "
				"binding may take minutes");
	} else if (st->http_status == 0) {
		st->permanent = false;
		st->hint[0] = '\0';
		status_hint(st,
			    "on Google Cloud: check egress to %s; "
			    "elsewhere: run gcloud auth "
			    "application-default login or set "
			    "GOOGLE_APPLICATION_CREDENTIALS",
			    cred->url.authority);
	}
}

static enum code
fetch_from_metadata(struct cred *cred, struct call *call, struct deadline until,
		    struct status *st)
{
	static const struct http_field fields[] = {
		{ { "Metadata-Flavor", 15 }, { "Google", 6 } },
	};
	const struct call_service service = { &cred->conn,
					      "the metadata server" };

	call_start(call, &cred->conn);
	buf_put_cstr(&call->target, METADATA_PATH);
	(void)call_run(call, &service, "GET", fields, 1, until, st);
	if (check_flavor(call, st) != CODE_OK)
		return st->code;
	return take_token(cred, json_root(&call->json), st);
}

static void
put_form(struct buf *out, const char *name, const char *value)
{
	if (out->len > 0)
		buf_put_char(out, '&');
	buf_put_cstr(out, name);
	buf_put_char(out, '=');
	percent_encode(out, str_from(value));
}

/* The refresh grant (RFC 6749 section 6). */
static enum code
fetch_with_refresh_token(struct cred *cred, struct call *call,
			 struct deadline until, struct status *st)
{
	static const struct http_field fields[] = {
		{ { "Content-Type", 12 },
		  { "application/x-www-form-urlencoded", 33 } },
	};
	const struct call_service service = { &cred->conn,
					      "the OAuth token endpoint" };

	call_start(call, &cred->conn);
	buf_put_cstr(&call->target, "/token");
	put_form(&call->request, "client_id", cred->client_id);
	put_form(&call->request, "client_secret", cred->client_secret);
	put_form(&call->request, "grant_type", "refresh_token");
	put_form(&call->request, "refresh_token", cred->refresh_token);
	(void)call_run(call, &service, "POST", fields, 1, until, st);
	buf_reset(&call->request);
	if (st->code == CODE_OK)
		return take_token(cred, json_root(&call->json), st);
	redact(st->message, str_from(cred->client_secret));
	redact(st->message, str_from(cred->refresh_token));
	return st->code;
}

static enum code
fetch_once(struct cred *cred, struct call *call, struct deadline until,
	   struct deadline patience_404, struct status *st)
{
	enum code code = CODE_OK;

	cred_forget(cred);
	switch (cred->type) {
	case CRED_METADATA:
		(void)fetch_from_metadata(cred, call, until, st);
		judge_metadata(cred, patience_404, st);
		code = st->code;
		break;
	case CRED_AUTHORIZED_USER:
		code = fetch_with_refresh_token(cred, call, until, st);
		break;
	}
	buf_wipe(&call->body);
	if (code != CODE_OK)
		cred_forget(cred);
	return code;
}

enum code
cred_fetch(struct cred *cred, struct call *call,
	   const struct retry_listener *listener, struct deadline until,
	   struct status *st)
{
	struct deadline patience =
		deadline_first(until, deadline_in(METADATA_PATIENCE_MS));
	struct deadline patience_404 = deadline_in(METADATA_404_PATIENCE_MS);
	struct retry retry = cred->type == CRED_METADATA
				     ? retry_startup(listener, patience)
				     : retry_calls(listener, until);

	if (cred->expires_at > clock_unix())
		return CODE_OK;
	while (fetch_once(cred, call, until, patience_404, st) != CODE_OK)
		if (!retry_again(&retry, st))
			break;
	if (st->code != CODE_OK && st->code != CODE_CANCELLED)
		status_prefix(st, "no access token (%s)", cred->source);
	return st->code;
}

struct str
cred_token(const struct cred *cred)
{
	return str_from(cred->token);
}

void
cred_forget(struct cred *cred)
{
	wipe(cred->token, sizeof(cred->token));
	cred->expires_at = 0;
}

void
cred_wipe(struct cred *cred)
{
	conn_close(&cred->conn);
	cred_forget(cred);
	wipe(cred->client_secret, sizeof(cred->client_secret));
	wipe(cred->refresh_token, sizeof(cred->refresh_token));
}
