#include "gcp/adc_impersonate.h"

#include <stdio.h>
#include <string.h>

#include "gcp/adc_url.h"

static const char NAME[] = "--impersonate-service-account";

static enum code
set_url(struct cred_impersonation *who, struct str account,
	const struct cred *cred, const char *endpoint, struct status *st)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "https://iamcredentials.%s/v1/projects/-/"
			   "serviceAccounts/%.*s:generateAccessToken",
			   cred->universe, (int)account.len, account.ptr);

	if (len < 0 || (size_t)len >= sizeof(text))
		return status_set(st, CODE_INVALID_ARGUMENT, "%s is too long",
				  NAME);
	if (adc_url_read_impersonation(&who->url, str_from(text),
				       cred->universe, st) != CODE_OK)
		return st->code;
	return adc_url_move(&who->url, endpoint, "IAM_CREDENTIALS_ENDPOINT",
			    st);
}

enum code
adc_impersonate(struct cred *cred, const struct cred_settings *settings,
		struct status *st)
{
	struct str rest = str_from(settings->impersonate), account;
	struct cred_impersonation *who;
	struct buf names;

	if (cred->impersonation_count == CRED_IMPERSONATIONS_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: too many impersonations", NAME);
	who = &cred->impersonation[cred->impersonation_count++];
	who->lifetime_s = 3600;
	buf_init(&names, who->delegates, sizeof(who->delegates) - 1);
	while (str_split(&rest, ',', &account)) {
		/* An e-mail address or a unique number, as a path holds it. */
		if (!str_only(account, "a-z0-9.@:-"))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: not a list of service accounts",
					  NAME);
		if (rest.ptr == NULL)
			break;
		buf_put_cstr(&names, "projects/-/serviceAccounts/");
		buf_put_str(&names, account);
		buf_put_char(&names, '\n');
	}
	if (names.overflow)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: too many accounts", NAME);
	who->delegates[names.len] = '\0';
	return set_url(who, account, cred, settings->iam_endpoint, st);
}
