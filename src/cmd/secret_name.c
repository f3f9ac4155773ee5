#include "cmd/secret_name.h"

#include <string.h>

#include "base/redact.h"
#include "job/target.h"

#define AT(member) \
	offsetof(struct secret_name, member), \
		sizeof(((struct secret_name *)0)->member)

/* Takes a full name apart. */
static bool
split_name(struct secret_name *out, const char *name)
{
	static const struct {
		char word[10];
		bool optional;
		uint16_t at, size;
	} parts[] = {
		{ "projects", false, AT(project) },
		{ "locations", true, AT(location) },
		{ "secrets", false, AT(secret) },
		{ "versions", true, AT(version) },
	};
	struct str rest = str_from(name), word, value;
	bool more = str_split(&rest, '/', &word);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!more || !str_eq(word, str_from(parts[i].word))) {
			if (!parts[i].optional)
				return false;
			continue;
		}
		if (!str_split(&rest, '/', &value) || value.len == 0 ||
		    !str_copy(value, (char *)out + parts[i].at, parts[i].size))
			return false;
		more = str_split(&rest, '/', &word);
	}
	return !more;
}

enum code
secret_name_read(struct secret_name *out, const char *name, struct task *task,
		 struct status *st)
{
	const struct target_options *options = target_options();
	const char *project = options->project;

	*out = (struct secret_name){ .version = "" };
	if (name == NULL && options->secret_name == NULL)
		return target_read(task, options, st);
	if (name == NULL)
		name = options->secret_name;
	else if (str_find(str_from(name), '/') < str_from(name).len) {
		if (!split_name(out, name))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "a full name is projects/P/secrets/S "
					  "or projects/P/secrets/S/versions/N, "
					  "with locations/L/ after P/ for a "
					  "regional one, not %s",
					  redact_argument(name));
		if (opt_is_flag("SECRET_REGION") &&
		    strcmp(options->location, out->location) != 0)
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s is not the place of %s",
					  opt_given("SECRET_REGION"), name);
		target_set_location(out->location[0] != '\0' ? out->location
							     : NULL);
		project = out->project;
		name = out->secret;
	}
	if (target_set_project(task, project, st) != CODE_OK)
		return st->code;
	return target_set_secret(task, name, st);
}
