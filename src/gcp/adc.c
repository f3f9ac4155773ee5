#include "gcp/adc.h"

#include <stdio.h>
#include <string.h>

#include "sys/file.h"

#define GCLOUD_FILE "application_default_credentials.json"
#define METADATA_HOST "169.254.169.254"
#define OAUTH2_ENDPOINT "https://oauth2.googleapis.com"

/* The kinds that client libraries know and this program does not (yet). */
static const char *const OTHER_TYPES[] = {
	"service_account",
	"external_account",
	"external_account_authorized_user",
	"impersonated_service_account",
	"gdch_service_account",
};

/* One member that a file must have. */
static enum code
take_member(struct json_value root, const char *name, const char *path,
	    char *out, size_t size, struct status *st)
{
	struct json_value value = json_get(root, name);

	if (json_type(value) == JSON_ABSENT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks %s", path, name);
	if (!json_cstr(value, out, size) || out[0] == '\0')
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s: %s is not a usable "
				  "string",
				  path, name);
	return CODE_OK;
}

static enum code
read_authorized_user(struct cred *cred, const struct cred_settings *settings,
		     struct json_value root, const char *path,
		     struct status *st)
{
	const char *endpoint = settings->oauth2_endpoint != NULL
				       ? settings->oauth2_endpoint
				       : OAUTH2_ENDPOINT;

	cred->type = CRED_AUTHORIZED_USER;
	(void)snprintf(cred->source, sizeof(cred->source),
		       "authorized_user, %s", path);
	if (take_member(root, "client_id", path, cred->client_id,
			sizeof(cred->client_id), st) != CODE_OK ||
	    take_member(root, "client_secret", path, cred->client_secret,
			sizeof(cred->client_secret), st) != CODE_OK ||
	    take_member(root, "refresh_token", path, cred->refresh_token,
			sizeof(cred->refresh_token), st) != CODE_OK)
		return st->code;
	if (url_parse(&cred->url, str_from(endpoint), "OAUTH2_ENDPOINT", st) !=
	    CODE_OK)
		return st->code;
	if (!cred->url.tls && !url_is_loopback(&cred->url))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "OAUTH2_ENDPOINT must be https, or http on "
				  "the loopback");
	return CODE_OK;
}

static enum code
refuse_type(const char *type, const char *path, struct status *st)
{
	for (size_t i = 0; i < sizeof(OTHER_TYPES) / sizeof(OTHER_TYPES[0]);
	     i++)
		if (strcmp(type, OTHER_TYPES[i]) == 0) {
			status_hint(st, "use the metadata server (Workload "
					"Identity) or gcloud auth "
					"application-default login");
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "credential file %s: credentials of "
					  "type %s are not supported",
					  path, OTHER_TYPES[i]);
		}
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "credential file %s: unknown type of credentials",
			  path);
}

static enum code
read_content(struct cred *cred, const struct cred_settings *settings,
	     struct call *call, const char *path, struct status *st)
{
	char type[64] = "";
	struct json_value root;

	if (json_parse(&call->json, str_trim(buf_view(&call->body)),
		       &call->tokens, st) != CODE_OK) {
		status_prefix(st, "credential file %s is not JSON", path);
		return st->code;
	}
	root = json_root(&call->json);
	if (json_type(root) != JSON_OBJECT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s holds %s, not an object",
				  path, json_type_name(json_type(root)));
	if (json_type(json_get(root, "type")) == JSON_ABSENT) {
		status_hint(st, "an OAuth client file is not a credential: "
				"run gcloud auth application-default login");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks type", path);
	}
	if (!json_cstr(json_get(root, "type"), type, sizeof(type)))
		type[0] = '\0';
	if (strcmp(type, "authorized_user") != 0)
		return refuse_type(type, path, st);
	if (json_type(json_get(root, "quota_project_id")) == JSON_STRING &&
	    take_member(root, "quota_project_id", path, cred->quota_project,
			sizeof(cred->quota_project), st) != CODE_OK)
		return st->code;
	return read_authorized_user(cred, settings, root, path, st);
}

/* Reads the file that was named, or found: then it may be missing. */
static enum code
read_file(struct cred *cred, const struct cred_settings *settings,
	  struct call *call, const char *path, bool named, bool *found,
	  struct status *st)
{
	struct status unread = { .code = CODE_OK };

	*found = false;
	buf_reset(&call->body);
	if (file_read(path,
		      named ? "GOOGLE_APPLICATION_CREDENTIALS"
			    : "gcloud's credential file",
		      settings->until, &call->body, &unread) != CODE_OK) {
		bool waited = unread.code == CODE_CANCELLED ||
			      unread.code == CODE_DEADLINE_EXCEEDED;

		if (!named && !waited)
			return CODE_OK;
		if (!waited)
			unread.code = CODE_INVALID_ARGUMENT;
		*st = unread;
		return st->code;
	}
	*found = true;
	(void)read_content(cred, settings, call, path, st);
	buf_wipe(&call->body);
	return st->code;
}

/* $CLOUDSDK_CONFIG/FILE, else $HOME/.config/gcloud/FILE; false if neither. */
static bool
gcloud_path(const struct cred_settings *settings, char *out, size_t size)
{
	int len = -1;

	if (settings->gcloud_folder != NULL)
		len = snprintf(out, size, "%s/" GCLOUD_FILE,
			       settings->gcloud_folder);
	else if (settings->home != NULL)
		len = snprintf(out, size, "%s/.config/gcloud/" GCLOUD_FILE,
			       settings->home);
	return len > 0 && (size_t)len < size;
}

static enum code
use_metadata(struct cred *cred, const struct cred_settings *settings,
	     struct status *st)
{
	const char *host = settings->metadata_host != NULL
				   ? settings->metadata_host
				   : METADATA_HOST;

	if (settings->no_metadata) {
		status_hint(st, "run gcloud auth application-default login, "
				"or set GOOGLE_APPLICATION_CREDENTIALS");
		return status_set(st, CODE_UNAUTHENTICATED,
				  "could not find default credentials, and "
				  "NO_GCE_CHECK rules out the metadata server");
	}
	cred->type = CRED_METADATA;
	if (url_from_host(&cred->url, str_from(host), "GCE_METADATA_HOST",
			  st) != CODE_OK)
		return st->code;
	(void)snprintf(cred->source, sizeof(cred->source), "metadata server %s",
		       cred->url.authority);
	return CODE_OK;
}

enum code
adc_find(struct cred *cred, const struct cred_settings *settings,
	 struct call *call, struct status *st)
{
	char path[512];
	bool found = false;

	if (settings->file != NULL)
		return read_file(cred, settings, call, settings->file, true,
				 &found, st);
	if (gcloud_path(settings, path, sizeof(path)) &&
	    read_file(cred, settings, call, path, false, &found, st) != CODE_OK)
		return st->code;
	if (found)
		return CODE_OK;
	return use_metadata(cred, settings, st);
}
