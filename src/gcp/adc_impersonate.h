/*
 * Floor 3, Google. Impersonation that is asked for on the command line.
 */
#ifndef GCP_ADC_IMPERSONATE_H
#define GCP_ADC_IMPERSONATE_H

#include "gcp/cred.h"

/*
 * Adds the impersonation that `settings->impersonate` asks for, a list as
 * gcloud's --impersonate-service-account takes it: the last account is who to
 * become, by way of those before it. INVALID_ARGUMENT.
 */
MUST_CHECK enum code adc_impersonate(struct cred *cred,
				     const struct cred_settings *settings,
				     struct status *st);

#endif
