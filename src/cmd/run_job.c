#include "base/redact.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/jobs.h"
#include "job/outputs.h"
#include "job/target.h"
#include "sys/opt.h"

#define NAME_COLUMN 24

static enum exit_status
list_jobs(struct program *program)
{
	struct buf *out = applet_output(program);

	buf_put_cstr(out, "usage: pull-secret run-job JOB [OPTION...]\n\n"
			  "Jobs:\n");
	for (size_t i = 0; job_number(i) != NULL; i++) {
		buf_put_cstr(out, "  ");
		buf_put_padded(out, job_number(i)->name, NAME_COLUMN);
		buf_put_cstr(out, job_number(i)->description);
		buf_put_char(out, '\n');
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
	enum exit_status result = job_run(job, program, &source);
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

static enum exit_status
run_raw(struct program *program, int argc, char **argv)
{
	struct status st = { .code = CODE_OK };
	const struct job *job;
	struct str name;
	bool help;

	if (argc == 0)
		return list_jobs(program);
	name = str_from(argv[0]);
	help = str_eq(name, STR("--help")) || str_eq(name, STR("-h"));
	if (help && argc == 1)
		return list_jobs(program);
	job = job_find(name);
	if (job != NULL)
		return start_job(job, program, argc - 1, argv + 1);
	if (help) {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "unexpected argument: %s",
				 redact_argument(argv[1]));
	} else {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 str_starts(name, STR("-"))
					 ? "the job comes first, then %s"
					 : "no job %s",
				 redact_argument(argv[0]));
		status_hint(&st, "pull-secret run-job lists the jobs");
	}
	return applet_fail(&APPLET_run_job, &st);
}

const struct applet APPLET_run_job = {
	.name = "run-job",
	.operands = "[JOB]",
	.description = "run a job; without JOB, list the jobs",
	.run_raw = run_raw,
};
