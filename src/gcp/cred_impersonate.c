#include "gcp/cred_source.h"

#include <string.h>

#include "base/json_write.h"
#include "base/redact.h"

/* {"delegates": [...], "lifetime": "3600s", "scope": [...]} */
static bool
write_request(const struct cred_impersonation *who, struct buf *out)
{
	struct str rest = str_from(who->delegates), delegate;
	struct json_builder json;
	char memory[32];
	struct buf lifetime;

	buf_init(&lifetime, memory, sizeof(memory));
	buf_put_uint(&lifetime, who->lifetime_s);
	buf_put_char(&lifetime, 's');
	json_build(&json, out);
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
	return json_built(&json);
}

/* {"accessToken": "...", "expireTime": "2026-01-02T03:04:05Z"} */
static enum code
take_token(struct cred *cred, struct json_value root, struct status *st)
{
	char text[64];
	int64_t end;

	if (!json_cstr(json_get(root, "expireTime"), text, sizeof(text)) ||
	    !clock_parse(str_from(text), &end))
		return status_set(st, CODE_UNAVAILABLE,
				  "the reply's expireTime is no time");
	return cred_set_token(cred, json_get(root, "accessToken"),
			      end - clock_unix(), st);
}

/* IAM Service Account Credentials API, projects.serviceAccounts. */
enum code
cred_impersonate(struct cred *cred, struct call *call,
		 const struct cred_impersonation *who, struct deadline until,
		 struct status *st)
{
	const struct call_service service = { &cred->conn,
					      "the IAM Credentials API" };
	struct http_field fields[] = {
		{ STR("Authorization"), STR("") },
		{ STR("Content-Type"), STR("application/json") },
	};
	struct buf bearer;

	buf_init(&bearer, cred->authorization, sizeof(cred->authorization));
	buf_put_cstr(&bearer, "Bearer ");
	buf_put_str(&bearer, cred_token(cred));
	fields[0].value = buf_view(&bearer);
	cred_aim(cred, &who->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (!write_request(who, &call->request))
		return status_set(st, CODE_INTERNAL,
				  "the request cannot be built");
	(void)call_run(call, &service, "POST", fields, 2, until, st);
	buf_wipe(&bearer);
	if (strcmp(st->reason, "IAM_PERMISSION_DENIED") == 0) {
		st->hint[0] = '\0';
		status_hint(st, "grant roles/iam.serviceAccountTokenCreator "
				"(for federated identities "
				"roles/iam.workloadIdentityUser) on the "
				"service account");
	}
	redact_status(st, cred_token(cred));
	if (st->code != CODE_OK)
		return st->code;
	return take_token(cred, json_root(&call->json), st);
}
