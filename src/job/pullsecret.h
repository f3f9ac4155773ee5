/*
 * Floor 4, job. What a valid pull secret is.
 *
 * A dockerconfigjson as every consumer of it reads it: CRI-O, the kubelet and
 * the OpenShift installer differ, and what passes here is read by all of them.
 * Needs nothing but floor 0, so that it works offline.
 */
#ifndef JOB_PULLSECRET_H
#define JOB_PULLSECRET_H

#include "base/json.h"

/* A fake for tests; it logs in nowhere. */
extern const char PULL_SECRET_FAKE[];

/*
 * Checks `text`: at most PULL_SECRET_MAX bytes of strict JSON; `auths` an
 * object with at least one entry; every entry an object with an `auth` string
 * that is canonical padded base64 of "user:password" with a non-empty user,
 * line breaks in it aside; no known key in another case; the other members
 * that the kubelet and CRI-O read of the type that they want; and no registry
 * that both `credHelpers` and `auths` name.
 * `tokens` and `scratch` (room for PULL_SECRET_MAX bytes, wiped afterwards)
 * are lent. Fills `*registries` with the number of entries.
 * INVALID_ARGUMENT says where and why, never what; a text that looks like one
 * of the usual mix-ups gets a hint.
 */
MUST_CHECK enum code pullsecret_check(struct str text,
				      struct json_tokens *tokens,
				      struct buf *scratch, size_t *registries,
				      struct status *st);

/* `text` without the JSON white space (SP HT LF CR) at its end. */
struct str pullsecret_strip(struct str text);

#endif
