#include "base/codec.h"
#include "base/redact.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/options.h"
#include "job/target.h"

static const char *version_option;

/* A variable of this name would meet other programs' versions. */
static const struct opt OPTIONS[] = {
	{ "--secret-version", NULL, "N|latest", "latest",
	  "version to print, by its number", &version_option, OPT_PLAIN },
};

static const struct opt_table OWN = { "Applet access", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = { &OWN, &TARGET_OPTIONS,
						  &TIME_OPTIONS,
						  &NETWORK_OPTIONS, NULL };

/* What is printed: a version of the task's secret. */
struct access_target {
	char project[PROJECT_ID_MAX + 1];
	char secret[SECRET_NAME_SIZE];
	char version[24];
};

static enum code
set_version(struct access_target *target, struct str version, struct status *st)
{
	uint64_t number = 0;

	if ((str_eq(version, STR("latest")) ||
	     (parse_uint(version, &number) && number > 0)) &&
	    str_copy(version, target->version, sizeof(target->version)))
		return CODE_OK;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "version %s: must be a number from 1, or latest",
			  redact_argument(version.ptr));
}

/* Takes `name` apart; `*version` is NULL where it names none. */
static bool
split_name(struct access_target *target, const char *name, struct str *version)
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
	*version = parts == 6 ? part[5] : (struct str){ NULL, 0 };
	return str_copy(part[1], target->project, sizeof(target->project)) &&
	       str_copy(part[3], target->secret, sizeof(target->secret));
}

/* "projects/P/secrets/S" or "projects/P/secrets/S/versions/N". */
static enum code
read_full_name(struct access_target *target, const char *name,
	       struct task *task, struct status *st)
{
	struct str version;

	if (!split_name(target, name, &version))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "a full name is projects/P/secrets/S or "
				  "projects/P/secrets/S/versions/N, not %s",
				  redact_argument(name));
	if (target_set_project(task, target->project, st) != CODE_OK ||
	    target_set_secret(task, target->secret, st) != CODE_OK)
		return st->code;
	if (version.ptr == NULL)
		return CODE_OK;
	if (version_option != NULL)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "the name has a version, and "
				  "--secret-version, too");
	return set_version(target, version, st);
}

/* By its operand, or by the names that the main job takes. */
static enum code
read_target(struct access_target *target, const char *name, struct task *task,
	    struct status *st)
{
	const struct target_options *options = target_options();

	if (set_version(target,
			str_from(version_option != NULL ? version_option
							: "latest"),
			st) != CODE_OK)
		return st->code;
	if (name != NULL && str_find(str_from(name), '/') < str_from(name).len)
		return read_full_name(target, name, task, st);
	if (name == NULL)
		name = options->secret_name;
	if (name == NULL)
		return target_read(task, options, st);
	if (target_set_project(task, options->project, st) != CODE_OK)
		return st->code;
	return target_set_secret(task, name, st);
}

/* Reading needs less than what the main job does. */
static void
hint_at_role(struct status *st)
{
	if (st->code != CODE_PERMISSION_DENIED ||
	    !str_contains(str_from(st->hint), STR("roles/secretmanager.")))
		return;
	st->hint[0] = '\0';
	status_hint(st, "grant roles/secretmanager.secretAccessor on the "
			"secret or the project");
}

/* Codes: those of secretmanager_access(), and of all before it. */
static enum code
fetch(struct program *program, const char *name, struct str *data,
      struct status *st)
{
	struct client *client = &program->client;
	struct task *task = &program->task;
	struct secret_version found;
	struct access_target target;
	struct retry retry;
	uint64_t number;

	if (program_start_clock(program, st) != CODE_OK ||
	    read_target(&target, name, task, st) != CODE_OK ||
	    program_load(program, st) != CODE_OK ||
	    program_confine(program, st) != CODE_OK)
		return st->code;
	client->listener = NULL; /* nothing but the payload is printed */
	client->sm.listener = NULL;
	if (client_connect(client, st) != CODE_OK)
		return st->code;
	retry = client_retries(client);
	if (secretmanager_access(&client->sm, task->project, task->secret,
				 target.version, &found, data, &retry,
				 st) != CODE_OK) {
		hint_at_role(st);
		return st->code;
	}
	if (parse_uint(str_from(target.version), &number) &&
	    number != found.number)
		return status_set(st, CODE_DATA_LOSS,
				  "version %s was asked for, the reply is %s",
				  target.version, found.name);
	return CODE_OK;
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	struct status st = { .code = CODE_OK };
	struct str data = STR("");

	if (fetch(program, count > 0 ? operand[0] : NULL, &data, &st) ==
	    CODE_OK)
		return print_result(data);
	return applet_fail(&APPLET_access, &st);
}

const struct applet APPLET_access = {
	.name = "access",
	.operands = "[NAME]",
	.description = "print the payload of a version",
	.help = "Prints the payload of a version and nothing else, its "
		"checksum verified.\n"
		"NAME: a secret of the project, projects/P/secrets/S, or the "
		"same with\n"
		"/versions/N; without NAME the secret of the main job. Every "
		"flag has a\n"
		"variable, but for --secret-version; flags win.\n",
	.options = TABLES,
	.operands_max = 1,
	.run = run,
};
