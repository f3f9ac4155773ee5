#include "job/doctor_inputs.h"

#include "base/redact.h"
#include "gcp/resourcemanager.h"
#include "job/doctor_finding.h"
#include "job/input.h"
#include "job/jobs.h"
#include "job/pullsecret.h"
#include "job/target.h"
#include "job/validation.h"

/* How the log is written, and whether options fit together. */
static void
check_options(struct status *st)
{
	struct log unused = { .level = LOG_INFO };
	struct status more = { .code = CODE_OK };

	(void)log_init(&unused, st);
	/* The source of the pull secret is a step of its own. */
	if (input_check(&more) == CODE_OK)
		(void)JOB_pull_secret.check(&more);
	else
		status_clear(&more);
	status_join(st, &more);
}

bool
doctor_check_configuration(struct doctor *d, struct program *program)
{
	const struct task *task = &program->task;
	struct status st = { .code = CODE_OK }, more = st;

	(void)program_start_clock(program, &st);
	(void)target_read(&program->task, target_options(), &more);
	status_join(&st, &more);
	status_clear(&more);
	check_options(&more);
	status_join(&st, &more);
	if (st.code == CODE_OK)
		doctor_record(d, DOCTOR_CONFIGURATION, DOCTOR_OK, EXIT_DONE,
			      "project %s, cluster %s, secret %s",
			      task->project, task->cluster_id, task->secret);
	else
		doctor_fail(d, DOCTOR_CONFIGURATION, &st);
	return st.code == CODE_OK;
}

/* Reads and checks it; `*exit` of a failure. */
static enum code
read_pull_secret(struct doctor *d, struct program *program,
		 enum exit_status *exit, struct status *st)
{
	struct call *call = &program->client.call; /* lends its memory */
	struct task *task = &program->task;
	const struct pullsecret_findings *found;
	struct str secret;

	*exit = EXIT_PULL_SECRET;
	if (input_check(st) != CODE_OK ||
	    input_read(program->client.until, &task->input, st) != CODE_OK) {
		if (st->code != CODE_OUT_OF_RANGE)
			*exit = code_exit_status(st->code);
		return st->code;
	}
	secret = pullsecret_strip(buf_view(&task->input));
	if (validation_check(secret, call, &found, st) != CODE_OK)
		status_prefix(st, "invalid pull secret");
	else
		doctor_record(d, DOCTOR_PULL_SECRET, DOCTOR_OK, EXIT_DONE,
			      "valid: %zu bytes, %zu %s%s", secret.len,
			      found->registries,
			      found->registries == 1 ? "registry"
						     : "registries",
			      found->warnings == 0
				      ? ""
				      : ", with warnings: see validate");
	return st->code;
}

bool
doctor_check_pull_secret(struct doctor *d, struct program *program)
{
	struct status st = { .code = CODE_OK };
	enum exit_status exit;

	if (read_pull_secret(d, program, &exit, &st) != CODE_OK) {
		doctor_fail(d, DOCTOR_PULL_SECRET, &st);
		if (!status_interrupted(&st))
			d->finding[DOCTOR_PULL_SECRET].exit = exit;
	}
	buf_wipe(&program->task.input);
	return st.code == CODE_OK;
}

static const enum doctor_step OUTPUT_STEP[FILE_OUTPUTS] = {
	[FILE_RESULT] = DOCTOR_RESULT_FILE,
	[FILE_TERMINATION_LOG] = DOCTOR_TERMINATION_LOG,
};

/* A default place is used if it can be: else the job does without. */
static bool
check_output(struct doctor *d, enum file_output which)
{
	enum doctor_step step = OUTPUT_STEP[which];
	struct output *output = &d->output[which];
	struct status st = { .code = CODE_OK };

	(void)outputs_probe(which, JOB_pull_secret.options, output, &st);
	if (output->path == NULL)
		doctor_record(d, step, DOCTOR_SKIPPED, EXIT_DONE,
			      "none: %s is not set, and %s is not there",
			      output->option, output->usual);
	else if (st.code == CODE_OK)
		doctor_record(d, step, DOCTOR_OK, EXIT_DONE,
			      "%s can be written",
			      redact_argument(output->path));
	else if (output->given || st.code == CODE_UNAVAILABLE) /* no room */
		doctor_fail(d, step, &st);
	else
		doctor_record(d, step, DOCTOR_SKIPPED, EXIT_DONE, "none: %s",
			      st.message);
	return st.code == CODE_OK;
}

bool
doctor_check_result_file(struct doctor *d, struct program *program)
{
	(void)program;
	return check_output(d, FILE_RESULT);
}

bool
doctor_check_termination_log(struct doctor *d, struct program *program)
{
	(void)program;
	return check_output(d, FILE_TERMINATION_LOG);
}

/* Fails the outputs that turned out to be files that are read. */
static void
end_guards(struct doctor *d)
{
	for (size_t i = 0; i < FILE_OUTPUTS; i++) {
		const struct output *output = &d->output[i];
		struct status st = { .code = CODE_OK };

		if (file_guard_end((enum file_output)i, output->option,
				   output->path, &st) != CODE_OK)
			doctor_fail(d, OUTPUT_STEP[i], &st);
	}
}

bool
doctor_check_credentials(struct doctor *d, struct program *program,
			 const char *resource_manager)
{
	int64_t started = clock_ms();
	struct status st = { .code = CODE_OK };

	if (program_load(program, &st) == CODE_OK &&
	    resourcemanager_url(&d->resource_manager, resource_manager,
				program->client.cred.universe,
				&st) == CODE_OK &&
	    program_confine(program, &st) == CODE_OK)
		doctor_record(d, DOCTOR_CREDENTIALS, DOCTOR_OK, EXIT_DONE, "%s",
			      program->client.cred.source);
	else
		doctor_fail(d, DOCTOR_CREDENTIALS, &st);
	end_guards(d);
	d->finding[DOCTOR_CREDENTIALS].duration_ms = clock_ms() - started;
	return st.code == CODE_OK;
}
