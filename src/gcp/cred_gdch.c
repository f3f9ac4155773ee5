/* Google Distributed Cloud, air-gapped: a key, and a site's own endpoint. */
#include <string.h>

#include "base/format.h"
#include "base/json_write.h"
#include "gcp/cred_file.h"
#include "gcp/cred_key.h"
#include "gcp/cred_types.h"
#include "gcp/hint.h"
#include "sys/opt.h"

/* Members that are not stored as they are. */
struct gdch {
	char format_version[16];
	char project[128];
	char name[128];
	char ca_cert_path[512];
};

static enum code
read_members(const struct cred_file *f, struct gdch *gdch, struct status *st)
{
	static const struct cred_member version[] = {
		CRED_MEMBER("format_version", struct gdch, format_version,
			    true),
	};
	static const struct cred_member own[] = {
		CRED_MEMBER("project", struct gdch, project, true),
		CRED_MEMBER("name", struct gdch, name, true),
		CRED_MEMBER("ca_cert_path", struct gdch, ca_cert_path, false),
	};
	static const struct cred_member shared[] = {
		CRED_MEMBER("private_key_id", struct cred, key_id, true),
		CRED_MEMBER("token_uri", struct cred, token_uri, true),
	};

	if (cred_file_members(f, version, 1, gdch, st) != CODE_OK)
		return st->code;
	if (strcmp(gdch->format_version, "1") != 0)
		return cred_file_refuse(f, "format_version", "is not 1", st);
	if (cred_file_members(f, own, 3, gdch, st) != CODE_OK)
		return st->code;
	return cred_file_members(f, shared, 2, f->cred, st);
}

/* The API that the token is for is not in the file. */
static enum code
take_audience(const struct cred_file *f, struct status *st)
{
	const char *endpoint = f->settings->endpoint;

	if (endpoint == NULL) {
		status_hint(st, "set SECRET_MANAGER_ENDPOINT: its URL is what "
				"the token is for");
		return cred_file_refuse(f, "type",
					"gdch_service_account needs to know "
					"the API's URL",
					st);
	}
	if (!str_copy(str_from(endpoint), f->cred->audience,
		      sizeof(f->cred->audience)))
		return cred_file_refuse(f,
					opt_origin("SECRET_MANAGER_ENDPOINT"),
					"is too long", st);
	return CODE_OK;
}

/* The token endpoint belongs to a site of its own, and so do its roots. */
static enum code
take_site(const struct cred_file *f, const char *ca, struct status *st)
{
	struct cred *cred = f->cred;

	if (url_parse_exact(&cred->url, str_from(cred->token_uri), "token_uri",
			    st) != CODE_OK) {
		status_prefix(st, "credential file %s", f->path);
		return st->code;
	}
	if (!cred->url.tls && !url_is_loopback(&cred->url))
		return cred_file_refuse(f, "token_uri", "must be https", st);
	cred->has_own_trust = true;
	if (ca[0] != '\0')
		return trust_use_file(&cred->own_trust, "ca_cert_path", ca,
				      clock_unix(), f->settings->until, st);
	trust_use_roots(&cred->own_trust, clock_unix());
	return CODE_OK;
}

static enum code
read_gdch(const struct cred_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	struct gdch gdch;

	if (read_members(f, &gdch, st) != CODE_OK ||
	    cred_key_read(f, false, st) != CODE_OK)
		return st->code;
	if (!format_text(cred->issuer, sizeof(cred->issuer),
			 "system:serviceaccount:%s:%s", gdch.project,
			 gdch.name))
		return cred_file_refuse(f, "name", "is too long", st);
	if (take_audience(f, st) != CODE_OK)
		return st->code;
	return take_site(f, gdch.ca_cert_path, st);
}

/* The grant type is spelt so by all of Google's client libraries. */
static bool
write_request(const struct cred *cred, struct str subject, struct buf *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	json_member(&json, "audience", str_from(cred->audience));
	json_member(&json, "grant_type",
		    STR("urn:ietf:params:oauth:token-type:token-exchange"));
	json_member(&json, "requested_token_type",
		    STR("urn:ietf:params:oauth:token-type:access_token"));
	json_member(&json, "subject_token", subject);
	json_member(&json, "subject_token_type",
		    STR("urn:k8s:params:oauth:token-type:serviceaccount"));
	json_close(&json);
	return json_writer_done(&json);
}

static enum code
fetch_gdch(struct cred *cred, struct call *call, struct deadline until,
	   struct token *token, struct status *st)
{
	static const struct http_field fields[] = {
		{ { "Content-Type", 12 }, { "application/json", 16 } },
	};
	const struct call_service service = { &cred->conn,
					      "the GDCH token endpoint",
					      cred->type->hints, false };
	const struct claims claims = { .subject = cred->issuer,
				       .scope = "",
				       .audience = cred->token_uri };
	struct buf subject;

	cred_set_target(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	buf_init(&subject, cred->authorization, sizeof(cred->authorization));
	if (cred_key_sign(cred, &claims, &subject, st) != CODE_OK)
		return st->code;
	if (!write_request(cred, buf_view(&subject), &call->request))
		return status_set(st, CODE_INTERNAL,
				  "the request cannot be built");
	secrets_add(&call->secrets, buf_view(&subject));
	if (call_run(call, &service, "POST", fields, 1, until, st) == CODE_OK)
		(void)token_take(token, call, &service, st);
	buf_wipe(&subject);
	return st->code;
}

static const char GDCH_HINTS[] =
	"invalid_grant\0\0"
	"the site does not take the key: compare project, name and "
	"private_key_id of the credential file, and the clocks\0"
	"token\0\0"
	"SECRET_MANAGER_ENDPOINT must be the URL that the site's API takes "
	"tokens for\0";

const struct cred_type CRED_gdch_service_account = {
	.name = "gdch_service_account",
	.read = read_gdch,
	.fetch = fetch_gdch,
	.hints = GDCH_HINTS,
};
