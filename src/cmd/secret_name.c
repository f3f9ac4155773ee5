#include "cmd/secret_name.h"

#include "base/redact.h"
#include "job/target.h"

/* Takes a full name apart. */
static bool
split_name(struct secret_name *out, const char *name)
{
	static const char *const FIXED[] = { "projects", "secrets",
					     "versions" };
	struct str rest = str_from(name), part[6];
	size_t parts = 0;

	while (parts < 6 && str_split(&rest, '/', &part[parts]))
		parts++;
	if ((parts != 4 && parts != 6) || rest.ptr != NULL)
		return false;
	for (size_t i = 0; i < parts; i += 2)
		if (!str_eq(part[i], str_from(FIXED[i / 2])))
			return false;
	return str_copy(part[1], out->project, sizeof(out->project)) &&
	       str_copy(part[3], out->secret, sizeof(out->secret)) &&
	       (parts == 4 ||
		(part[5].len > 0 &&
		 str_copy(part[5], out->version, sizeof(out->version))));
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
					  "not %s",
					  redact_argument(name));
		project = out->project;
		name = out->secret;
	}
	if (target_set_project(task, project, st) != CODE_OK)
		return st->code;
	return target_set_secret(task, name, st);
}
