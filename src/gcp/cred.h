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
#include "gcp/jwt.h"
#include "gcp/retry.h"
#include "net/trust.h"

enum cred_type {
	CRED_METADATA,         /* metadata server: GCE, GKE */
	CRED_AUTHORIZED_USER,  /* refresh token: gcloud auth */
	CRED_SERVICE_ACCOUNT,  /* private key: signs its own tokens */
	CRED_EXTERNAL_ACCOUNT, /* workload identity federation (AIP-4117) */
	CRED_EXTERNAL_USER,    /* external_account_authorized_user */
	CRED_GDCH              /* gdch_service_account: air-gapped Google */
};

/* What the environment says; texts must stay while `cred_load()` runs. */
struct cred_settings {
	const char *file;          /* GOOGLE_APPLICATION_CREDENTIALS or NULL */
	const char *gcloud_folder; /* CLOUDSDK_CONFIG or NULL */
	const char *home;          /* HOME or NULL */
	const char *metadata_host; /* GCE_METADATA_HOST or NULL */
	const char *quota_project; /* GOOGLE_CLOUD_QUOTA_PROJECT or NULL */
	const char *universe;      /* GOOGLE_CLOUD_UNIVERSE_DOMAIN or NULL */
	/* Base URLs that stand in for the usual ones, or NULL. */
	const char *oauth2_endpoint;
	const char *sts_endpoint;
	const char *iam_endpoint;
	const char *impersonate; /* [DELEGATE,...]ACCOUNT or NULL */
	const char *endpoint;    /* of the API: the audience for GDCH */
	bool no_metadata;        /* NO_GCE_CHECK=true */
	bool in_kubernetes;      /* KUBERNETES_SERVICE_HOST is set */
	struct deadline until;   /* how long a pipe is waited for */
};

/* Somebody to become with the token that is there (generateAccessToken). */
struct cred_impersonation {
	struct url url;
	char delegates[1024]; /* resource names, each ended by a line feed */
	uint64_t lifetime_s;
};

#define CRED_IMPERSONATIONS_MAX 3

/* Where the token of another identity provider comes from. */
struct cred_subject {
	char path[512]; /* of a file, or "" */
	struct url url;
	char query[URL_PATH_MAX]; /* of the URL, with its '?'; secret */
	struct http_field header[SOURCE_FIELDS_MAX];
	size_t header_count;
	char header_memory[SOURCE_FIELDS_SIZE];
	char member[128]; /* of the JSON that holds it; "": all is the token */
	struct buf kept;  /* what a pipe held, which is read only once */
	char kept_memory[SUBJECT_TOKEN_MAX];
};

/* Caller-owned; holds secrets: end with cred_wipe(). */
struct cred {
	enum cred_type type;     /* readable */
	char source[300];        /* readable: where it comes from, for people */
	char quota_project[128]; /* readable: "" if none */
	char universe[128];      /* readable: "googleapis.com" */
	int64_t expires_at;      /* readable: Unix seconds, 0: no token */
	struct conn conn;        /* readable: to the token's source */
	/* private */
	const struct trust *trust;
	const struct resolver_config *resolver;
	const struct proxy *proxy;
	struct url url;  /* where tokens are given out */
	struct url url6; /* the metadata server, for pods with IPv6 only */
	bool has_url6;
	bool in_kubernetes;
	char client_id[512];
	char client_secret[512];
	char refresh_token[TOKEN_MAX];
	char issuer[320]; /* who signs: the account */
	char token_uri[512];
	char audience[512]; /* of a token that is exchanged */
	char key_id[128];
	struct jwt_key key;
	char subject_token_type[128];
	char user_project[128]; /* of a workforce pool */
	struct cred_subject subject;
	struct cred_impersonation impersonation[CRED_IMPERSONATIONS_MAX];
	size_t impersonation_count;
	struct trust own_trust; /* of GDCH */
	char authorization[TOKEN_MAX + 16];
	char token[TOKEN_MAX];
	char next[TOKEN_MAX]; /* a token that is not whole yet */
};

/*
 * Finds and reads the credentials; touches no network. `call` lends its
 * memory. Codes: INVALID_ARGUMENT (a file or setting is wrong: which one and
 * why), UNAUTHENTICATED (there are no credentials).
 */
MUST_CHECK enum code cred_load(struct cred *cred,
			       const struct cred_settings *settings,
			       struct call *call, struct status *st);

/* The file that is read again for each token, or NULL. */
const char *cred_reread(const struct cred *cred);

/* Prepares the connection to the token's source; arguments must stay. */
void cred_connect(struct cred *cred, const struct trust *trust,
		  const struct resolver_config *resolver,
		  const struct proxy *proxy);

/*
 * Makes sure that there is a token that has not expired, fetching one if need
 * be, with retries: for a metadata server that is not up yet every failure is
 * retried for at least 30 s (a 404 for 5 s, and so a reply of something else on
 * its address, but in Kubernetes), for other services as for all calls.
 * Codes: UNAUTHENTICATED (refused), CANCELLED, INVALID_ARGUMENT (a file that
 * is read again is wrong now), and those of call_run().
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
