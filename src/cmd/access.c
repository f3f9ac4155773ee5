#include "base/codec.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "cmd/secret_name.h"
#include "job/options.h"
#include "job/target.h"

static const char *version_option;

/* A variable of this name would meet other programs' versions. */
static const struct opt OPTIONS[] = {
	{ "--secret-version", NULL, "N|latest",
	  "version to print, by its number|latest", &version_option,
	  OPT_PLAIN },
};

static const struct opt_table OWN = { "Applet access", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = { &OWN, &TARGET_OPTIONS,
						  &TIME_OPTIONS,
						  &NETWORK_OPTIONS, NULL };

/* Whether `version` is a number or "latest", which "" becomes. */
static enum code
check_version(struct secret_name *name, struct status *st)
{
	struct str version;
	uint64_t number = 0;

	if (version_option != NULL && name->version[0] != '\0')
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "the name has a version, and "
				  "--secret-version, too");
	/* A text that is too long leaves "", which is no version. */
	if (name->version[0] == '\0')
		(void)str_copy(str_from(version_option != NULL ? version_option
							       : "latest"),
			       name->version, sizeof(name->version));
	version = str_from(name->version);
	if (str_eq(version, STR("latest")) ||
	    (parse_uint(version, &number) && number > 0))
		return CODE_OK;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "version %s: must be a number from 1, or latest",
			  redact_argument(version.ptr));
}

/* Codes: those of secretmanager_access(), and of all before it. */
static enum code
fetch(struct program *program, const char *name, struct str *data,
      struct status *st)
{
	struct client *client = &program->client;
	struct task *task = &program->task;
	struct secret_version found;
	struct secret_name target;
	struct retry retry;

	if (program_start_clock(program, st) != CODE_OK ||
	    secret_name_read(&target, name, task, st) != CODE_OK ||
	    check_version(&target, st) != CODE_OK ||
	    program_load(program, st) != CODE_OK ||
	    program_confine(program, st) != CODE_OK)
		return st->code;
	client->listener = NULL; /* nothing but the payload is printed */
	client->sm.listener = NULL;
	if (client_connect(client, st) != CODE_OK)
		return st->code;
	retry = client_retries(client);
	(void)secretmanager_access(&client->sm, task->project, task->secret,
				   target.version, &found, data, &retry, st);
	/* Reading needs less than what the main job does. */
	secretmanager_hint(st, "grant roles/secretmanager.secretAccessor on "
			       "the secret or the project");
	return st->code;
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
		"/versions/N; without NAME the secret of the main job.\n",
	.options = TABLES,
	.operands_max = 1,
	.run = run,
};
