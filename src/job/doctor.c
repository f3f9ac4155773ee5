#include "job/doctor.h"

#include "job/doctor_finding.h"
#include "job/doctor_inputs.h"
#include "job/doctor_network.h"
#include "job/doctor_permissions.h"

static const char *const NAMES[DOCTOR_STEPS] = {
	"configuration",
	"pull-secret",
	"result-file",
	"termination-log",
	"credentials",
	"dns",
	"tcp",
	"proxy",
	"tls",
	"token",
	"api",
	"clock",
	"secret",
	"add-version",
	"access-version",
	"create-secret",
};

const char *
doctor_step_name(enum doctor_step step)
{
	return NAMES[step];
}

/* Appends the names of the steps with that verdict; their number. */
static size_t
put_steps(const struct doctor *d, enum doctor_verdict verdict, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		if (d->finding[i].verdict != verdict)
			continue;
		buf_put_cstr(out, count++ == 0 ? " " : ", ");
		buf_put_cstr(out, NAMES[i]);
	}
	return count;
}

/* The first step with that verdict, or NULL. */
static const struct doctor_finding *
first_with(const struct doctor *d, enum doctor_verdict verdict)
{
	for (size_t i = 0; i < DOCTOR_STEPS; i++)
		if (d->finding[i].verdict == verdict)
			return &d->finding[i];
	return NULL;
}

static enum exit_status
conclude(struct doctor *d)
{
	const struct doctor_finding *failed = first_with(d, DOCTOR_FAILED);
	const struct doctor_finding *unknown = first_with(d, DOCTOR_UNKNOWN);
	struct buf out;

	buf_init(&out, d->summary, sizeof(d->summary) - 1);
	if (failed != NULL) {
		buf_put_cstr(&out, "Not ready: failed");
		(void)put_steps(d, DOCTOR_FAILED, &out);
	} else if (unknown != NULL) {
		buf_put_cstr(&out, "Perhaps not ready: nothing failed");
	} else {
		buf_put_cstr(&out, "Ready: the main job can store the pull "
				   "secret");
	}
	if (unknown != NULL) {
		buf_put_cstr(&out, "; unknown");
		(void)put_steps(d, DOCTOR_UNKNOWN, &out);
	}
	buf_put_cstr(&out, ".");
	if (failed != NULL)
		return failed->exit;
	return unknown != NULL ? unknown->exit : EXIT_DONE;
}

/* Takes one step, and the time of it. */
static bool
take(struct doctor *d, struct program *program, enum doctor_step step,
     bool (*check)(struct doctor *, struct program *))
{
	int64_t started = clock_ms();
	bool passed = check(d, program);

	d->finding[step].duration_ms = clock_ms() - started;
	return passed;
}

enum exit_status
doctor_walk(struct doctor *d, struct program *program,
	    const char *resource_manager)
{
	bool configured, connected, token;

	for (size_t i = 0; i < DOCTOR_STEPS; i++) {
		doctor_record(d, (enum doctor_step)i, DOCTOR_SKIPPED, EXIT_DONE,
			      "a step before it failed");
		d->finding[i].duration_ms = -1;
	}
	configured = take(d, program, DOCTOR_CONFIGURATION,
			  doctor_check_configuration);
	(void)take(d, program, DOCTOR_PULL_SECRET, doctor_check_pull_secret);
	(void)take(d, program, DOCTOR_RESULT_FILE, doctor_check_result_file);
	(void)take(d, program, DOCTOR_TERMINATION_LOG,
		   doctor_check_termination_log);
	if (doctor_check_credentials(d, program, resource_manager)) {
		connected = doctor_connect(d, program);
		token = take(d, program, DOCTOR_TOKEN, doctor_check_token);
		if (configured && connected && token)
			doctor_ask(d, program);
	}
	return conclude(d);
}
