/*
 * Floor 3, Google. The search for Application Default Credentials (AIP-4110),
 * and the files that it finds.
 */
#ifndef GCP_ADC_H
#define GCP_ADC_H

#include "gcp/cred_file.h"

/*
 * Writes the path of gcloud's own file to `out`: in `gcloud_folder`, or if that
 * is NULL in that folder of `home`. False if both are NULL, or too long.
 */
MUST_CHECK bool adc_gcloud_path(const char *gcloud_folder, const char *home,
				char *out, size_t size);

/*
 * Fills type, source, URL and secrets of `cred` from the first place that has
 * credentials, and `cred->place` with what each place had. A file that is named
 * must be readable and valid; gcloud's own file is skipped if it cannot be
 * read, but not if it is invalid. Codes as cred_load().
 */
MUST_CHECK enum code adc_find(struct cred *cred,
			      const struct cred_settings *settings,
			      struct call *call, struct status *st);

/*
 * Fills `cred` from the text in `call->body`, which came from `path`. URLs in
 * it must be https (http on the loopback only) and must lead to Google: a
 * forged file could send tokens elsewhere. INVALID_ARGUMENT names the member
 * and the rule, never the value.
 */
MUST_CHECK enum code adc_read(struct cred *cred,
			      const struct cred_settings *settings,
			      struct call *call, const char *path,
			      struct status *st);

#endif
