/*
 * Floor 4, job. The registries that keys of `auths` stand for.
 */
#ifndef JOB_PULLSECRET_KEYS_H
#define JOB_PULLSECRET_KEYS_H

#include "job/pullsecret_rules.h"

/*
 * The registry of a key, as CRI-O (containers/image) names it: without scheme
 * and path, and Docker Hub by one name.
 */
struct str registry_of(struct str key);

/* Whether a key of `auths` can be matched by the images that it is for. */
enum code key_check(const struct check *check, struct json_value auths,
		    struct json_value key);

/* Whether the registries that the policy requires have entries. */
enum code keys_check_required(const struct check *check,
			      struct json_value auths);

#endif
