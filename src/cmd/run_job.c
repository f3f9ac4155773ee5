#include "base/redact.h"
#include "base/suggest.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/fleet.h"
#include "job/jobs.h"
#include "job/options.h"
#include "job/outputs.h"
#include "job/target.h"
#include "job/tasks_options.h"
#include "sys/opt.h"

#define NAME_COLUMN 24

/* With `options`, also what every job takes, and an example. */
static enum exit_status
list_jobs(struct program *program, bool options)
{
	static const struct opt_table *const TABLES[] = { &RUN_OPTIONS,
							  &NETWORK_OPTIONS,
							  NULL };
	struct buf *out = applet_output(program);

	buf_put_cstr(out, "usage: pull-secret run-job JOB [OPTION...]\n\n"
			  "Jobs:\n");
	for (size_t i = 0; job_number(i) != NULL; i++) {
		buf_put_cstr(out, "  ");
		buf_put_padded(out, job_number(i)->name, NAME_COLUMN);
		buf_put_cstr(out, job_number(i)->description);
		buf_put_char(out, '\n');
	}
	buf_put_cstr(out, "\npull-secret run-job JOB --help shows its options."
			  "\n");
	if (options) {
		opt_help(TABLES, out);
		buf_put_cstr(out,
			     "\nExample:\n"
			     "  pull-secret run-job pull-secret \\\n"
			     "    --gcp-project-id my-project --cluster-id "
			     "cls-1 \\\n"
			     "    --pull-secret-file pull-secret.json "
			     "--dry-run\n");
	}
	return print_result(buf_view(out));
}

static enum exit_status
print_help(const struct job *job, struct program *program)
{
	struct buf *out = applet_output(program);

	buf_put_cstr(out, "usage: pull-secret run-job ");
	buf_put_cstr(out, job->name);
	buf_put_cstr(out, " [OPTION...]\n\nJob ");
	buf_put_cstr(out, job->name);
	buf_put_cstr(out, ": ");
	buf_put_cstr(out, job->description);
	buf_put_cstr(out, ".\nFlags win over variables.\n");
	opt_help(job->options, out);
	return print_result(buf_view(out));
}

/* Where the log cannot be written, standard error says so. */
static enum exit_status
run_and_report(const struct job *job, struct program *program)
{
	struct task_source source = task_from_options();
	enum exit_status result = tasks_given()
					  ? fleet_run(job, program)
					  : job_run(job, program, &source);
	struct status *lost = &program->report.failure;

	if (lost->code == CODE_OK)
		return result;
	status_prefix(lost, "run-job %s", job->name);
	return print_failure(lost, result);
}

/* Result file and termination log; keeps an earlier error. */
static void
prepare_report(const struct job *job, struct program *program,
	       struct status *st)
{
	struct report *report = &program->report;
	struct status first = { .code = CODE_OK };

	report->cluster_id = redact_argument(target_options()->cluster_id);
	report->project = redact_argument(target_options()->project);
	if (st->code == CODE_OK)
		(void)log_init(&report->log, st);
	if (outputs_prepare(report, job->options, &first) == CODE_OK)
		(void)report_reserve(report, job->messages.unknown, &first);
	if (st->code == CODE_OK)
		*st = first;
}

/* Options and result file; errors in them go to standard error. */
static enum exit_status
start_job(const struct job *job, struct program *program, int argc, char **argv)
{
	const char *operand[1];
	struct status st = { .code = CODE_OK };
	enum exit_status result;
	size_t operands = 0;

	if (!applet_parse(program, job->options, argc, argv, operand, &operands,
			  &st) &&
	    st.code == CODE_OK)
		return print_help(job, program);
	prepare_report(job, program, &st);
	if (st.code == CODE_OK)
		return run_and_report(job, program);
	result = job_abort(program, &st);
	status_prefix(&st, "run-job %s", job->name);
	return print_failure(&st, result);
}

static void
refuse_job(const char *name, struct status *st)
{
	struct suggestion near = { .word = str_from(name) };

	for (size_t i = 0; job_number(i) != NULL; i++)
		suggest_try(&near, job_number(i)->name, job_number(i)->name);
	suggest_hint(&near, st);
	status_hint(st, "pull-secret run-job lists the jobs");
	(void)status_set(st, CODE_INVALID_ARGUMENT,
			 name[0] == '-' ? "the job comes first, then %s"
					: "no job %s",
			 redact_argument(name));
}

static enum exit_status
run_raw(struct program *program, int argc, char **argv)
{
	struct status st = { .code = CODE_OK };
	const struct job *job;
	bool help = argc > 0 && opt_asks_for_help(argv[0]);

	if (argc == 0 || (help && argc == 1))
		return list_jobs(program, help);
	job = job_find(str_from(argv[help ? 1 : 0]));
	if (job != NULL)
		return help ? print_help(job, program)
			    : start_job(job, program, argc - 1, argv + 1);
	refuse_job(argv[help ? 1 : 0], &st);
	return applet_fail(&APPLET_run_job, &st);
}

const struct applet APPLET_run_job = {
	.name = "run-job",
	.operands = "[JOB]",
	.description = "run a job; without JOB, list the jobs",
	.run_raw = run_raw,
};
