/*
 * Floor 3, Google. The sources of tokens, one file each, and what they share.
 *
 * A part of cred.h that its users do not need. Each source fetches one token
 * into `cred`, without retries. Codes as cred_fetch().
 */
#ifndef GCP_CRED_SOURCE_H
#define GCP_CRED_SOURCE_H

#include "gcp/cred.h"

#define CLOUD_PLATFORM "https://www.googleapis.com/auth/cloud-platform"

/* Limits for services on the network at large. */
extern const struct conn_limits CRED_LIMITS;

/*
 * Points the connection at `url`, which must stay; an open one to another
 * place is closed.
 */
void cred_aim(struct cred *cred, const struct url *url,
	      const struct conn_limits *limits);

/* Appends NAME=VALUE to a form (application/x-www-form-urlencoded). */
void cred_put_form(struct buf *out, const char *name, struct str value);

/*
 * Posts the form in `call->request` to `cred->url` and takes the token out of
 * the reply. With `basic` the client authenticates itself in the header (RFC
 * 6749 section 2.3.1). `name` is the service's, for messages.
 */
MUST_CHECK enum code cred_post_form(struct cred *cred, struct call *call,
				    const char *name, bool basic,
				    struct deadline until, struct status *st);

/*
 * Takes the token out of a successful reply: access_token and expires_in (RFC
 * 6749 section 5.1). UNAVAILABLE if it cannot be used.
 */
MUST_CHECK enum code cred_take_token(struct cred *cred, struct json_value root,
				     struct status *st);

/*
 * Takes a token and its end of life. UNAVAILABLE if it cannot be used: then the
 * token that is there stays, for it speaks for the next try.
 */
MUST_CHECK enum code cred_set_token(struct cred *cred, struct json_value token,
				    int64_t life_s, struct status *st);

/* Puts `cred->next`, which is whole, into the place of the token. */
void cred_commit_token(struct cred *cred, int64_t life_s);

/*
 * From the metadata server. `grace_404` says until when a 404 may pass, after
 * which it means that there is no service account.
 */
MUST_CHECK enum code cred_from_metadata(struct cred *cred, struct call *call,
					struct deadline grace_404,
					struct deadline until,
					struct status *st);

/* With a refresh token (RFC 6749 section 6). */
MUST_CHECK enum code cred_from_refresh(struct cred *cred, struct call *call,
				       struct deadline until,
				       struct status *st);

/*
 * With a service account's key: a token that it signs itself (AIP-4111), or
 * where that will not do, before an impersonation, one for it (RFC 7523).
 */
MUST_CHECK enum code cred_from_key(struct cred *cred, struct call *call,
				   struct deadline until, struct status *st);

/* The same for Google Distributed Cloud air-gapped. */
MUST_CHECK enum code cred_from_gdch(struct cred *cred, struct call *call,
				    struct deadline until, struct status *st);

/*
 * Reads the subject token if its file can be read only once: a pipe, before
 * files are given up. INVALID_ARGUMENT, DEADLINE_EXCEEDED, CANCELLED.
 */
MUST_CHECK enum code cred_read_pipe(struct cred *cred, struct deadline until,
				    struct status *st);

/* With another provider's token, read anew each time (RFC 8693). */
MUST_CHECK enum code cred_from_external(struct cred *cred, struct call *call,
					struct deadline until,
					struct status *st);

/* Becomes somebody else with the token that is there. */
MUST_CHECK enum code cred_impersonate(struct cred *cred, struct call *call,
				      const struct cred_impersonation *who,
				      struct deadline until, struct status *st);

#endif
