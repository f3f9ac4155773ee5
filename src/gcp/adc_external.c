#include <stdio.h>
#include <string.h>

#include "gcp/adc_member.h"
#include "gcp/adc_url.h"

/* Headers that the source's server asks for, in memory of their own. */
static enum code
read_headers(const struct adc_file *f, struct json_value headers,
	     struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	struct json_iter iter = json_iter(headers);
	struct buf memory;

	if (!adc_is_zero(headers) && json_type(headers) != JSON_OBJECT)
		return adc_refuse(f, "credential_source.headers",
				  "is no object", st);

	buf_init(&memory, subject->header_memory,
		 sizeof(subject->header_memory));
	while (json_next(&iter)) {
		struct http_field *field =
			&subject->header[subject->header_count];
		size_t name = memory.len, value;

		if (subject->header_count == SOURCE_FIELDS_MAX ||
		    !json_string(iter.key, &memory))
			return adc_refuse(f, "credential_source.headers",
					  "are too many or too long", st);
		value = memory.len;
		if (!json_string(iter.value, &memory))
			return adc_refuse(f, "credential_source.headers",
					  "are not all strings that fit", st);
		field->name = (struct str){ memory.ptr + name, value - name };
		field->value =
			(struct str){ memory.ptr + value, memory.len - value };
		subject->header_count++;
	}
	return CODE_OK;
}

static enum code
read_source_url(const struct adc_file *f, struct json_value source,
		struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	char text[2 * URL_PATH_MAX];
	struct str base;
	size_t query;

	if (adc_take_optional(f, source, "url", text, sizeof(text), st) !=
	    CODE_OK)
		return st->code;
	base = str_from(text);
	query = str_find(base, '?');
	if (!str_copy(str_skip(base, query), subject->query,
		      sizeof(subject->query)))
		(void)adc_refuse(f, "credential_source.url", "is too long", st);
	base.len = query;
	if (st->code == CODE_OK &&
	    adc_url_read_source(&subject->url, base, "credential_source.url",
				st) != CODE_OK)
		status_prefix(st, "credential file %s", f->path);
	wipe(text, sizeof(text));
	if (st->code != CODE_OK)
		return st->code;
	return read_headers(f, json_get(source, "headers"), st);
}

/* How the token stands in what the source gives. */
static enum code
read_format(const struct adc_file *f, struct json_value format,
	    struct status *st)
{
	struct cred_subject *subject = &f->cred->subject;
	char type[16];

	if (adc_take_optional(f, format, "type", type, sizeof(type), st) !=
	    CODE_OK)
		return st->code;
	if (type[0] == '\0' || strcmp(type, "text") == 0)
		return CODE_OK;
	if (strcmp(type, "json") != 0)
		return adc_refuse(f, "credential_source.format.type",
				  "is neither text nor json", st);
	if (adc_take_optional(f, format, "subject_token_field_name",
			      subject->member, sizeof(subject->member),
			      st) == CODE_OK &&
	    subject->member[0] == '\0')
		return adc_refuse(f, "credential_source.format",
				  "lacks subject_token_field_name", st);
	return st->code;
}

/* Sources that need another program, or a client certificate. */
static enum code
refuse_source(const struct adc_file *f, struct json_value source,
	      struct status *st)
{
	static const struct {
		const char *member;
		const char *why;
	} others[] = {
		{ "environment_id", "is not supported: AWS sources" },
		{ "executable", "is not supported: executable sources" },
		{ "certificate", "is not supported: certificate sources" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!adc_is_zero(json_get(source, others[i].member))) {
			status_hint(st, "let something else write the token to "
					"a file, and use a file source; or use "
					"a url source");
			return adc_refuse(f, others[i].member, others[i].why,
					  st);
		}
	return adc_refuse(f, "credential_source", "has neither file nor url",
			  st);
}

static enum code
read_source(const struct adc_file *f, struct status *st)
{
	struct json_value source = json_get(f->root, "credential_source");
	struct cred_subject *subject = &f->cred->subject;
	bool file = !adc_is_zero(json_get(source, "file"));
	bool url = !adc_is_zero(json_get(source, "url"));

	if (json_type(source) != JSON_OBJECT)
		return adc_refuse(f, "credential_source", "is no object", st);
	if ((!file && !url) || !adc_is_zero(json_get(source, "environment_id")))
		return refuse_source(f, source, st);
	if (file && url)
		return adc_refuse(f, "credential_source",
				  "has both file and url", st);
	if (read_format(f, json_get(source, "format"), st) != CODE_OK)
		return st->code;
	if (url)
		return read_source_url(f, source, st);
	return adc_take_optional(f, source, "file", subject->path,
				 sizeof(subject->path), st);
}

enum code
adc_read_external_account(const struct adc_file *f, struct status *st)
{
	struct cred *cred = f->cred;
	char text[512], fallback[256];

	cred->type = CRED_EXTERNAL_ACCOUNT;
	(void)snprintf(fallback, sizeof(fallback), "https://sts.%s/v1/token",
		       cred->universe);
	if (adc_take(f, "audience", cred->audience, sizeof(cred->audience),
		     st) != CODE_OK ||
	    adc_take(f, "subject_token_type", cred->subject_token_type,
		     sizeof(cred->subject_token_type), st) != CODE_OK ||
	    adc_take_optional(f, f->root, "client_id", cred->client_id,
			      sizeof(cred->client_id), st) != CODE_OK ||
	    adc_take_optional(f, f->root, "client_secret", cred->client_secret,
			      sizeof(cred->client_secret), st) != CODE_OK ||
	    adc_take_optional(f, f->root, "workforce_pool_user_project",
			      cred->user_project, sizeof(cred->user_project),
			      st) != CODE_OK ||
	    read_source(f, st) != CODE_OK ||
	    adc_take_url(f, "token_url", fallback, f->settings->sts_endpoint,
			 "STS_ENDPOINT", &cred->url, text, sizeof(text),
			 st) != CODE_OK)
		return st->code;
	if (cred->user_project[0] != '\0' &&
	    strstr(cred->audience, "/workforcePools/") == NULL)
		return adc_refuse(f, "workforce_pool_user_project",
				  "is for workforce pools only", st);
	return adc_read_impersonation(f, (struct json_value){ NULL, 0 }, st);
}
