/*
 * Floor 3, Google. Secret Manager v1 over REST, as typed calls.
 *
 * https://cloud.google.com/secret-manager/docs/reference/rest
 * Each call is a row of secretmanager.c and a function here, which repeats it
 * as `retry` allows (retry.h), until `retry->until`. Replies name the project
 * by number, so names are checked for their form, not against the request.
 */
#ifndef GCP_SECRETMANAGER_H
#define GCP_SECRETMANAGER_H

#include "gcp/cred.h"
#include "gcp/pace.h"
#include "gcp/pairs.h"
#include "gcp/placement.h"

/* "projects/NUMBER/secrets/ID/versions/N" and the final NUL. */
#define VERSION_NAME_SIZE 400

/* Of an etag and the final NUL; they have some 20 characters. */
#define ETAG_SIZE 128

/* A new secret. */
struct new_secret {
	struct pairs labels;
	struct pairs annotations;
	struct placement placement;
};

/* What to do about the errors of Secret Manager (hint.h). */
extern const char SECRETMANAGER_HINTS[];

/* Caller-owned; private to secretmanager.c and method.c, unless noted. */
struct secretmanager {
	struct conn conn;       /* readable */
	enum delivery delivery; /* readable: of the last call's last request */
	bool may_have_acted;    /* readable: any request of the last call may */
	const char *name;       /* of the service, in messages */
	const char *hints;      /* for its errors (hint.h), or NULL */
	struct url url;
	struct cred *cred;
	struct call *call;
	const struct retry_listener *listener;
	const struct pacer *pacer; /* set by the caller; NULL: none */
	struct str secret;         /* set by the caller: kept out of errors */
	char location[LOCATION_SIZE]; /* readable; "": secrets are global */
	char bearer[TOKEN_MAX + 8];
};

/* A secret without its versions. */
struct secret_resource {
	char etag[ETAG_SIZE]; /* opaque, with its quotes */
	struct json_value labels;
	struct json_value aliases; /* {"ALIAS": "NUMBER"} */
	struct json_value whole;
};

/* A version of a secret. */
struct secret_version {
	char name[VERSION_NAME_SIZE]; /* full resource name, as replied */
	uint64_t number;
};

/*
 * Reads the base URL: `endpoint`, or Google's if that is NULL. https, or http
 * on the loopback. With `location` (SECRET_REGION, may be NULL) all secrets are
 * regional ones of that location, which Google has at an endpoint of its own.
 * INVALID_ARGUMENT says what is wrong with them.
 */
MUST_CHECK enum code
secretmanager_init(struct secretmanager *sm, const char *endpoint,
		   const char *location, struct cred *cred, struct call *call,
		   const struct retry_listener *listener, struct status *st);

/* Prepares the connection; `network` must stay. */
void secretmanager_connect(struct secretmanager *sm,
			   const struct network *network);

/*
 * Whether the secret is there: OK, or NOT_FOUND as for every call. What it is
 * goes to `found`, unless that is NULL; its values are views that last until
 * the next call.
 */
MUST_CHECK enum code secretmanager_get(struct secretmanager *sm,
				       const char *project, const char *secret,
				       struct secret_resource *found,
				       struct retry *retry, struct status *st);

/*
 * Deletes a secret with all its versions, if its etag is still `etag`:
 * FAILED_PRECONDITION if it is not.
 */
MUST_CHECK enum code secretmanager_delete(struct secretmanager *sm,
					  const char *project,
					  const char *secret, const char *etag,
					  struct retry *retry,
					  struct status *st);

/*
 * Gives a secret labels and annotations beside those that `found` has, if its
 * etag is still that of `found`, else FAILED_PRECONDITION. `body` is memory for
 * the request. RESOURCE_EXHAUSTED: they do not fit there.
 */
MUST_CHECK enum code
secretmanager_patch(struct secretmanager *sm, const char *project,
		    const char *secret, const struct secret_resource *found,
		    const struct pairs *labels, const struct pairs *annotations,
		    struct buf *body, struct retry *retry, struct status *st);

/*
 * Asks which of `count` permissions the caller has on a secret and fills
 * `granted`. Needs no permission itself; of a secret that does not exist the
 * API says that nobody has any.
 */
MUST_CHECK enum code secretmanager_test_permissions(
	struct secretmanager *sm, const char *project, const char *secret,
	const char *const *permission, size_t count, bool *granted,
	struct retry *retry, struct status *st);

/*
 * Creates a secret without versions; ALREADY_EXISTS if it is there. If it is a
 * global one without locations it is replicated automatically.
 */
MUST_CHECK enum code
secretmanager_create(struct secretmanager *sm, const char *project,
		     const char *secret, const struct new_secret *new_secret,
		     struct retry *retry, struct status *st);

/*
 * Adds a version with its CRC32C. Not idempotent: after a failure with
 * `sm->delivery` MAYBE_ACTED the version may have been added, and it is not
 * sent again, whatever `retry` allows.
 */
MUST_CHECK enum code
secretmanager_add_version(struct secretmanager *sm, const char *project,
			  const char *secret, struct str payload,
			  struct secret_version *version, struct retry *retry,
			  struct status *st);

/*
 * Reads a version: a number in decimal, or "latest". The payload is `*data`, a
 * view that lasts until the next call. DATA_LOSS if it does not match its
 * CRC32C, or is that of another version.
 */
MUST_CHECK enum code
secretmanager_access(struct secretmanager *sm, const char *project,
		     const char *secret, const char *version,
		     struct secret_version *found, struct str *data,
		     struct retry *retry, struct status *st);

/*
 * Where a permission is missing, replaces the hint at the main job's roles by
 * one for what was called.
 */
void secretmanager_hint(struct status *st, const char *hint);

#endif
