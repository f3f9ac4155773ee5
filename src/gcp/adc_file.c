#include "gcp/adc_file.h"

#include <stdio.h>
#include <string.h>

#include "base/json_walk.h"
#include "gcp/adc_member.h"
#include "gcp/adc_url.h"

/* What a refresh grant needs. */
static enum code
take_refresh(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;

	if (adc_take(f, "client_id", cred->client_id, sizeof(cred->client_id),
		     st) != CODE_OK ||
	    adc_take(f, "client_secret", cred->client_secret,
		     sizeof(cred->client_secret), st) != CODE_OK ||
	    adc_take(f, "refresh_token", cred->refresh_token,
		     sizeof(cred->refresh_token), st) != CODE_OK)
		return st->code;
	return CODE_OK;
}

static enum code
read_authorized_user(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;

	cred->type = CRED_AUTHORIZED_USER;
	if (take_refresh(f, st) != CODE_OK)
		return st->code;
	/* As in Go, the file's own token_uri counts for nothing. */
	if (adc_url_read(&cred->url, STR("https://oauth2.googleapis.com/token"),
			 "token_uri", "googleapis.com", st) != CODE_OK)
		return st->code;
	return adc_url_move(&cred->url, f->settings->oauth2_endpoint,
			    "OAUTH2_ENDPOINT", st);
}

static enum code
read_external_user(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char text[512], fallback[256];

	cred->type = CRED_EXTERNAL_USER;
	(void)snprintf(fallback, sizeof(fallback),
		       "https://sts.%s/v1/oauthtoken", cred->universe);
	if (take_refresh(f, st) != CODE_OK)
		return st->code;
	return adc_take_url(f, "token_url", fallback, f->settings->sts_endpoint,
			    "STS_ENDPOINT", &cred->url, text, sizeof(text), st);
}

static const struct {
	const char *name;
	enum code (*read)(const struct adc_file *f, struct status *st);
} TYPES[] = {
	{ "authorized_user", read_authorized_user },
	{ "service_account", adc_read_service_account },
	{ "external_account", adc_read_external_account },
	{ "external_account_authorized_user", read_external_user },
	{ "gdch_service_account", adc_read_gdch },
};

static enum code
read_type(const struct adc_file *f, char type[static 64], struct status *st)
{
	if (json_type(json_get(f->root, "type")) == JSON_ABSENT) {
		status_hint(st, "an OAuth client file is not a credential: "
				"run gcloud auth application-default login");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks type", f->path);
	}
	if (!json_cstr(json_get(f->root, "type"), type, 64))
		type[0] = '\0';
	return CODE_OK;
}

static enum code
read_known(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char type[64];

	if (read_type(f, type, st) != CODE_OK)
		return st->code;
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if (strcmp(type, TYPES[i].name) == 0) {
			(void)snprintf(cred->source, sizeof(cred->source),
				       "%s, %s", TYPES[i].name, f->path);
			return TYPES[i].read(f, st);
		}
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "credential file %s: unknown type of credentials",
			  f->path);
}

/* Credentials inside credentials, one level deep, then who to become. */
static enum code
read_impersonated(const struct adc_file *f, struct status *st)
{
	struct adc_file inner = *f;

	inner.root = json_get(f->root, "source_credentials");
	if (json_type(inner.root) != JSON_OBJECT)
		return adc_refuse(f, "source_credentials",
				  "is missing or no object", st);
	if (json_type(json_get(f->root, "service_account_impersonation_url")) !=
	    JSON_STRING)
		return adc_refuse(f, "service_account_impersonation_url",
				  "is missing or no string", st);
	if (read_known(&inner, st) != CODE_OK)
		return st->code;
	(void)snprintf(f->cred->source, sizeof(f->cred->source),
		       "impersonated_service_account, %s", f->path);
	return adc_read_impersonation(f, json_get(f->root, "delegates"), st);
}

/* Whether it can be shown: nobody put a secret where a domain belongs. */
static bool
is_domain(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") ==
		       strlen(text) &&
	       strchr(text, '.') != NULL;
}

/* One universe's token must never go to another one. */
static enum code
read_universe(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	const char *configured = f->settings->universe != NULL
					 ? f->settings->universe
					 : "googleapis.com";

	if (adc_take_optional(f, f->root, "universe_domain", cred->universe,
			      sizeof(cred->universe), st) != CODE_OK)
		return st->code;
	if (cred->universe[0] == '\0')
		(void)snprintf(cred->universe, sizeof(cred->universe),
			       "googleapis.com");
	if (strcmp(cred->universe, configured) == 0)
		return CODE_OK;
	status_hint(st, "set GOOGLE_CLOUD_UNIVERSE_DOMAIN if that is meant");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "credential file %s is for the universe domain %s, "
			  "configured is %s",
			  f->path,
			  is_domain(cred->universe) ? cred->universe
						    : "(no domain, not shown)",
			  configured);
}

enum code
adc_file_read(struct cred *cred, const struct cred_settings *settings,
	      struct call *call, const char *path, struct status *st)
{
	struct adc_file f = { cred, settings, call, path, { NULL, 0 } };
	char type[64];

	if (json_parse(&call->json, str_trim(buf_view(&call->body)),
		       &call->tokens, st) != CODE_OK) {
		status_prefix(st, "credential file %s is not JSON", path);
		return st->code;
	}
	f.root = json_root(&call->json);
	if (json_type(f.root) != JSON_OBJECT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s holds %s, not an object",
				  path, json_type_name(json_type(f.root)));
	if (read_type(&f, type, st) != CODE_OK ||
	    read_universe(&f, st) != CODE_OK ||
	    adc_take_optional(&f, f.root, "quota_project_id",
			      cred->quota_project, sizeof(cred->quota_project),
			      st) != CODE_OK)
		return st->code;
	if (strcmp(type, "impersonated_service_account") == 0)
		return read_impersonated(&f, st);
	return read_known(&f, st);
}
