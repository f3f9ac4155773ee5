#include "gcp/cred.h"

#include "gcp/adc.h"
#include "gcp/cred_external.h"
#include "gcp/cred_impersonate.h"
#include "gcp/cred_types.h"
#include "gcp/hint.h"
#include "sys/opt.h"

/* A 404 may also mean that there is no service account at all. */
#define METADATA_404_GRACE_MS 5000

static const char QUOTA_PROJECT[] = "GOOGLE_CLOUD_QUOTA_PROJECT";

/* It is sent as a header field; no project has other characters. */
static enum code
check_quota_project(const struct cred *cred, bool own, struct status *st)
{
	if (cred->quota_project[0] != '\0' &&
	    !str_only(str_from(cred->quota_project), "!-~"))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s holds a character that no project ID has",
				  own ? opt_given(QUOTA_PROJECT)
				      : "quota_project_id of the credential "
					"file");
	return CODE_OK;
}

enum code
cred_load(struct cred *cred, const struct cred_settings *settings,
	  struct call *call, struct status *st)
{
	token_wipe(&cred->token);
	cred->quota_project[0] = '\0';
	if (adc_find(cred, settings, call, st) != CODE_OK ||
	    cred_external_read_pipe(cred, settings->until, st) != CODE_OK)
		return st->code;
	if (settings->quota_project != NULL &&
	    !str_copy(str_from(settings->quota_project), cred->quota_project,
		      sizeof(cred->quota_project)))
		return status_set(st, CODE_INVALID_ARGUMENT, "%s is too long",
				  opt_given(QUOTA_PROJECT));
	return check_quota_project(cred, settings->quota_project != NULL, st);
}

const char *
cred_token_file(const struct cred *cred)
{
	const struct cred_subject *subject = &cred->subject;

	return subject->path[0] != '\0' && subject->cached.ptr == NULL
		       ? subject->path
		       : NULL;
}

bool
cred_signs_itself(const struct cred *cred)
{
	return cred->type == &CRED_service_account &&
	       cred->impersonation_count == 0;
}

void
cred_connect(struct cred *cred, const struct network *network)
{
	cred->network = network;
	conn_init(&cred->conn, &cred->url, network, &CRED_LIMITS);
	if (cred->has_own_trust)
		conn_use_trust(&cred->conn, &cred->own_trust);
}

/* The only place that replaces the token in use, by a complete one. */
static void
commit(struct cred *cred)
{
	cred->token = cred->next;
	token_wipe(&cred->next);
}

static void
name_wanted(const struct cred *cred, struct status *st)
{
	if (!status_interrupted(st))
		status_prefix(st, "no access token (%s)", cred->wanted);
}

/* The first token, of the account that the credentials name. */
static enum code
fetch_source(struct cred *cred, struct call *call,
	     const struct retry_listener *listener, struct deadline until,
	     struct status *st)
{
	struct retry retry =
		cred->patience_ms > 0
			? retry_startup(listener, cred->patience_ms, until)
			: retry_calls(listener, until);
	unsigned tries = 0;

	cred->grace = deadline_in(cred->patience_ms);
	cred->grace_404 = deadline_in(METADATA_404_GRACE_MS);
	do {
		(void)cred->type->fetch(cred, call, until, &cred->next, st);
		buf_reset(&call->body);
		buf_reset(&call->head);
		if (st->code == CODE_OK) {
			commit(cred);
			return CODE_OK;
		}
		if (tries++ == 0)
			name_wanted(cred, st);
	} while (retry_again(&retry, st));
	if (tries > 1)
		name_wanted(cred, st);
	return st->code;
}

/* From one account to the next; the token of the last one stays. */
static enum code
fetch_impersonated(struct cred *cred, struct call *call,
		   const struct cred_impersonation *who,
		   const struct retry_listener *listener, struct deadline until,
		   struct status *st)
{
	struct retry retry = retry_calls(listener, until);

	do {
		(void)cred_impersonate(cred, call, who, until, &cred->next, st);
		buf_reset(&call->body);
		if (st->code == CODE_OK) {
			commit(cred);
			return CODE_OK;
		}
	} while (retry_again(&retry, st));
	return st->code;
}

enum code
cred_fetch(struct cred *cred, struct call *call,
	   const struct retry_listener *listener, struct deadline until,
	   struct status *st)
{
	if (cred->token.expires_at > clock_unix())
		return CODE_OK;
	cred_forget(cred);
	(void)fetch_source(cred, call, listener, until, st);
	for (size_t i = 0; i < cred->impersonation_count && st->code == CODE_OK;
	     i++)
		if (fetch_impersonated(cred, call, &cred->impersonation[i],
				       listener, until, st) != CODE_OK)
			name_wanted(cred, st);
	if (st->code != CODE_OK)
		cred_forget(cred);
	return st->code;
}

struct str
cred_token(const struct cred *cred)
{
	return str_from(cred->token.text);
}

void
cred_hint_refused(const struct cred *cred, struct status *st)
{
	const char *hint =
		hint_find(cred->impersonation_count > 0 ? CRED_IMPERSONATE_HINTS
							: cred->type->hints,
			  HINT_TOKEN_REFUSED, "");

	if (hint != NULL)
		status_hint(st, "%s", hint);
}

void
cred_forget(struct cred *cred)
{
	token_wipe(&cred->token);
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
	token_wipe(&cred->next);
	wipe(cred->subject.query, sizeof(cred->subject.query));
	wipe(cred->subject.header_memory, sizeof(cred->subject.header_memory));
	if (cred->subject.cached.ptr != NULL)
		buf_wipe(&cred->subject.cached);
}
