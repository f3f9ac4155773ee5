/*
 * Floor 3, Google. The URLs of credential files: where tokens may go.
 */
#ifndef GCP_CRED_URL_H
#define GCP_CRED_URL_H

#include "net/url.h"

/*
 * Reads the URL of a token endpoint: https, below googleapis.com or the
 * universe's domain, or accounts.google.com; or anything on the loopback.
 * `name` is its member's. INVALID_ARGUMENT.
 */
MUST_CHECK enum code cred_url_read(struct url *url, struct str text,
				   const char *name, const char *universe,
				   struct status *st);

/* The same for generateAccessToken, whose path is checked, too. */
MUST_CHECK enum code cred_url_read_impersonation(struct url *url,
						 struct str text,
						 const char *universe,
						 struct status *st);

/*
 * Reads the URL that returns another provider's token: https, or http to the
 * loopback and to link-local addresses (RFC 3927), as metadata servers have.
 */
MUST_CHECK enum code cred_url_read_source(struct url *url, struct str text,
					  const char *name, struct status *st);

/*
 * Moves `url` to the base URL `endpoint`, keeping its path; NULL leaves it
 * alone. `variable` is the name of the setting. INVALID_ARGUMENT.
 */
MUST_CHECK enum code cred_url_move(struct url *url, const char *endpoint,
				   const char *variable, struct status *st);

#endif
