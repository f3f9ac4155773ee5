/*
 * Floor 3, Google. Access tokens, and how they are asked for.
 *
 * The lowest layer of the credentials: what they are made of (struct cred),
 * and what all types share in asking for a token. Above it the types, one file
 * each (cred_types.h), and above these cred.h, which is what users need.
 */
#ifndef GCP_CRED_TOKEN_H
#define GCP_CRED_TOKEN_H

#include "gcp/call.h"
#include "gcp/jwt.h"
#include "net/trust.h"

#define CLOUD_PLATFORM "https://www.googleapis.com/auth/cloud-platform"

/* A secret: end with token_wipe(). All zero: none. */
struct token {
	int64_t expires_at; /* Unix seconds; 0: there is no token */
	char text[TOKEN_MAX];
};

/*
 * Takes a token that lives for `life_s`. UNAVAILABLE, with nothing in `token`,
 * if it cannot be used.
 */
MUST_CHECK enum code token_set(struct token *token, struct json_value text,
			       int64_t life_s, struct status *st);

/*
 * Takes the token out of a successful reply: access_token and expires_in (RFC
 * 6749 section 5.1). UNAVAILABLE as token_set(); or it is an OAuth error all
 * the same.
 */
MUST_CHECK enum code token_take(struct token *token, struct call *call,
				const struct call_service *service,
				struct status *st);

/* Wipes the token, which is all zero then. */
void token_wipe(struct token *token);

/* An account to impersonate with a token (generateAccessToken). */
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
	char member[128];  /* of the JSON object; "": the token is plain text */
	struct buf cached; /* content of a pipe, which is read only once */
	char cached_memory[SUBJECT_TOKEN_MAX];
};

struct cred;
struct cred_file;

/* A type of credentials. */
struct cred_type {
	const char *name; /* the member "type" of a credential file */
	/* Reads a credential file of the type; INVALID_ARGUMENT. */
	enum code (*read)(const struct cred_file *file, struct status *st);
	/*
	 * Fetches one token into `token`, without retries. Codes as
	 * cred_fetch(); after a failure `token` is undefined.
	 */
	enum code (*fetch)(struct cred *cred, struct call *call,
			   struct deadline until, struct token *token,
			   struct status *st);
	const char *hints; /* a table (hint.h) */
};

/* Of the path of gcloud's own file and the final NUL. */
#define ADC_PATH_SIZE 512

/* A place where credentials are looked for. */
struct cred_place {
	const char *what;          /* "GOOGLE_APPLICATION_CREDENTIALS" */
	char where[ADC_PATH_SIZE]; /* path or address; "" if there is none */
	/* "is used", or why not; NULL: a place before it has some */
	const char *result;
};

/* The places of AIP-4110, in the order in which they are looked at. */
enum { CRED_NAMED_FILE, CRED_GCLOUD_FILE, CRED_METADATA, CRED_PLACES };

/*
 * Caller-owned; holds secrets: end with cred_wipe(). The types share the
 * members, so that a new one finds most of what it needs.
 */
struct cred {
	const struct cred_type *type; /* readable */
	char source[300];  /* readable: where it comes from, for people */
	char wanted[1024]; /* readable: the same, and where else was looked */
	char quota_project[128]; /* readable: "" if none */
	char universe[128];      /* readable: "googleapis.com" */
	struct token token;      /* readable: the one in use */
	struct conn conn;        /* readable: to the token's source */
	struct cred_place place[CRED_PLACES]; /* readable */
	/* private to cred*.c and adc.c */
	const struct network *network;
	struct url url;  /* where tokens are given out */
	struct url url6; /* the metadata server, for pods with IPv6 only */
	bool has_url6;
	bool in_kubernetes;
	bool is_elsewhere;   /* no sign of Google Cloud on this machine */
	int64_t patience_ms; /* for a server that starts late; 0: it does not */
	struct deadline grace;     /* the end of that */
	struct deadline grace_404; /* until when a server may not be set up */
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
	struct trust own_trust; /* used instead of the network's */
	bool has_own_trust;
	char authorization[TOKEN_MAX + 16]; /* of the request under way */
	struct token next;                  /* while it is fetched */
};

/* Limits for services on the network at large. */
extern const struct conn_limits CRED_LIMITS;

/*
 * Points the connection at `url`, which must stay; an open one to another
 * place is closed.
 */
void cred_set_target(struct cred *cred, const struct url *url,
		     const struct conn_limits *limits);

/* Appends NAME=VALUE to a form (application/x-www-form-urlencoded). */
void cred_put_form(struct buf *out, const char *name, struct str value);

/* The same for the form of `call`, whose errors must not show the value. */
void cred_put_secret(struct call *call, const char *name, struct str value);

/*
 * Posts the form in `call->request` to `cred->url` and takes the token out of
 * the reply. With `basic` the client authenticates itself in the header (RFC
 * 6749 section 2.3.1). `name` is the service's, for messages.
 */
MUST_CHECK enum code cred_post_form(struct cred *cred, struct call *call,
				    const char *name, bool basic,
				    struct deadline until, struct token *token,
				    struct status *st);

#endif
