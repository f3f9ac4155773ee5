/*
 * Floor 3, Google. The types of credentials: a row for each, and a file that
 * defines it, as `const struct cred_type CRED_` and the row's name.
 */
#ifndef GCP_CRED_TYPES_H
#define GCP_CRED_TYPES_H

#include "gcp/cred_token.h"

/* Those that a credential file can have. */
#define CRED_TYPES(ROW) \
	ROW(authorized_user)                  /* cred_user.c */ \
	ROW(external_account)                 /* cred_external.c */ \
	ROW(external_account_authorized_user) /* cred_user.c */ \
	ROW(gdch_service_account)             /* cred_gdch.c */ \
	ROW(service_account)                  /* cred_service_account.c */

#define CRED_DECLARE(name) extern const struct cred_type CRED_##name;
CRED_TYPES(CRED_DECLARE)
#undef CRED_DECLARE

#endif
