#include "gcp/cred_file.h"

#include "base/format.h"
#include "gcp/cred_url.h"

enum code
cred_file_refuse(const struct cred_file *f, const char *member, const char *why,
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
cred_file_is_zero(struct json_value value)
{
	struct json_iter iter = json_iter(value);

	if (json_type(value) != JSON_OBJECT)
		return is_zero_scalar(value);
	while (json_next(&iter))
		if (!is_zero_scalar(iter.value))
			return false;
	return true;
}

enum code
cred_file_string(const struct cred_file *f, struct json_value object,
		 const char *name, char *out, size_t size, struct status *st)
{
	struct json_value value = json_get(object, name);

	out[0] = '\0';
	if (json_type(value) == JSON_ABSENT || json_type(value) == JSON_NULL)
		return CODE_OK;
	if (!json_cstr(value, out, size))
		return cred_file_refuse(f, name, "is not a usable string", st);
	for (const char *c = out; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return cred_file_refuse(f, name,
						"holds a control character",
						st);
	return CODE_OK;
}

enum code
cred_file_members(const struct cred_file *f, const struct cred_member *member,
		  size_t count, void *out, struct status *st)
{
	for (size_t i = 0; i < count; i++) {
		const struct cred_member *m = &member[i];
		char *text = (char *)out + m->offset;

		if (m->required &&
		    json_type(json_get(f->root, m->name)) == JSON_ABSENT)
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "credential file %s lacks %s",
					  f->path, m->name);
		if (cred_file_string(f, f->root, m->name, text, m->size, st) !=
		    CODE_OK)
			return st->code;
		if (m->required && text[0] == '\0')
			return cred_file_refuse(f, m->name,
						"is not a usable string", st);
	}
	return CODE_OK;
}

enum code
cred_file_url(const struct cred_file *f, const char *name, const char *fallback,
	      const char *endpoint, const char *variable, struct url *url,
	      char *text, size_t size, struct status *st)
{
	if (cred_file_string(f, f->root, name, text, size, st) != CODE_OK)
		return st->code;
	if (text[0] == '\0')
		(void)format_text(text, size, "%s", fallback);
	if (cred_url_read(url, str_from(text), name, f->cred->universe, st) !=
	    CODE_OK) {
		status_prefix(st, "credential file %s", f->path);
		return st->code;
	}
	return cred_url_move(url, endpoint, variable, st);
}
