/*
 * Floor 3, Google. The members of a credential file, one by one.
 *
 * A part of adc_file.h that its users do not need. All codes are
 * INVALID_ARGUMENT, with the file's path and the member's name.
 */
#ifndef GCP_ADC_MEMBER_H
#define GCP_ADC_MEMBER_H

#include "gcp/cred.h"

/* The file being read. */
struct adc_file {
	struct cred *cred;
	const struct cred_settings *settings;
	struct call *call;
	const char *path;
	struct json_value root;
};

/* Says that `member` is wrong, and how. */
enum code adc_refuse(const struct adc_file *f, const char *member,
		     const char *why, struct status *st);

/*
 * Whether a value is missing, null, or what Go's encoding/json writes for a
 * member that was never set: "", 0, false, empty, or an object of such.
 */
bool adc_is_zero(struct json_value value);

/* Takes a string of `object`; "" if it is missing. */
MUST_CHECK enum code adc_take_optional(const struct adc_file *f,
				       struct json_value object,
				       const char *name, char *out, size_t size,
				       struct status *st);

/* Takes a string of the file that must be there and not be empty. */
MUST_CHECK enum code adc_take(const struct adc_file *f, const char *name,
			      char *out, size_t size, struct status *st);

/*
 * Takes the URL of a token endpoint, or `fallback`, and moves it to the base
 * URL `endpoint`, which is not NULL if `variable` is set. `text` of `size`
 * bytes gets it as it stands in the file.
 */
MUST_CHECK enum code adc_take_url(const struct adc_file *f, const char *name,
				  const char *fallback, const char *endpoint,
				  const char *variable, struct url *url,
				  char *text, size_t size, struct status *st);

/*
 * Adds the impersonation that service_account_impersonation_url asks for, if
 * it does, by way of `delegates`, an array of strings or absent.
 */
MUST_CHECK enum code adc_read_impersonation(const struct adc_file *f,
					    struct json_value delegates,
					    struct status *st);

/* The types, each from `f->root`. */
MUST_CHECK enum code adc_read_service_account(const struct adc_file *f,
					      struct status *st);
MUST_CHECK enum code adc_read_gdch(const struct adc_file *f, struct status *st);
MUST_CHECK enum code adc_read_external_account(const struct adc_file *f,
					       struct status *st);

#endif
