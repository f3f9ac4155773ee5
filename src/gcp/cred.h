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

#include "gcp/call.h"
#include "gcp/retry.h"

enum cred_type {
	CRED_METADATA,       /* metadata server: GCE, GKE */
	CRED_AUTHORIZED_USER /* refresh token: gcloud auth */
};

/* What the environment says; texts must stay while `cred_load()` runs. */
struct cred_settings {
	const char *file;          /* GOOGLE_APPLICATION_CREDENTIALS or NULL */
	const char *gcloud_folder; /* CLOUDSDK_CONFIG or NULL */
	const char *home;          /* HOME or NULL */
	const char *metadata_host; /* GCE_METADATA_HOST or NULL */
	const char *quota_project; /* GOOGLE_CLOUD_QUOTA_PROJECT or NULL */
	const char *oauth2_endpoint; /* base URL of the token endpoint */
	bool no_metadata;            /* NO_GCE_CHECK=true */
	struct deadline until;       /* how long a pipe is waited for */
};

/* Caller-owned; holds secrets: end with cred_wipe(). */
struct cred {
	enum cred_type type;     /* readable */
	char source[300];        /* readable: where it comes from, for people */
	char quota_project[128]; /* readable: "" if none */
	struct conn conn;        /* readable: to the token's source */
	/* private */
	struct url url;
	int64_t expires_at; /* Unix seconds, 0: no token */
	char client_id[512];
	char client_secret[512];
	char refresh_token[4096];
	char token[TOKEN_MAX];
};

/*
 * Finds and reads the credentials; touches no network. `call` lends its
 * memory. Codes: INVALID_ARGUMENT (a file or setting is wrong: which one and
 * why), UNAUTHENTICATED (there are no credentials).
 */
MUST_CHECK enum code cred_load(struct cred *cred,
			       const struct cred_settings *settings,
			       struct call *call, struct status *st);

/* Prepares the connection to the token's source; arguments must stay. */
void cred_connect(struct cred *cred, const struct trust *trust,
		  const struct resolver_config *resolver);

/*
 * Makes sure that there is a token that has not expired, fetching one if need
 * be, with retries: for a metadata server that is not up yet every failure is
 * retried for 30 s (a 404 for 5 s), for the token endpoint as for all
 * services. Codes: UNAUTHENTICATED (refused), CANCELLED, and those of
 * call_run().
 */
MUST_CHECK enum code cred_fetch(struct cred *cred, struct call *call,
				const struct retry_listener *listener,
				struct deadline until, struct status *st);

/* The token; empty if there is none. */
struct str cred_token(const struct cred *cred);

/* Drops the token, after the API refused it. */
void cred_forget(struct cred *cred);

/* Closes the connection and wipes token and secrets. */
void cred_wipe(struct cred *cred);

#endif
