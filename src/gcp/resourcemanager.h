/*
 * Floor 3, Google. Cloud Resource Manager v3 over REST: what a project grants.
 *
 * https://cloud.google.com/resource-manager/reference/rest/v3/projects
 */
#ifndef GCP_RESOURCEMANAGER_H
#define GCP_RESOURCEMANAGER_H

#include "gcp/secretmanager.h"

/* What to do about its errors (hint.h). */
extern const char RESOURCEMANAGER_HINTS[];

/*
 * Reads the base URL: `endpoint`, or Google's in `universe` if that is NULL.
 * Codes as secretmanager_init().
 */
MUST_CHECK enum code resourcemanager_url(struct url *url, const char *endpoint,
					 const char *universe,
					 struct status *st);

/*
 * Asks which of `count` permissions the caller has on a project and fills
 * `granted`. Needs no permission itself. Grants with a condition on secrets'
 * names do not count. Lends credentials and memory from `sm`, whose connection
 * leads to `url` from then on, no more to Secret Manager; `url` and `network`
 * must stay. Codes as for every call.
 */
MUST_CHECK enum code resourcemanager_test_permissions(
	struct secretmanager *sm, const struct url *url,
	const struct network *network, const char *project,
	const char *const *permission, size_t count, bool *granted,
	struct retry *retry, struct status *st);

#endif
