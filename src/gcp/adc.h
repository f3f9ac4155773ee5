/*
 * Floor 3, Google. The search for Application Default Credentials, and the
 * files that it finds.
 */
#ifndef GCP_ADC_H
#define GCP_ADC_H

#include "gcp/cred.h"

/*
 * Fills type, source, URL and secrets of `cred` from the first place that has
 * credentials. A file that is named must be readable and right; gcloud's own
 * file is passed over if it cannot be read, but not if it is wrong. Codes as
 * cred_load().
 */
MUST_CHECK enum code adc_find(struct cred *cred,
			      const struct cred_settings *settings,
			      struct call *call, struct status *st);

#endif
