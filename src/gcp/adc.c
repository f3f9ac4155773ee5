#include "gcp/adc.h"

#include <stdio.h>
#include <string.h>

#include "gcp/adc_file.h"
#include "gcp/adc_impersonate.h"
#include "sys/file.h"

#define GCLOUD_FILE "application_default_credentials.json"
#define METADATA_HOST "169.254.169.254"
#define METADATA_HOST6 "[fd20:ce::254]"

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
	(void)adc_file_read(cred, settings, call, path, st);
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
	if (!str_copy(str_from(settings->universe != NULL ? settings->universe
							  : "googleapis.com"),
		      cred->universe, sizeof(cred->universe)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "GOOGLE_CLOUD_UNIVERSE_DOMAIN is too long");
	if (url_from_host(&cred->url, str_from(host), 80, "GCE_METADATA_HOST",
			  st) != CODE_OK)
		return st->code;
	cred->in_kubernetes = settings->in_kubernetes;
	cred->has_url6 = settings->metadata_host == NULL;
	if (cred->has_url6 &&
	    url_from_host(&cred->url6, STR(METADATA_HOST6), 80,
			  "GCE_METADATA_HOST", st) != CODE_OK)
		return st->code;
	(void)snprintf(cred->source, sizeof(cred->source), "metadata server %s",
		       cred->url.authority);
	return CODE_OK;
}

/* The first place that has credentials. */
static enum code
search(struct cred *cred, const struct cred_settings *settings,
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

enum code
adc_find(struct cred *cred, const struct cred_settings *settings,
	 struct call *call, struct status *st)
{
	if (search(cred, settings, call, st) != CODE_OK ||
	    settings->impersonate == NULL)
		return st->code;
	return adc_impersonate(cred, settings, st);
}
