/*
 * Floor 3, Google. The methods of Google's APIs, as rows, and the one place
 * that sends, authorizes and repeats them.
 *
 * Only for secretmanager.c, placement.c, versions.c and resourcemanager.c, the
 * functions of which are what others call.
 */
#ifndef GCP_METHOD_H
#define GCP_METHOD_H

#include "base/json_write.h"
#include "gcp/secretmanager.h"

#define SECRETS "/v1/projects/{project}{location}/secrets"

/* The arguments of all methods; each uses some of them. */
struct args {
	const char *project;
	const char *location; /* method_call() sets it: sm->location */
	const char *secret;
	const char *version;
	const char *etag;
	const char *filter;
	const char *page; /* the token of the page that is asked for */
	struct str payload;
	struct str body; /* of the request, as it is */
	const struct new_secret *new_secret;
	const char *const *permission;
	size_t permission_count;
	/* where the reply goes */
	struct secret_resource *resource; /* may be NULL */
	struct secret_version *found;
	struct str *data;
	bool *granted;
	struct version_list *list;
	struct version_info *info;
};

/* One row for each call of the API. */
struct method {
	const char *verb;
	/*
	 * "{project}", "{secret}" and so on stand for those of args, and
	 * "{location}" for "/locations/LOCATION", or nothing.
	 */
	const char *path;
	/* May be sent again where the server may have acted. */
	bool idempotent;
	enum quota quota;
	/* An error that is an answer: CODE_NOT_FOUND, or CODE_OK for none. */
	enum code expected;
	void (*body)(const struct args *, struct json_writer *);
	enum code (*read)(struct call *, const struct args *, struct status *);
};

/*
 * Reads the base URL of an API: `endpoint`, which `variable` names, or if that
 * is NULL that of `service` in `universe`. https, or http on the loopback.
 * INVALID_ARGUMENT says what is wrong with it.
 */
MUST_CHECK enum code method_endpoint(struct url *url, const char *endpoint,
				     const char *service, const char *universe,
				     const char *variable, struct status *st);

/* Takes "WORD/" and a part, which goes to `part`, off the front of a name. */
MUST_CHECK bool method_skip_parts(struct str *rest, struct str word,
				  struct str *part);

/*
 * Reads the name of a version of the secret that `args` name, as
 * "projects/P/secrets/SECRET/versions/N"; the number must be there. False for
 * all else.
 */
MUST_CHECK bool method_read_version_name(struct json_value value,
					 const struct args *args,
					 struct secret_version *version);

/*
 * Of testIamPermissions, which many APIs have: the body, and the reply, which
 * fills `granted`.
 */
void method_put_permissions(const struct args *args, struct json_writer *json);
enum code method_read_permissions(struct call *call, const struct args *args,
				  struct status *st);

/*
 * Calls `method`, again as `retry` allows, until `retry->until`. One that is
 * not idempotent is not repeated where it may have acted. Codes: those of
 * call_run(), cred_fetch() and `method->read`.
 */
MUST_CHECK enum code method_call(struct secretmanager *sm,
				 const struct method *method,
				 const struct args *given, struct retry *retry,
				 struct status *st);

#endif
