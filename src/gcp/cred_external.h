/*
 * Floor 3, Google. Workload and workforce identity federation (AIP-4117): the
 * token of another identity provider, read anew each time, is exchanged.
 */
#ifndef GCP_CRED_EXTERNAL_H
#define GCP_CRED_EXTERNAL_H

#include "gcp/cred_token.h"

/*
 * Reads the subject token if its file can be read only once: a pipe, before
 * the process is confined. INVALID_ARGUMENT, DEADLINE_EXCEEDED, CANCELLED.
 */
MUST_CHECK enum code cred_external_read_pipe(struct cred *cred,
					     struct deadline until,
					     struct status *st);

#endif
