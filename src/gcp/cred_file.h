/*
 * Floor 3, Google. The members of a credential file.
 *
 * The members are those of the client libraries; unknown ones are ignored, and
 * so are those without a value. All codes are INVALID_ARGUMENT, with the file's
 * path and the member's name, never its value.
 */
#ifndef GCP_CRED_FILE_H
#define GCP_CRED_FILE_H

#include "gcp/cred_token.h"

/* From the environment; texts must stay while cred_load() runs. */
struct cred_settings {
	const char *file;          /* GOOGLE_APPLICATION_CREDENTIALS or NULL */
	const char *gcloud_folder; /* CLOUDSDK_CONFIG or NULL */
	const char *home;          /* HOME or NULL */
	const char *metadata_host; /* GCE_METADATA_HOST or NULL */
	const char *quota_project; /* GOOGLE_CLOUD_QUOTA_PROJECT or NULL */
	const char *universe;      /* GOOGLE_CLOUD_UNIVERSE_DOMAIN or NULL */
	/* Base URLs instead of the public ones, or NULL. */
	const char *oauth2_endpoint;
	const char *sts_endpoint;
	const char *iam_endpoint;
	const char *impersonate; /* [DELEGATE,...]ACCOUNT or NULL */
	const char *endpoint;    /* of the API: the audience for GDCH */
	bool no_metadata;        /* NO_GCE_CHECK=true */
	bool in_kubernetes;      /* KUBERNETES_SERVICE_HOST is set */
	bool in_cloud_run;       /* K_SERVICE or CLOUD_RUN_JOB is set */
	struct deadline until;   /* how long a pipe is waited for */
};

/* The file being read. */
struct cred_file {
	struct cred *cred; /* what is filled */
	const struct cred_settings *settings;
	struct call *call; /* lends its memory, but for `body` */
	const char *path;
	struct json_value root;
};

/* A member with a string, and the array of characters that it goes to. */
struct cred_member {
	const char *name;
	size_t offset, size;
	bool required;
};

#define CRED_MEMBER(name, type, member, required) \
	{ \
		(name), offsetof(type, member), \
			sizeof(((type *)NULL)->member), (required) \
	}

/*
 * Takes the members of `f->root` into the struct at `out`. One that is missing
 * leaves ""; a required one must be there and not be empty.
 */
MUST_CHECK enum code cred_file_members(const struct cred_file *f,
				       const struct cred_member *member,
				       size_t count, void *out,
				       struct status *st);

/* Takes a string of `object`; "" if it is missing. */
MUST_CHECK enum code cred_file_string(const struct cred_file *f,
				      struct json_value object,
				      const char *name, char *out, size_t size,
				      struct status *st);

/*
 * Takes the URL of a token endpoint, or `fallback`, and moves it to the base
 * URL `endpoint`, which is not NULL if `variable` is set. `text` of `size`
 * bytes gets it as it stands in the file.
 */
MUST_CHECK enum code cred_file_url(const struct cred_file *f, const char *name,
				   const char *fallback, const char *endpoint,
				   const char *variable, struct url *url,
				   char *text, size_t size, struct status *st);

/*
 * Whether a value is missing, null, or what Go's encoding/json writes for a
 * member that was never set: "", 0, false, empty, or an object of such.
 */
bool cred_file_is_zero(struct json_value value);

/* Records that `member` is invalid, and why. */
enum code cred_file_refuse(const struct cred_file *f, const char *member,
			   const char *why, struct status *st);

#endif
