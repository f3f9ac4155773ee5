#include "gcp/cred_impersonate.h"

#include <string.h>

#include "base/format.h"
#include "base/json_write.h"
#include "gcp/cred_url.h"
#include "gcp/hint.h"
#include "sys/opt.h"

enum code
cred_impersonate_read(const struct cred_file *f, struct json_value delegates,
		      struct status *st)
{
	struct cred *cred = f->cred;
	struct json_value lifetime =
		json_get(json_get(f->root, "service_account_impersonation"),
			 "token_lifetime_seconds");
	struct json_iter iter = json_iter(delegates);
	struct cred_impersonation *who;
	struct buf names;
	char text[512];

	if (cred_file_string(f, f->root, "service_account_impersonation_url",
			     text, sizeof(text), st) != CODE_OK ||
	    text[0] == '\0')
		return st->code;
	if (cred->impersonation_count == CRED_IMPERSONATIONS_MAX)
		return cred_file_refuse(f, "service_account_impersonation_url",
					"is one too many", st);
	who = &cred->impersonation[cred->impersonation_count++];
	who->lifetime_s = 3600;
	if (!cred_file_is_zero(lifetime) &&
	    (!json_uint(lifetime, &who->lifetime_s) || who->lifetime_s < 600 ||
	     who->lifetime_s > 43200))
		return cred_file_refuse(f, "token_lifetime_seconds",
					"is not between 600 and 43200", st);
	if (!cred_file_is_zero(delegates) && json_type(delegates) != JSON_ARRAY)
		return cred_file_refuse(f, "delegates", "is no array", st);
	buf_init(&names, who->delegates, sizeof(who->delegates) - 1);
	while (json_next(&iter)) {
		bool string = json_string(iter.value, &names);

		buf_put_char(&names, '\n');
		if (!string || names.overflow)
			return cred_file_refuse(f, "delegates",
						"are not all strings that fit",
						st);
	}
	who->delegates[names.len] = '\0';
	if (cred_url_read_impersonation(&who->url, str_from(text),
					cred->universe, st) != CODE_OK) {
		status_prefix(st, "credential file %s", f->path);
		return st->code;
	}
	return cred_url_move(&who->url, f->settings->iam_endpoint,
			     "IAM_CREDENTIALS_ENDPOINT", st);
}

static const char OPTION[] = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT";

static enum code
set_url(struct cred_impersonation *who, struct str account,
	const struct cred *cred, const char *endpoint, struct status *st)
{
	char text[512];

	if (!format_text(text, sizeof(text),
			 "https://iamcredentials.%s/v1/projects/-/"
			 "serviceAccounts/%.*s:generateAccessToken",
			 cred->universe, (int)account.len, account.ptr))
		return status_set(st, CODE_INVALID_ARGUMENT, "%s is too long",
				  opt_given(OPTION));
	if (cred_url_read_impersonation(&who->url, str_from(text),
					cred->universe, st) != CODE_OK)
		return st->code;
	return cred_url_move(&who->url, endpoint, "IAM_CREDENTIALS_ENDPOINT",
			     st);
}

enum code
cred_impersonate_option(struct cred *cred, const struct cred_settings *settings,
			struct status *st)
{
	struct str rest = str_from(settings->impersonate), account;
	struct cred_impersonation *who;
	struct buf names;

	if (cred->impersonation_count == CRED_IMPERSONATIONS_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: too many impersonations",
				  opt_given(OPTION));
	who = &cred->impersonation[cred->impersonation_count++];
	who->lifetime_s = 3600;
	buf_init(&names, who->delegates, sizeof(who->delegates) - 1);
	while (str_split(&rest, ',', &account)) {
		/* An e-mail address or a unique number, as a path holds it. */
		if (!str_only(account, "a-z0-9.@:-"))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: not a list of service accounts",
					  opt_given(OPTION));
		if (rest.ptr == NULL)
			break;
		buf_put_cstr(&names, "projects/-/serviceAccounts/");
		buf_put_str(&names, account);
		buf_put_char(&names, '\n');
	}
	if (names.overflow)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: too many accounts", opt_given(OPTION));
	who->delegates[names.len] = '\0';
	return set_url(who, account, cred, settings->iam_endpoint, st);
}

