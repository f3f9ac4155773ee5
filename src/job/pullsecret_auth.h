/*
 * Floor 4, job. The credential of an entry: `auth`, base64 of "user:password".
 */
#ifndef JOB_PULLSECRET_AUTH_H
#define JOB_PULLSECRET_AUTH_H

#include "job/pullsecret_rules.h"

/*
 * Whether each consumer gets user and password of an entry, an object, from its
 * `auth`. Only their form is checked.
 */
enum code auth_check(const struct check *check, struct json_value root,
		     const struct json_iter *entry);

#endif
