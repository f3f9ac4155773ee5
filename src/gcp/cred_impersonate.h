/*
 * Floor 3, Google. Impersonation: with the token of one account, one for
 * another (IAM Service Account Credentials API, generateAccessToken).
 */
#ifndef GCP_CRED_IMPERSONATE_H
#define GCP_CRED_IMPERSONATE_H

#include "gcp/cred_file.h"

/*
 * Adds the account to impersonate that service_account_impersonation_url
 * names, if it is there, by way of `delegates`, an array of strings or absent.
 * INVALID_ARGUMENT.
 */
MUST_CHECK enum code cred_impersonate_read(const struct cred_file *f,
					   struct json_value delegates,
					   struct status *st);

/*
 * Adds the account that `settings->impersonate` names, a list as gcloud's
 * --impersonate-service-account takes it: the last one is to be impersonated,
 * by way of those before it. INVALID_ARGUMENT.
 */
MUST_CHECK enum code
cred_impersonate_option(struct cred *cred, const struct cred_settings *settings,
			struct status *st);

/* A table (hint.h) for impersonation, whatever the type of credentials. */
extern const char CRED_IMPERSONATE_HINTS[];

/*
 * Fetches a token of the account `who` into `token`, authorized by
 * `cred->token`, without retries. Codes as cred_fetch().
 */
MUST_CHECK enum code cred_impersonate(struct cred *cred, struct call *call,
				      const struct cred_impersonation *who,
				      struct deadline until,
				      struct token *token, struct status *st);

#endif
