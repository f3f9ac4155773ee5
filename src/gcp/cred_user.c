/*
 * User credentials: a refresh token, of Google's or of a workforce pool's
 * users.
 */

#include "base/format.h"
#include "gcp/cred_file.h"
#include "gcp/cred_types.h"
#include "gcp/cred_url.h"
#include "gcp/hint.h"

static enum code
read_members(const struct cred_file *f, struct status *st)
{
	static const struct cred_member members[] = {
		CRED_MEMBER("client_id", struct cred, client_id, true),
		CRED_MEMBER("client_secret", struct cred, client_secret, true),
		CRED_MEMBER("refresh_token", struct cred, refresh_token, true),
	};

	return cred_file_members(f, members,
				 sizeof(members) / sizeof(members[0]), f->cred,
				 st);
}

static enum code
read_google(const struct cred_file *f, struct status *st)
{
	struct url *url = &f->cred->url;

	if (read_members(f, st) != CODE_OK)
		return st->code;
	/* As in Go, token_uri of the file is ignored. */
	if (cred_url_read(url, STR("https://oauth2.googleapis.com/token"),
			  "token_uri", "googleapis.com", st) != CODE_OK)
		return st->code;
	return cred_url_move(url, f->settings->oauth2_endpoint,
			     "OAUTH2_ENDPOINT", st);
}

static enum code
read_workforce(const struct cred_file *f, struct status *st)
{
	char text[512], fallback[256];

	(void)format_text(fallback, sizeof(fallback),
			  "https://sts.%s/v1/oauthtoken", f->cred->universe);
	if (read_members(f, st) != CODE_OK)
		return st->code;
	return cred_file_url(f, "token_url", fallback,
			     f->settings->sts_endpoint, "STS_ENDPOINT",
			     &f->cred->url, text, sizeof(text), st);
}

/* The refresh token grant (RFC 6749 section 6). */
static enum code
refresh(struct cred *cred, struct call *call, const char *name, bool basic,
	struct deadline until, struct token *token, struct status *st)
{
	struct buf *form = &call->request;

	cred_set_target(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (!basic) {
		cred_put_form(form, "client_id", str_from(cred->client_id));
		cred_put_form(form, "client_secret",
			      str_from(cred->client_secret));
	}
	cred_put_form(form, "grant_type", STR("refresh_token"));
	cred_put_secret(call, "refresh_token", str_from(cred->refresh_token));
	return cred_post_form(cred, call, name, basic, until, token, st);
}

static enum code
fetch_google(struct cred *cred, struct call *call, struct deadline until,
	     struct token *token, struct status *st)
{
	return refresh(cred, call, "the OAuth token endpoint", false, until,
		       token, st);
}

static enum code
fetch_workforce(struct cred *cred, struct call *call, struct deadline until,
		struct token *token, struct status *st)
{
	return refresh(cred, call, "the Security Token Service", true, until,
		       token, st);
}

static const char USER_HINTS[] =
	"invalid_grant\0\0"
	"the refresh token has expired or was revoked: run gcloud auth "
	"application-default login\0"
	"invalid_rapt\0\0"
	"the organization asks for a fresh login: run gcloud auth "
	"application-default login\0"
	"unauthorized_client|deleted_client|invalid_client\0\0"
	"the OAuth client of the credential file was deleted, or client_id or "
	"client_secret is wrong: run gcloud auth application-default login\0"
	"token\0\0"
	"the account may be suspended or deleted: run gcloud auth "
	"application-default login\0";

const struct cred_type CRED_authorized_user = {
	.name = "authorized_user",
	.read = read_google,
	.fetch = fetch_google,
	.hints = USER_HINTS,
};

static const char WORKFORCE_HINTS[] =
	"invalid_grant|invalid_client|token\0\0"
	"the login has expired, or the file is damaged: run gcloud auth "
	"application-default login --login-config=FILE\0"
	"invalid_target|unauthorized_client\0\0"
	"the workforce pool or its provider was deleted or disabled, or "
	"refuses this user\0";

const struct cred_type CRED_external_account_authorized_user = {
	.name = "external_account_authorized_user",
	.read = read_workforce,
	.fetch = fetch_workforce,
	.hints = WORKFORCE_HINTS,
};
