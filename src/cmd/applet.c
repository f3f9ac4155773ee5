#include "cmd/applet.h"

const struct applet APPLETS[] = {
	{ "run-job", "[JOB]", "run a job; without JOB, list the jobs",
	  run_job_main },
	{ "validate", "[FILE|-]", "check a pull secret offline",
	  validate_main },
	{ "token", "[--json]", "print an access token", token_main },
	{ "doctor", "[--json]", "check the whole way, change nothing",
	  doctor_main },
	{ "version", "", "print version, commit and build date", version_main },
	{ "help", "[APPLET]", "print help", help_main },
	{ NULL, NULL, NULL, NULL },
};

const struct applet *
applet_find(struct str name)
{
	for (const struct applet *a = APPLETS; a->name != NULL; a++)
		if (str_eq(name, str_from(a->name)))
			return a;
	return NULL;
}
