/* A service account's own key, which signs its tokens. */
#include "gcp/cred_file.h"
#include "gcp/cred_key.h"
#include "gcp/cred_types.h"
#include "gcp/hint.h"
#include "sys/clock.h"

static enum code
read_service_account(const struct cred_file *f, struct status *st)
{
	static const struct cred_member members[] = {
		CRED_MEMBER("client_email", struct cred, issuer, true),
		CRED_MEMBER("private_key_id", struct cred, key_id, false),
	};
	struct cred *cred = f->cred;

	if (cred_file_members(f, members, sizeof(members) / sizeof(members[0]),
			      cred, st) != CODE_OK ||
	    cred_key_read(f, true, st) != CODE_OK)
		return st->code;
	return cred_file_url(f, "token_uri",
			     "https://oauth2.googleapis.com/token",
			     f->settings->oauth2_endpoint, "OAUTH2_ENDPOINT",
			     &cred->url, cred->token_uri,
			     sizeof(cred->token_uri), st);
}

/* A bearer token without asking anybody (AIP-4111). */
static enum code
sign_own(const struct cred *cred, struct token *token, struct status *st)
{
	const struct claims claims = { .subject = cred->issuer,
				       .scope = CLOUD_PLATFORM,
				       .audience = "" };
	struct buf out;

	buf_init(&out, token->text, sizeof(token->text) - 1);
	if (cred_key_sign(cred, &claims, &out, st) != CODE_OK)
		return st->code;
	token->text[out.len] = '\0';
	token->expires_at =
		clock_unix() - CRED_KEY_BACKDATE_S + CRED_KEY_LIFE_S;
	return CODE_OK;
}

/* The JWT bearer grant (RFC 7523 section 2.1). */
static enum code
exchange(struct cred *cred, struct call *call, struct deadline until,
	 struct token *token, struct status *st)
{
	const struct claims claims = { .subject = "",
				       .scope = CLOUD_PLATFORM,
				       .audience = cred->token_uri };
	struct buf *form = &call->request;

	cred_set_target(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	buf_put_cstr(form, "assertion=");
	/* Base64url and dots need no encoding. */
	if (cred_key_sign(cred, &claims, form, st) != CODE_OK)
		return st->code;
	secrets_add(&call->secrets,
		    str_skip(buf_view(form), sizeof("assertion=") - 1));
	cred_put_form(form, "grant_type",
		      STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	return cred_post_form(cred, call, "the OAuth token endpoint", false,
			      until, token, st);
}

/* To impersonate another account the IAM Credentials API wants a real one. */
static enum code
fetch_service_account(struct cred *cred, struct call *call,
		      struct deadline until, struct token *token,
		      struct status *st)
{
	if (cred->impersonation_count == 0)
		return sign_own(cred, token, st);
	return exchange(cred, call, until, token, st);
}

static const char SERVICE_ACCOUNT_HINTS[] =
	"invalid_grant\0timeframe\0"
	"set the clock here (NTP)\0"
	"invalid_grant|deleted_client\0not found|deleted\0"
	"the service account was deleted: use a key of another one\0"
	"invalid_grant\0disabled\0"
	"gcloud iam service-accounts enable EMAIL\0"
	"invalid_grant|token\0\0"
	"the key or its service account was deleted or disabled (gcloud iam "
	"service-accounts keys list --iam-account=EMAIL), or the clock here "
	"is wrong\0";

const struct cred_type CRED_service_account = {
	.name = "service_account",
	.read = read_service_account,
	.fetch = fetch_service_account,
	.hints = SERVICE_ACCOUNT_HINTS,
};
