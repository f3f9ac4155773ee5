#include "gcp/adc.h"

#include <string.h>

#include "base/format.h"
#include "base/json_walk.h"
#include "base/redact.h"
#include "gcp/cred_impersonate.h"
#include "gcp/cred_metadata.h"
#include "gcp/cred_types.h"
#include "sys/file.h"
#include "sys/opt.h"

#define GCLOUD_FILE "application_default_credentials.json"

#define IS_USED "is used"

#define ROW(name) &CRED_##name,
static const struct cred_type *const TYPES[] = { CRED_TYPES(ROW) };
#undef ROW

#define NAME(name) #name ", "
static const char NAMES[] = CRED_TYPES(NAME) "impersonated_service_account";
#undef NAME

static enum code
read_type(const struct cred_file *f, char type[static 64], struct status *st)
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
read_by_type(const struct cred_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char type[64];

	if (read_type(f, type, st) != CODE_OK)
		return st->code;
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if (strcmp(type, TYPES[i]->name) == 0) {
			cred->type = TYPES[i];
			(void)format_text(cred->source, sizeof(cred->source),
					  "%s, %s", type, f->path);
			return cred->type->read(f, st);
		}
	status_hint(st, "let gcloud write the file; the types are %s", NAMES);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "credential file %s: unknown type of credentials",
			  f->path);
}

/* Credentials inside credentials, one level deep, and the account to act as. */
static enum code
read_impersonated(const struct cred_file *f, struct status *st)
{
	struct cred_file inner = *f;

	inner.root = json_get(f->root, "source_credentials");
	if (json_type(inner.root) != JSON_OBJECT)
		return cred_file_refuse(f, "source_credentials",
					"is missing or no object", st);
	if (json_type(json_get(f->root, "service_account_impersonation_url")) !=
	    JSON_STRING)
		return cred_file_refuse(f, "service_account_impersonation_url",
					"is missing or no string", st);
	if (read_by_type(&inner, st) != CODE_OK)
		return st->code;
	(void)format_text(f->cred->source, sizeof(f->cred->source),
			  "impersonated_service_account, %s", f->path);
	return cred_impersonate_read(f, json_get(f->root, "delegates"), st);
}

/* Whether it looks like a domain, so that a message may show it. */
static bool
is_domain(const char *text)
{
	return str_only(str_from(text), "a-z0-9.-") &&
	       strchr(text, '.') != NULL;
}

/* One universe's token must never go to another one. */
static enum code
read_universe(const struct cred_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	const char *configured = f->settings->universe != NULL
					 ? f->settings->universe
					 : "googleapis.com";

	if (cred_file_string(f, f->root, "universe_domain", cred->universe,
			     sizeof(cred->universe), st) != CODE_OK)
		return st->code;
	if (cred->universe[0] == '\0')
		(void)format_text(cred->universe, sizeof(cred->universe),
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
adc_read(struct cred *cred, const struct cred_settings *settings,
	 struct call *call, const char *path, struct status *st)
{
	struct cred_file f = { cred, settings, call, path, { NULL, 0 } };
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
	    cred_file_string(&f, f.root, "quota_project_id",
			     cred->quota_project, sizeof(cred->quota_project),
			     st) != CODE_OK)
		return st->code;
	if (strcmp(type, "impersonated_service_account") == 0)
		return read_impersonated(&f, st);
	return read_by_type(&f, st);
}

/* Reads the file of a place; gcloud's own may be missing. */
static enum code
read_file(struct cred *cred, const struct cred_settings *settings,
	  struct call *call, struct cred_place *place, const char *path,
	  struct status *st)
{
	struct status unread = { .code = CODE_OK };

	(void)format_text(place->where, sizeof(place->where), "%s",
			  redact_argument(path));
	buf_reset(&call->body);
	if (file_read(path,
		      settings->file != NULL ? opt_origin(place->what)
					     : place->what,
		      settings->until, &call->body, &unread) != CODE_OK) {
		bool waited = unread.code == CODE_CANCELLED ||
			      unread.code == CODE_DEADLINE_EXCEEDED;

		place->result = unread.code == CODE_NOT_FOUND
					? "is not there"
					: "cannot be read";
		if (settings->file == NULL && !waited)
			return CODE_OK;
		if (!waited) {
			unread.code = CODE_INVALID_ARGUMENT;
			status_hint(&unread,
				    "mount the file there, readable for this "
				    "user, or unset the variable where the "
				    "metadata server gives the token");
		}
		*st = unread;
		return st->code;
	}
	place->result = IS_USED;
	(void)adc_read(cred, settings, call, path, st);
	(void)format_text(cred->wanted, sizeof(cred->wanted), "%s",
			  cred->source);
	buf_wipe(&call->body);
	return st->code;
}

bool
adc_gcloud_path(const char *gcloud_folder, const char *home, char *out,
		size_t size)
{
	if (gcloud_folder != NULL)
		return format_text(out, size, "%s/" GCLOUD_FILE, gcloud_folder);
	return home != NULL &&
	       format_text(out, size, "%s/.config/gcloud/" GCLOUD_FILE, home);
}

/* After the files the metadata server. */
static enum code
use_metadata(struct cred *cred, const struct cred_settings *settings,
	     struct status *st)
{
	struct cred_place *place = cred->place;
	const char *file = place[CRED_GCLOUD_FILE].where;

	if (settings->no_metadata)
		(void)format_text(cred->source, sizeof(cred->source),
				  "%s rules out the metadata server",
				  opt_origin("NO_GCE_CHECK"));
	else if (cred_metadata_use(cred, settings, st) != CODE_OK)
		return st->code;
	(void)format_text(cred->wanted, sizeof(cred->wanted),
			  "%s%s; %s %s, %s %s", cred->source,
			  cred->is_elsewhere
				  ? " for 2 s, as nothing here is a sign of "
				    "Google Cloud"
				  : "",
			  place[0].what, place[0].result,
			  file[0] == '\0' ? "HOME" : file,
			  place[CRED_GCLOUD_FILE].result);
	place[CRED_METADATA].result = IS_USED;
	if (!settings->no_metadata)
		return CODE_OK;
	place[CRED_METADATA].result = "is ruled out";
	status_hint(st, "run gcloud auth application-default login, or set "
			"GOOGLE_APPLICATION_CREDENTIALS");
	return status_set(st, CODE_UNAUTHENTICATED,
			  "could not find default credentials (%s)",
			  cred->wanted);
}

/* The first place that has credentials. */
static enum code
search(struct cred *cred, const struct cred_settings *settings,
       struct call *call, struct status *st)
{
	static const char *const what[CRED_PLACES] = {
		"GOOGLE_APPLICATION_CREDENTIALS", "gcloud's credential file",
		"metadata server"
	};
	struct cred_place *gcloud = &cred->place[CRED_GCLOUD_FILE];
	char path[ADC_PATH_SIZE];

	for (size_t i = 0; i < CRED_PLACES; i++)
		cred->place[i] = (struct cred_place){ .what = what[i] };
	if (settings->file != NULL)
		return read_file(cred, settings, call, cred->place,
				 settings->file, st);
	cred->place->result = "is not set";
	gcloud->result = "gives no path";
	if (adc_gcloud_path(settings->gcloud_folder, settings->home, path,
			    sizeof(path)) &&
	    read_file(cred, settings, call, gcloud, path, st) != CODE_OK)
		return st->code;
	if (strcmp(gcloud->result, IS_USED) == 0)
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
	return cred_impersonate_option(cred, settings, st);
}
