/*
 * Floor 3, Google. The search for Application Default Credentials (AIP-4110),
 * and the files that it finds.
 */
#ifndef GCP_ADC_H
#define GCP_ADC_H

#include "gcp/cred_file.h"

/*
 * Fills type, source, URL and secrets of `cred` from the first place that has
 * credentials. A file that is named must be readable and right; gcloud's own
 * file is passed over if it cannot be read, but not if it is wrong. Codes as
 * cred_load().
 */
MUST_CHECK enum code adc_find(struct cred *cred,
			      const struct cred_settings *settings,
			      struct call *call, struct status *st);

/*
 * Fills `cred` from the text in `call->body`, which came from `path`. URLs in
 * it must be https (http on the loopback only) and must lead to Google, for a
 * file that somebody else wrote could send tokens elsewhere. INVALID_ARGUMENT
 * says which member is wrong and why, never what it is.
 */
MUST_CHECK enum code adc_read(struct cred *cred,
			      const struct cred_settings *settings,
			      struct call *call, const char *path,
			      struct status *st);

#endif
