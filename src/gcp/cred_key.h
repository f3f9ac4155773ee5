/*
 * Floor 3, Google. The private key of a credential file, and what it signs.
 */
#ifndef GCP_CRED_KEY_H
#define GCP_CRED_KEY_H

#include "gcp/cred_file.h"

/* Life of a signed token in seconds. */
#define CRED_KEY_LIFE_S 3600
/* Signed a little in the past, for clocks that differ. */
#define CRED_KEY_BACKDATE_S 10

/* Claims of a JSON Web Token (RFC 7519 section 4.1); "" leaves one out. */
struct claims {
	const char *subject;
	const char *scope;
	const char *audience;
};

/* Reads private_key, which must be for RS256, or else for ES256. */
MUST_CHECK enum code cred_key_read(const struct cred_file *f, bool rsa,
				   struct status *st);

/* Appends the claims of `cred->issuer`, signed, to `out`; INTERNAL. */
MUST_CHECK enum code cred_key_sign(const struct cred *cred,
				   const struct claims *claims, struct buf *out,
				   struct status *st);

#endif
