#include <stdio.h>
#include <string.h>

#include "gcp/adc_member.h"

/* The key is decoded in the memory of the request, and wiped there. */
static enum code
read_key(const struct adc_file *f, struct status *st)
{
	struct json_value value = json_get(f->root, "private_key");
	struct buf *pem = &f->call->request;

	if (json_type(value) == JSON_ABSENT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks private_key",
				  f->path);
	buf_reset(pem);
	if (!json_string(value, pem))
		return adc_refuse(f, "private_key", "is not a usable string",
				  st);
	if (jwt_key_read(&f->cred->key, buf_view(pem), st) != CODE_OK)
		status_prefix(st, "credential file %s", f->path);
	buf_reset(pem);
	return st->code;
}

enum code
adc_read_service_account(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;

	cred->type = CRED_SERVICE_ACCOUNT;
	if (adc_take(f, "client_email", cred->issuer, sizeof(cred->issuer),
		     st) != CODE_OK ||
	    adc_take_optional(f, f->root, "private_key_id", cred->key_id,
			      sizeof(cred->key_id), st) != CODE_OK ||
	    read_key(f, st) != CODE_OK)
		return st->code;
	if (!jwt_key_is_rsa(&cred->key))
		return adc_refuse(f, "private_key", "is no RSA key", st);
	return adc_take_url(f, "token_uri",
			    "https://oauth2.googleapis.com/token",
			    f->settings->oauth2_endpoint, "OAUTH2_ENDPOINT",
			    &cred->url, cred->token_uri,
			    sizeof(cred->token_uri), st);
}

static enum code
check_format_version(const struct adc_file *f, struct status *st)
{
	char version[16];

	if (adc_take(f, "format_version", version, sizeof(version), st) !=
	    CODE_OK)
		return st->code;
	if (strcmp(version, "1") != 0)
		return adc_refuse(f, "format_version", "is not 1", st);
	return CODE_OK;
}

static enum code
read_gdch_members(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char project[128], name[128];
	int len;

	if (check_format_version(f, st) != CODE_OK ||
	    adc_take(f, "project", project, sizeof(project), st) != CODE_OK ||
	    adc_take(f, "name", name, sizeof(name), st) != CODE_OK ||
	    adc_take(f, "private_key_id", cred->key_id, sizeof(cred->key_id),
		     st) != CODE_OK ||
	    adc_take(f, "token_uri", cred->token_uri, sizeof(cred->token_uri),
		     st) != CODE_OK ||
	    read_key(f, st) != CODE_OK)
		return st->code;
	if (jwt_key_is_rsa(&cred->key))
		return adc_refuse(f, "private_key", "is no EC key", st);
	len = snprintf(cred->issuer, sizeof(cred->issuer),
		       "system:serviceaccount:%s:%s", project, name);
	if (len < 0 || (size_t)len >= sizeof(cred->issuer))
		return adc_refuse(f, "name", "is too long", st);
	return CODE_OK;
}

/* The API that the token is for is not in the file. */
static enum code
take_audience(const struct adc_file *f, struct status *st)
{
	const char *endpoint = f->settings->endpoint;

	if (endpoint == NULL) {
		status_hint(st, "set SECRET_MANAGER_ENDPOINT: its URL is what "
				"the token is for");
		return adc_refuse(f, "type",
				  "gdch_service_account needs to know the "
				  "API's URL",
				  st);
	}
	if (!str_copy(str_from(endpoint), f->cred->audience,
		      sizeof(f->cred->audience)))
		return adc_refuse(f, "SECRET_MANAGER_ENDPOINT", "is too long",
				  st);
	return CODE_OK;
}

/* The token endpoint belongs to a site of its own, and so do its roots. */
enum code
adc_read_gdch(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char ca[512];

	cred->type = CRED_GDCH;
	if (read_gdch_members(f, st) != CODE_OK ||
	    take_audience(f, st) != CODE_OK ||
	    adc_take_optional(f, f->root, "ca_cert_path", ca, sizeof(ca), st) !=
		    CODE_OK ||
	    url_parse_exact(&cred->url, str_from(cred->token_uri), "token_uri",
			    st) != CODE_OK)
		return st->code;
	if (!cred->url.tls && !url_is_loopback(&cred->url))
		return adc_refuse(f, "token_uri", "must be https", st);
	if (ca[0] != '\0')
		return trust_use_file(&cred->own_trust, ca, clock_unix(), st);
	trust_use_roots(&cred->own_trust, clock_unix());
	return CODE_OK;
}
