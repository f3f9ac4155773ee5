#include "base/json_write.h"
#include "base/redact.h"
#include "gcp/cred_source.h"
#include "sys/clock.h"

/* Signed a little in the past, for clocks that differ. */
#define BACKDATE_S 10
#define LIFE_S 3600

/* One claim set (RFC 7519 section 4.1); "" leaves a claim out. */
struct claims {
	const char *subject;
	const char *scope;
	const char *audience;
};

static void
claim(struct json_builder *json, const char *name, const char *value)
{
	if (value[0] != '\0')
		json_member(json, name, str_from(value));
}

/* Appends the signed token to `out`. */
static enum code
sign(const struct cred *cred, const struct claims *claims, struct buf *out,
     struct status *st)
{
	uint64_t now = (uint64_t)(clock_unix() > 0 ? clock_unix() : 0);
	struct json_builder json;
	char memory[2048];
	struct buf text;

	now -= now < BACKDATE_S ? now : BACKDATE_S;
	buf_init(&text, memory, sizeof(memory));
	json_build(&json, &text);
	json_open_object(&json);
	claim(&json, "aud", claims->audience);
	json_key(&json, "exp");
	json_put_uint(&json, now + LIFE_S);
	json_key(&json, "iat");
	json_put_uint(&json, now);
	claim(&json, "iss", cred->issuer);
	claim(&json, "scope", claims->scope);
	claim(&json, "sub", claims->subject);
	json_close(&json);
	if (!json_built(&json))
		return status_set(st, CODE_INTERNAL, "the claims do not fit");
	return jwt_sign(&cred->key, cred->key_id, buf_view(&text), out, st);
}

/* A bearer token without asking anybody (AIP-4111). */
static enum code
self_sign(struct cred *cred, struct status *st)
{
	const struct claims claims = { .subject = cred->issuer,
				       .scope = CLOUD_PLATFORM,
				       .audience = "" };
	struct buf out;

	buf_init(&out, cred->next, sizeof(cred->next) - 1);
	if (sign(cred, &claims, &out, st) == CODE_OK) {
		cred->next[out.len] = '\0';
		cred_commit_token(cred, LIFE_S - BACKDATE_S);
	}
	wipe(cred->next, sizeof(cred->next));
	return st->code;
}

/* The JWT bearer grant (RFC 7523 section 2.1). */
static enum code
exchange(struct cred *cred, struct call *call, struct deadline until,
	 struct status *st)
{
	const struct claims claims = { .subject = "",
				       .scope = CLOUD_PLATFORM,
				       .audience = cred->token_uri };
	struct buf *form = &call->request;

	cred_aim(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	buf_put_cstr(form, "assertion=");
	/* Base64url and dots need no encoding. */
	if (sign(cred, &claims, form, st) != CODE_OK)
		return st->code;
	cred_put_form(form, "grant_type",
		      STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	return cred_post_form(cred, call, "the OAuth token endpoint", false,
			      until, st);
}

enum code
cred_from_key(struct cred *cred, struct call *call, struct deadline until,
	      struct status *st)
{
	if (cred->impersonation_count == 0)
		return self_sign(cred, st);
	return exchange(cred, call, until, st);
}

/* The grant type is spelt so by all of Google's client libraries. */
static bool
write_gdch(const struct cred *cred, struct str token, struct buf *out)
{
	struct json_builder json;

	json_build(&json, out);
	json_open_object(&json);
	json_member(&json, "audience", str_from(cred->audience));
	json_member(&json, "grant_type",
		    STR("urn:ietf:params:oauth:token-type:token-exchange"));
	json_member(&json, "requested_token_type",
		    STR("urn:ietf:params:oauth:token-type:access_token"));
	json_member(&json, "subject_token", token);
	json_member(&json, "subject_token_type",
		    STR("urn:k8s:params:oauth:token-type:serviceaccount"));
	json_close(&json);
	return json_built(&json);
}

enum code
cred_from_gdch(struct cred *cred, struct call *call, struct deadline until,
	       struct status *st)
{
	static const struct http_field fields[] = {
		{ { "Content-Type", 12 }, { "application/json", 16 } },
	};
	const struct call_service service = { &cred->conn,
					      "the GDCH token endpoint" };
	const struct claims claims = { .subject = cred->issuer,
				       .scope = "",
				       .audience = cred->token_uri };
	struct buf token;

	cred_aim(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	buf_init(&token, cred->authorization, sizeof(cred->authorization));
	if (sign(cred, &claims, &token, st) != CODE_OK)
		return st->code;
	if (!write_gdch(cred, buf_view(&token), &call->request))
		return status_set(st, CODE_INTERNAL,
				  "the request cannot be built");
	(void)call_run(call, &service, "POST", fields, 1, until, st);
	redact_status(st, buf_view(&token));
	buf_wipe(&token);
	if (st->code != CODE_OK)
		return st->code;
	return cred_take_token(cred, json_root(&call->json), st);
}
