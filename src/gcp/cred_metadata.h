/*
 * Floor 3, Google. The metadata server of GCE and GKE, the one type of
 * credentials without a file.
 */
#ifndef GCP_CRED_METADATA_H
#define GCP_CRED_METADATA_H

#include "gcp/cred_file.h"

/*
 * Makes `cred` ask the metadata server: for 30 s if it does not answer, or 2 s
 * where neither the settings nor the machine's firmware are a sign of Google
 * Cloud. INVALID_ARGUMENT if a setting is wrong.
 */
MUST_CHECK enum code cred_metadata_use(struct cred *cred,
				       const struct cred_settings *settings,
				       struct status *st);

#endif
