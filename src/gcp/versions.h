/*
 * Floor 3, Google. The versions of a secret: what they are, not what they hold.
 *
 * https://cloud.google.com/secret-manager/docs/reference/rest, the resource
 * projects.secrets.versions
 */
#ifndef GCP_VERSIONS_H
#define GCP_VERSIONS_H

#include "gcp/secretmanager.h"

/* Versions on a page, and pages of a list that is followed. */
#define VERSIONS_PAGE 50
#define VERSION_PAGES_MAX 1000
#define PAGE_TOKEN_SIZE 512

enum version_state {
	VERSION_OTHER, /* one that is not known */
	VERSION_ENABLED,
	VERSION_DISABLED,
	VERSION_DESTROYED
};

/* What stands for a time that cannot be read: none that has come. */
#define TIME_UNKNOWN INT64_MAX

/* Times in seconds since 1970; 0 where there is none. */
struct version_info {
	uint64_t number;
	enum version_state state;
	int64_t created;
	int64_t destroyed;
	int64_t scheduled; /* a delayed destruction is due then */
	char etag[ETAG_SIZE];
};

/* A list that is read page by page. Caller-owned; private to versions.c. */
struct version_list {
	struct secretmanager *sm;
	const char *project;
	const char *secret;
	const char *filter;
	struct retry retry; /* of each page */
	size_t count, at;
	unsigned pages; /* so far */
	uint64_t last;  /* the number given last */
	struct version_info entry[VERSIONS_PAGE];
	char next[PAGE_TOKEN_SIZE]; /* of the next page, "": none */
};

/*
 * Starts a list of the versions that `filter` lets through ("": all), the
 * newest first. Needs secretmanager.versions.list. Texts must stay.
 */
void versions_start(struct version_list *list, struct secretmanager *sm,
		    const char *project, const char *secret, const char *filter,
		    const struct retry *retry);

/*
 * Gives the next version, or NULL after the last one and after an error, which
 * is then in `st`: UNAVAILABLE if they are not in their order. It stays until
 * the next call of this function; other calls may come in between.
 */
const struct version_info *versions_next(struct version_list *list,
					 struct status *st);

/*
 * Destroys or disables a version that is still as `version` says, by its etag:
 * FAILED_PRECONDITION if it is not. `to` is VERSION_DESTROYED or
 * VERSION_DISABLED. What it is then goes to `after`; of a secret with a delayed
 * destruction it is disabled, and `scheduled` says when it will be destroyed.
 */
MUST_CHECK enum code versions_change(struct secretmanager *sm,
				     const char *project, const char *secret,
				     const struct version_info *version,
				     enum version_state to,
				     struct version_info *after,
				     struct retry *retry, struct status *st);

#endif