/* {"delegates": [...], "lifetime": "3600s", "scope": [...]} */
static bool
write_request(const struct cred_impersonation *who, struct buf *out)
{
	struct str rest = str_from(who->delegates), delegate;
	struct json_writer json;
	char memory[32];
	struct buf lifetime;

	buf_init(&lifetime, memory, sizeof(memory));
	buf_put_uint(&lifetime, who->lifetime_s);
	buf_put_char(&lifetime, 's');
	json_writer_init(&json, out);
	json_open_object(&json);
	if (rest.len > 0) {
		json_key(&json, "delegates");
		json_open_array(&json);
		while (str_split(&rest, '\n', &delegate))
			if (delegate.len > 0)
				json_put_string(&json, delegate);
		json_close(&json);
	}
	json_member(&json, "lifetime", buf_view(&lifetime));
	json_key(&json, "scope");
	json_open_array(&json);
	json_put_string(&json, STR(CLOUD_PLATFORM));
	json_close(&json);
	json_close(&json);
	return json_writer_done(&json);
}

/* {"accessToken": "...", "expireTime": "2026-01-02T03:04:05Z"} */
static enum code
take_token(struct token *token, struct json_value root, struct status *st)
{
	char text[64];
	int64_t end;

	if (!json_cstr(json_get(root, "expireTime"), text, sizeof(text)) ||
	    !clock_parse(str_from(text), &end))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply's expireTime is no time");
	return token_set(token, json_get(root, "accessToken"),
			 end - clock_unix(), st);
}

const char CRED_IMPERSONATE_HINTS[] =
	"IAM_PERMISSION_DENIED|PERMISSION_DENIED\0\0"
	"grant roles/iam.serviceAccountTokenCreator (for federated identities "
	"roles/iam.workloadIdentityUser) on the service account; a new "
	"binding may take minutes (--permission-wait)\0"
	"NOT_FOUND\0\0"
	"there is no such service account: check its name\0"
	"SERVICE_DISABLED\0\0"
	"gcloud services enable iamcredentials.googleapis.com in the project "
	"of the service account\0"
	"INVALID_ARGUMENT\0lifetime\0"
	"more than 3600 s need "
	"constraints/iam.allowServiceAccountCredentialLifetimeExtension\0"
	"UNAUTHENTICATED\0\0"
	"the account that impersonates may be disabled or deleted\0"
	"token\0\0"
	"the impersonated service account may be disabled or deleted\0";

/* IAM Service Account Credentials API, projects.serviceAccounts. */
enum code
cred_impersonate(struct cred *cred, struct call *call,
		 const struct cred_impersonation *who, struct deadline until,
		 struct token *token, struct status *st)
{
	const struct call_service service = { &cred->conn,
					      "the IAM Credentials API",
					      CRED_IMPERSONATE_HINTS, false };
	struct http_field fields[] = {
		{ STR("Authorization"), STR("") },
		{ STR("Content-Type"), STR("application/json") },
	};
	struct buf bearer;

	buf_init(&bearer, cred->authorization, sizeof(cred->authorization));
	buf_put_cstr(&bearer, "Bearer ");
	buf_put_str(&bearer, str_from(cred->token.text));
	fields[0].value = buf_view(&bearer);
	cred_set_target(cred, &who->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (!write_request(who, &call->request))
		return status_set(st, CODE_INTERNAL,
				  "the request cannot be built");
	secrets_add(&call->secrets, str_from(cred->token.text));
	(void)call_run(call, &service, "POST", fields, 2, until, st);
	buf_wipe(&bearer);
	st->not_granted = st->http_status == 403;
	if (st->code != CODE_OK)
		return st->code;
	return take_token(token, json_root(&call->json), st);
}
