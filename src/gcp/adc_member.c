#include "gcp/adc_member.h"

#include <stdio.h>

#include "gcp/adc_url.h"

enum code
adc_refuse(const struct adc_file *f, const char *member, const char *why,
	   struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "credential file %s: %s %s", f->path, member, why);
}

static bool
is_zero_scalar(struct json_value value)
{
	uint64_t number;

	switch (json_type(value)) {
	case JSON_ABSENT:
	case JSON_NULL:
		return true;
	case JSON_BOOLEAN:
		return !json_is_true(value);
	case JSON_NUMBER:
		return json_uint(value, &number) && number == 0;
	case JSON_STRING:
		return json_raw(value).len == 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return json_size(value) == 0;
}

bool
adc_is_zero(struct json_value value)
{
	struct json_iter iter = json_iter(value);

	if (json_type(value) != JSON_OBJECT)
		return is_zero_scalar(value);
	while (json_next(&iter))
		if (!is_zero_scalar(iter.value))
			return false;
	return true;
}

/* A member that may be missing; then `out` is "". */
enum code
adc_take_optional(const struct adc_file *f, struct json_value object,
		  const char *name, char *out, size_t size, struct status *st)
{
	struct json_value value = json_get(object, name);

	out[0] = '\0';
	if (json_type(value) == JSON_ABSENT || json_type(value) == JSON_NULL)
		return CODE_OK;
	if (!json_cstr(value, out, size))
		return adc_refuse(f, name, "is not a usable string", st);
	for (const char *c = out; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return adc_refuse(f, name, "holds a control character",
					  st);
	return CODE_OK;
}

enum code
adc_take(const struct adc_file *f, const char *name, char *out, size_t size,
	 struct status *st)
{
	struct json_value value = json_get(f->root, name);

	if (json_type(value) == JSON_ABSENT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "credential file %s lacks %s", f->path, name);
	if (json_type(value) == JSON_NULL)
		return adc_refuse(f, name, "is not a usable string", st);
	if (adc_take_optional(f, f->root, name, out, size, st) != CODE_OK)
		return st->code;
	if (out[0] == '\0')
		return adc_refuse(f, name, "is not a usable string", st);
	return CODE_OK;
}

/* A URL of the file, or `fallback`, moved to `override` if that is given. */
enum code
adc_take_url(const struct adc_file *f, const char *name, const char *fallback,
	     const char *override, const char *variable, struct url *url,
	     char *text, size_t size, struct status *st)
{
	if (adc_take_optional(f, f->root, name, text, size, st) != CODE_OK)
		return st->code;
	if (text[0] == '\0')
		(void)snprintf(text, size, "%s", fallback);
	if (adc_url_read(url, str_from(text), name, f->cred->universe, st) !=
	    CODE_OK) {
		status_prefix(st, "credential file %s", f->path);
		return st->code;
	}
	return adc_url_move(url, override, variable, st);
}

/* Who to become after the exchange, and for how long. */
enum code
adc_read_impersonation(const struct adc_file *f, struct json_value delegates,
		       struct status *st)
{
	struct cred *cred = f->cred;
	struct json_value lifetime =
		json_get(json_get(f->root, "service_account_impersonation"),
			 "token_lifetime_seconds");
	struct json_iter iter = json_iter(delegates);
	struct cred_impersonation *who;
	struct buf names;
	char text[512];

	if (adc_take_optional(f, f->root, "service_account_impersonation_url",
			      text, sizeof(text), st) != CODE_OK ||
	    text[0] == '\0')
		return st->code;
	if (cred->impersonation_count == CRED_IMPERSONATIONS_MAX)
		return adc_refuse(f, "service_account_impersonation_url",
				  "is one too many", st);
	who = &cred->impersonation[cred->impersonation_count++];
	who->lifetime_s = 3600;
	if (!adc_is_zero(lifetime) &&
	    (!json_uint(lifetime, &who->lifetime_s) || who->lifetime_s < 600 ||
	     who->lifetime_s > 43200))
		return adc_refuse(f, "token_lifetime_seconds",
				  "is not between 600 and 43200", st);
	if (!adc_is_zero(delegates) && json_type(delegates) != JSON_ARRAY)
		return adc_refuse(f, "delegates", "is no array", st);
	buf_init(&names, who->delegates, sizeof(who->delegates) - 1);
	while (json_next(&iter)) {
		bool string = json_string(iter.value, &names);

		buf_put_char(&names, '\n');
		if (!string || names.overflow)
			return adc_refuse(f, "delegates",
					  "are not all strings that fit", st);
	}
	who->delegates[names.len] = '\0';
	if (adc_url_read_impersonation(&who->url, str_from(text),
				       cred->universe, st) != CODE_OK) {
		status_prefix(st, "credential file %s", f->path);
		return st->code;
	}
	return adc_url_move(&who->url, f->settings->iam_endpoint,
			    "IAM_CREDENTIALS_ENDPOINT", st);
}
