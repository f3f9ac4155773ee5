#include "gcp/cred.h"

#include <string.h>

#include "base/codec.h"
#include "base/redact.h"
#include "gcp/adc.h"
#include "gcp/cred_source.h"

/* A new pod's metadata server is up within 5 to 10 s, nearly always. */
#define METADATA_GRACE_MS 30000
/* A 404 may also mean that there is no service account at all. */
#define METADATA_404_GRACE_MS 5000

/* A token with less life than this is not worth using, in seconds. */
#define TOKEN_LIFE_MIN 10
/* Assumed where the reply names no life (RFC 6749 section 5.1). */
#define TOKEN_LIFE_UNKNOWN 300
/* Longer lives are not believed. */
#define TOKEN_LIFE_MAX 86400

const struct conn_limits CRED_LIMITS = {
	.dial = { .resolve_ms = 10000, .connect_ms = 5000 },
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
	if (adc_find(cred, settings, call, st) != CODE_OK ||
	    cred_read_pipe(cred, settings->until, st) != CODE_OK)
		return st->code;
	if (settings->quota_project != NULL &&
	    !str_copy(str_from(settings->quota_project), cred->quota_project,
		      sizeof(cred->quota_project)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "GOOGLE_CLOUD_QUOTA_PROJECT is too long");
	return check_quota_project(cred, settings->quota_project != NULL, st);
}

const char *
cred_reread(const struct cred *cred)
{
	const struct cred_subject *subject = &cred->subject;

	return subject->path[0] != '\0' && subject->kept.ptr == NULL
		       ? subject->path
		       : NULL;
}

void
cred_connect(struct cred *cred, const struct trust *trust,
	     const struct resolver_config *resolver, const struct proxy *proxy)
{
	cred->proxy = proxy;
	cred->trust = cred->type == CRED_GDCH ? &cred->own_trust : trust;
	cred->resolver = resolver;
	conn_init(&cred->conn, &cred->url, cred->trust, resolver, &CRED_LIMITS);
	conn_use_proxy(&cred->conn, proxy);
}

void
cred_aim(struct cred *cred, const struct url *url,
	 const struct conn_limits *limits)
{
	struct conn *beside = cred->conn.beside;

	if (cred->conn.url == url && cred->conn.limits == limits)
		return;
	conn_close(&cred->conn);
	conn_init(&cred->conn, url, cred->trust, cred->resolver, limits);
	conn_use_proxy(&cred->conn, cred->proxy);
	cred->conn.beside = beside;
}

void
cred_put_form(struct buf *out, const char *name, struct str value)
{
	if (out->len > 0)
		buf_put_char(out, '&');
	buf_put_cstr(out, name);
	buf_put_char(out, '=');
	percent_encode(out, value);
}

/* "Basic " and the base64 of "ID:SECRET" (RFC 7617). */
static struct str
put_basic(struct cred *cred)
{
	char memory[sizeof(cred->client_id) + sizeof(cred->client_secret)];
	struct buf pair, out;

	buf_init(&pair, memory, sizeof(memory));
	buf_put_cstr(&pair, cred->client_id);
	buf_put_char(&pair, ':');
	buf_put_cstr(&pair, cred->client_secret);
	buf_init(&out, cred->authorization, sizeof(cred->authorization));
	buf_put_cstr(&out, "Basic ");
	base64_encode(&out, pair.ptr, pair.len);
	buf_wipe(&pair);
	return buf_view(&out);
}

/* The server saw all of the form and may quote it, with or without encoding. */
static void
redact_form(struct buf *form, struct status *st)
{
	struct buf plain;

	buf_init(&plain, form->ptr, form->len);
	if (st->code != CODE_OK && percent_decode(&plain, buf_view(form)))
		redact_status(st, buf_view(&plain));
	buf_reset(form);
}

enum code
cred_post_form(struct cred *cred, struct call *call, const char *name,
	       bool basic, struct deadline until, struct status *st)
{
	const struct call_service service = { &cred->conn, name };
	struct http_field fields[] = {
		{ STR("Content-Type"),
		  STR("application/x-www-form-urlencoded") },
		{ STR("Authorization"), STR("") },
	};

	if (basic)
		fields[1].value = put_basic(cred);
	(void)call_run(call, &service, "POST", fields, basic ? 2 : 1, until,
		       st);
	redact_form(&call->request, st);
	redact_status(st, str_from(cred->client_secret));
	redact_status(st, str_skip(fields[1].value, sizeof("Basic ") - 1));
	wipe(cred->authorization, sizeof(cred->authorization));
	if (st->code != CODE_OK)
		return st->code;
	return cred_take_token(cred, json_root(&call->json), st);
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

enum code
cred_set_token(struct cred *cred, struct json_value token, int64_t life_s,
	       struct status *st)
{
	if (!json_cstr(token, cred->next, sizeof(cred->next)) ||
	    !is_token(cred->next))
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the reply holds no usable access_token");
	else if (life_s < TOKEN_LIFE_MIN)
		(void)status_set(st, CODE_UNAVAILABLE,
				 "the token expires in %lld s",
				 (long long)life_s);
	else
		cred_commit_token(cred, life_s);
	wipe(cred->next, sizeof(cred->next));
	return st->code;
}

void
cred_commit_token(struct cred *cred, int64_t life_s)
{
	memcpy(cred->token, cred->next, sizeof(cred->token));
	cred->expires_at = clock_unix() +
			   (life_s < TOKEN_LIFE_MAX ? life_s : TOKEN_LIFE_MAX);
}

enum code
cred_take_token(struct cred *cred, struct json_value root, struct status *st)
{
	struct json_value life = json_get(root, "expires_in");
	uint64_t seconds = TOKEN_LIFE_UNKNOWN;

	if (json_type(life) != JSON_ABSENT && !json_uint(life, &seconds))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply's expires_in is no whole number");
	if (seconds > TOKEN_LIFE_MAX)
		seconds = TOKEN_LIFE_MAX;
	return cred_set_token(cred, json_get(root, "access_token"),
			      (int64_t)seconds, st);
}

static enum code
fetch_once(struct cred *cred, struct call *call, struct deadline until,
	   struct deadline grace_404, struct status *st)
{
	switch (cred->type) {
	case CRED_METADATA:
		return cred_from_metadata(cred, call, grace_404, until, st);
	case CRED_AUTHORIZED_USER:
	case CRED_EXTERNAL_USER:
		return cred_from_refresh(cred, call, until, st);
	case CRED_SERVICE_ACCOUNT:
		return cred_from_key(cred, call, until, st);
	case CRED_EXTERNAL_ACCOUNT:
		return cred_from_external(cred, call, until, st);
	case CRED_GDCH:
		return cred_from_gdch(cred, call, until, st);
	}
	return status_set(st, CODE_INTERNAL, "no such type of credentials");
}

/* The first token, of the account that the credentials name. */
static enum code
fetch_source(struct cred *cred, struct call *call,
	     const struct retry_listener *listener, struct deadline until,
	     struct status *st)
{
	struct deadline grace_404 = deadline_in(METADATA_404_GRACE_MS);
	struct retry retry =
		cred->type == CRED_METADATA
			? retry_startup(listener, METADATA_GRACE_MS, until)
			: retry_calls(listener, until);

	for (;;) {
		(void)fetch_once(cred, call, until, grace_404, st);
		buf_wipe(&call->body);
		buf_wipe(&call->head);
		if (st->code == CODE_OK)
			return CODE_OK;
		cred_forget(cred);
		if (!retry_again(&retry, st))
			return st->code;
	}
}

/* From one account to the next; the token of the last one stays. */
static enum code
fetch_impersonated(struct cred *cred, struct call *call,
		   const struct cred_impersonation *who,
		   const struct retry_listener *listener, struct deadline until,
		   struct status *st)
{
	struct retry retry = retry_calls(listener, until);

	while (cred_impersonate(cred, call, who, until, st) != CODE_OK)
		if (!retry_again(&retry, st))
			break;
	buf_wipe(&call->body);
	return st->code;
}

enum code
cred_fetch(struct cred *cred, struct call *call,
	   const struct retry_listener *listener, struct deadline until,
	   struct status *st)
{
	if (cred->expires_at > clock_unix())
		return CODE_OK;
	cred_forget(cred);
	(void)fetch_source(cred, call, listener, until, st);
	for (size_t i = 0; i < cred->impersonation_count && st->code == CODE_OK;
	     i++)
		(void)fetch_impersonated(cred, call, &cred->impersonation[i],
					 listener, until, st);
	if (st->code == CODE_OK)
		return CODE_OK;
	cred_forget(cred);
	if (st->code != CODE_CANCELLED)
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
	wipe(cred->authorization, sizeof(cred->authorization));
	wipe(cred->client_secret, sizeof(cred->client_secret));
	wipe(cred->refresh_token, sizeof(cred->refresh_token));
	wipe(&cred->key, sizeof(cred->key));
	wipe(cred->next, sizeof(cred->next));
	wipe(cred->subject.query, sizeof(cred->subject.query));
	wipe(cred->subject.header_memory, sizeof(cred->subject.header_memory));
	if (cred->subject.kept.ptr != NULL)
		buf_wipe(&cred->subject.kept);
}
