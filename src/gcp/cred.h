/*
 * Floor 3, Google. Application Default Credentials and the access token.
 *
 * The search order of the client libraries (AIP-4110): the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, the file that gcloud writes, the
 * metadata server. Files are read before the network is touched; the token is
 * fetched when it is first needed and again when it was refused.
 */
#ifndef GCP_CRED_H
#define GCP_CRED_H

#include "gcp/cred_file.h"
#include "gcp/cred_token.h"
#include "gcp/retry.h"

/*
 * Finds and reads the credentials; touches no network. `call` lends its
 * memory. Codes: INVALID_ARGUMENT (a file or setting is wrong: which one and
 * why), UNAUTHENTICATED (there are no credentials).
 */
MUST_CHECK enum code cred_load(struct cred *cred,
			       const struct cred_settings *settings,
			       struct call *call, struct status *st);

/* Whether cred_fetch() asks nobody: it signs the token itself. */
bool cred_signs_itself(const struct cred *cred);

/* The file that is read again for each exchange of a token, or NULL. */
const char *cred_token_file(const struct cred *cred);

/* Prepares the connection to the token's source; `network` must stay. */
void cred_connect(struct cred *cred, const struct network *network);

/*
 * Makes sure that there is a token that has not expired, fetching one if need
 * be, with retries: for a metadata server that is not up yet every failure is
 * retried for at least 30 s (5 s for a 404 and, outside Kubernetes, for a reply
 * that is not a metadata server's; 2 s for all on a machine without a sign of
 * Google Cloud), for other services as for all calls. The first failure and the
 * last one say `cred->wanted`.
 * Codes: UNAUTHENTICATED (refused), CANCELLED, INVALID_ARGUMENT (a file that
 * is read again is wrong now), and those of call_run().
 */
MUST_CHECK enum code cred_fetch(struct cred *cred, struct call *call,
				const struct retry_listener *listener,
				struct deadline until, struct status *st);

/* The token; empty before cred_fetch(). */
struct str cred_token(const struct cred *cred);

/* Adds what to do if an API refuses the token (UNAUTHENTICATED). */
void cred_hint_refused(const struct cred *cred, struct status *st);

/* Drops the token, as after the API refused it. */
void cred_forget(struct cred *cred);

/* Closes the connection and wipes token and secrets. */
void cred_wipe(struct cred *cred);

#endif
