/*
 * Floor 3, Google. What stands in a credential file, by its type.
 *
 * The members are those of the client libraries; unknown ones are ignored.
 * URLs must be https (http on the loopback only) and must lead to Google, for
 * a file that somebody else wrote could send tokens elsewhere.
 */
#ifndef GCP_ADC_FILE_H
#define GCP_ADC_FILE_H

#include "gcp/cred.h"

/*
 * Fills `cred` from the text in `call->body`, which came from `path`.
 * INVALID_ARGUMENT says which member is wrong and why, never what it is.
 */
MUST_CHECK enum code adc_file_read(struct cred *cred,
				   const struct cred_settings *settings,
				   struct call *call, const char *path,
				   struct status *st);

#endif
