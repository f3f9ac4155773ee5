#include "base/redact.h"
#include "gcp/cred_source.h"

/* In the form for Google's own users, in the header for those of a pool. */
enum code
cred_from_refresh(struct cred *cred, struct call *call, struct deadline until,
		  struct status *st)
{
	bool basic = cred->type == CRED_EXTERNAL_USER;
	struct buf *form = &call->request;

	cred_aim(cred, &cred->url, &CRED_LIMITS);
	call_start(call, &cred->conn);
	if (!basic) {
		cred_put_form(form, "client_id", str_from(cred->client_id));
		cred_put_form(form, "client_secret",
			      str_from(cred->client_secret));
	}
	cred_put_form(form, "grant_type", STR("refresh_token"));
	cred_put_form(form, "refresh_token", str_from(cred->refresh_token));
	(void)cred_post_form(cred, call,
			     basic ? "the Security Token Service"
				   : "the OAuth token endpoint",
			     basic, until, st);
	redact_status(st, str_from(cred->refresh_token));
	return st->code;
}
