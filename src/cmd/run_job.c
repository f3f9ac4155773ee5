#include "cmd/applet.h"

#include <unistd.h>

#include "base/redact.h"
#include "cmd/print.h"
#include "job/job.h"

static enum exit_status
list_jobs(struct run *run)
{
	struct buf *out = &run->call.request; /* lends its memory */

	buf_put_cstr(out, "usage: pull-secret run-job JOB [OPTION...]\n\n"
			  "Jobs:\n");
	for (size_t i = 0; JOBS[i] != NULL; i++) {
		buf_put_cstr(out, "  ");
		buf_put_cstr(out, JOBS[i]->name);
		buf_put_cstr(out, "  ");
		buf_put_cstr(out, JOBS[i]->description);
		buf_put_char(out, '\n');
	}
	return print_result(buf_view(out));
}

static enum exit_status
help_job(const struct job *job, struct run *run, const struct opt_table *tables,
	 size_t count)
{
	struct buf *out = &run->call.request; /* lends its memory */

	buf_put_cstr(out, "usage: pull-secret run-job ");
	buf_put_cstr(out, job->name);
	buf_put_cstr(out, " [OPTION...]\n\nJob ");
	buf_put_cstr(out, job->name);
	buf_put_cstr(out, ": ");
	buf_put_cstr(out, job->description);
	buf_put_cstr(out, ".\nEvery flag has a variable; flags win.\n");
	opt_help(tables, count, out);
	return print_result(buf_view(out));
}

/* Where the log cannot be written, standard error says so. */
static enum exit_status
run_and_tell(const struct job *job, struct run *run)
{
	enum exit_status result = job_run(job, run);
	struct status *lost = &run->report.failure;

	if (lost->code == CODE_OK)
		return result;
	status_prefix(lost, "run-job %s", job->name);
	return complain(lost, result);
}

/* Result file and termination log; keeps an earlier error. */
static void
prepare_report(struct run *run, struct status *st)
{
	const struct settings *s = &run->settings;
	/* The inputs first: the termination log may be an output, too. */
	enum { INPUTS = 3, ALL = 6 };
	const struct other_file other[ALL] = {
		{ "PULL_SECRET_FILE", s->pull_secret_file, -1 },
		{ "GOOGLE_APPLICATION_CREDENTIALS", s->credentials_file, -1 },
		{ "SSL_CERT_FILE", s->ca_file, -1 },
		{ "standard output", NULL, STDOUT_FILENO },
		{ "standard error", NULL, STDERR_FILENO },
		{ "TERMINATION_LOG_PATH", s->termination_log, -1 },
	};
	struct status first = { .code = CODE_OK }, second = first;

	run->report.cluster_id = shown(s->cluster_id);
	run->report.project = shown(s->project);
	(void)report_init(&run->report, s->results_path, other, ALL, &first);
	(void)report_init_termination_log(&run->report, s->termination_log,
					  other, INPUTS, &second);
	if (first.code == CODE_OK)
		first = second;
	if (first.code == CODE_OK)
		(void)report_reserve(&run->report, &first);
	if (st->code == CODE_OK)
		*st = first;
}

/* Options and result file; an error in them is told on standard error. */
static enum exit_status
start_job(const struct job *job, struct run *run, int argc, char **argv)
{
	const struct opt_table tables[] = { *job->options, RUN_OPTIONS,
					    NETWORK_OPTIONS };
	const char *operand[1];
	struct status st = { .code = CODE_OK };
	enum exit_status result;
	size_t operands = 0;
	bool help = false;

	(void)opt_parse(tables, OPT_COUNT(tables), argc, argv, &run->settings,
			operand, &operands, &help, &st);
	if (st.code == CODE_OK && help)
		return help_job(job, run, tables, OPT_COUNT(tables));
	prepare_report(run, &st);
	if (st.code == CODE_OK)
		return run_and_tell(job, run);
	result = job_abort(run, &st);
	status_prefix(&st, "run-job %s", job->name);
	return complain(&st, result);
}

enum exit_status
run_job_main(struct run *run, int argc, char **argv)
{
	struct status st = { .code = CODE_OK };
	const struct job *job;
	struct str name;

	if (argc == 0)
		return list_jobs(run);
	name = str_from(argv[0]);
	if ((str_eq(name, STR("--help")) || str_eq(name, STR("-h"))) &&
	    argc == 1)
		return list_jobs(run);
	job = job_find(name);
	if (job != NULL)
		return start_job(job, run, argc - 1, argv + 1);
	if (str_eq(name, STR("--help")) || str_eq(name, STR("-h"))) {
		(void)status_set(&st, CODE_INVALID_ARGUMENT,
				 "run-job: unexpected argument: %s",
				 shown(argv[1]));
		return complain(&st, EXIT_CONFIG);
	}
	(void)status_set(&st, CODE_INVALID_ARGUMENT,
			 str_starts(name, STR("-"))
				 ? "run-job: the job comes first, then %s"
				 : "run-job: no job %s",
			 shown(argv[0]));
	status_hint(&st, "pull-secret run-job lists the jobs");
	return complain(&st, EXIT_CONFIG);
}
