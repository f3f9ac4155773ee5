/*
 * Floor 4, job. Where a new secret is placed, and with which keys; for one that
 * exists, whether it is placed so.
 *
 * https://cloud.google.com/secret-manager/docs/choosing-replication
 */
#ifndef JOB_PLACEMENT_H
#define JOB_PLACEMENT_H

#include "gcp/secretmanager.h"
#include "sys/opt.h"

/* --location, --kms-key; --regional is one of TARGET_OPTIONS. */
extern const struct opt_table PLACEMENT_OPTIONS;

/* Whether they can be used. INVALID_ARGUMENT names the one that cannot. */
MUST_CHECK enum code placement_check(struct status *st);

/* The values, checked. */
struct placement placement_given(void);

/* Whether any is given, so that one that exists is worth a look. */
bool placement_is_given(void);

/*
 * Whether a secret that exists is placed as the options say; else `what` gets
 * what it has. A secret that is asked for at a location is there.
 */
bool placement_fits(const struct secret_resource *secret, struct buf *what);

#endif
