#include "cmd/secret_name.h"

#include "base/redact.h"
#include "job/target.h"

/* Takes a full name apart. */
static bool
split_name(struct secret_name *out, const char *name)
{
	const struct {
		const char *word;
		char *out;
		size_t size;
		bool optional;
	} parts[] = {
		{ "projects", out->project, sizeof(out->project), false },
		{ "locations", out->location, sizeof(out->location), true },
		{ "secrets", out->secret, sizeof(out->secret), false },
		{ "versions", out->version, sizeof(out->version), true },
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
		    !str_copy(value, parts[i].out, parts[i].size))
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
		target_set_location(out->location[0] != '\0' ? out->location
							     : NULL);
		project = out->project;
		name = out->secret;
	}
	if (target_set_project(task, project, st) != CODE_OK)
		return st->code;
	return target_set_secret(task, name, st);
}
