/*
 * Floor 4, job. Mix-ups that are known by their shape: what else was passed as
 * a pull secret, and the command that makes one of it, as a hint. A status
 * without an error gets none.
 */
#ifndef JOB_PULLSECRET_SHAPE_H
#define JOB_PULLSECRET_SHAPE_H

#include "job/pullsecret.h"

/*
 * What text that is no JSON may be: base64 of a pull secret, or of base64 of
 * one; a Secret or an install-config in YAML; JSON with typographic quotes.
 * `scratch` is lent, and wiped.
 */
void shape_hint_text(struct str text, struct buf *scratch, struct status *st);

/*
 * What JSON without `auths` may be: a Secret or its data, an old .dockercfg, a
 * string of a pull secret.
 */
void shape_hint_root(struct json_value root, struct status *st);

/* Where the login of an entry without `auth` may be. */
void shape_hint_entry(struct json_value root, struct json_value entry,
		      struct status *st);

/* For base64 of another alphabet or without padding. */
void shape_hint_recode(struct status *st);

/*
 * For what an `auth` without a colon decodes to: the same encoded twice.
 * Overwrites `decoded`.
 */
void shape_hint_decoded(struct buf *decoded, struct status *st);

/* For an `auth` of a shell's echo, which ends the line. */
void shape_hint_echo(struct status *st);

#endif
