#include "job/fleet.h"

#include "base/format.h"
#include "job/launcher.h"
#include "job/options.h"
#include "sys/sandbox.h"

/* What was made just now may be the result file, spelled differently. */
static enum code
check_made(const struct report *report, struct status *st)
{
	const struct other_file made[] = {
		{ opt_origin("FAILED_FILE"), tasks_settings()->failed, -1 },
		{ opt_origin("JOURNAL_FILE"), journal_path(), -1 },
	};

	for (size_t i = 0; i < OPT_COUNT(made); i++)
		if (made[i].path != NULL && report->result.folder >= 0 &&
		    report_check_others(report->result.path,
					opt_origin("RESULTS_PATH"), &made[i], 1,
					st) != CODE_OK)
			break;
	return st->code;
}

/*
 * Reads what all tasks share, and opens the list and the files that are written
 * besides the reports.
 */
static enum code
open_all(struct launcher *launcher, struct program *program,
	 struct outcome *outcome)
{
	const struct job *job = launcher->job;
	struct status *st = &outcome->status;

	if (job->prepare != NULL)
		job->prepare(&program->client, &program->task, &program->report,
			     outcome);
	if (st->code == CODE_OK)
		(void)tasks_open(&launcher->tasks, job->prepare != NULL, st);
	if (st->code == CODE_OK)
		tasks_share(&launcher->tasks, program->task.payload);
	if (st->code == CODE_OK)
		(void)journal_open(&launcher->journal, journal_path(), st);
	if (st->code == CODE_OK)
		(void)failed_open(&launcher->failed, tasks_settings()->failed,
				  opt_origin("FAILED_FILE"), st);
	if (st->code == CODE_OK)
		(void)check_made(launcher->report, st);
	return st->code;
}

static enum code
confine(const struct launcher *launcher, struct status *st)
{
	const struct sandbox_allow allow = {
		.write_folder = launcher->report->result.folder,
		.read_folder = tasks_folder(&launcher->tasks),
	};

	return sandbox_enter(SANDBOX_LAUNCHER, &allow, st);
}

/* How it ended, all in all. */
static void
judge(const struct launcher *launcher, struct outcome *outcome)
{
	const struct task_counts *counts = &launcher->counts;
	struct status *st = &outcome->status;

	*outcome = (struct outcome){ .reason = counts_reason(counts) };
	if (launcher->wrote)
		outcome->effect = EFFECT_DONE;
	counts_message(counts, "total", outcome->message,
		       sizeof(outcome->message));
	if (launcher->stop.code != CODE_OK) {
		*st = launcher->stop;
		status_prefix(st, "%s", outcome->message);
		outcome->exit = launcher->exit;
		return;
	}
	if (counts->succeeded == counts->total)
		return;
	outcome->exit = counts->may_pass > 0 ? EXIT_RETRY : EXIT_TASKS_FAILED;
	*st = launcher->last_failure;
	(void)format_text(st->message, sizeof(st->message), "%s",
			  outcome->message);
}

static void
warn_if_empty(const struct launcher *launcher)
{
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = "read-tasks",
				       .message = "there was no task" };

	if (launcher->counts.total == 0)
		report_log(launcher->report, &line);
}

/* Of the launcher's own part; in the processes that it forks, `forked`. */
static enum exit_status
work(struct launcher *launcher, struct program *program,
     struct outcome *outcome, bool *forked)
{
	struct report *report = &program->report;
	struct status *st = &outcome->status;
	enum exit_status exit = EXIT_DONE;

	report->operation = "init-client";
	progress_start(&launcher->progress, report, clock_ms());
	if (report_check(report, st) != CODE_OK ||
	    crew_start(&launcher->crew, tasks_settings()->workers,
		       launcher->job, program, forked, &exit, st) != CODE_OK ||
	    *forked)
		return exit;
	/* It has no use for credentials any more. */
	cred_wipe(&program->client.cred);
	launcher->ran = confine(launcher, st) == CODE_OK;
	if (launcher->ran) {
		launcher_run(launcher);
		warn_if_empty(launcher);
		judge(launcher, outcome);
	}
	crew_end(&launcher->crew);
	return EXIT_DONE;
}

/* Why there was no run. */
static void
explain(const struct launcher *launcher, struct outcome *outcome)
{
	struct report *report = launcher->report;
	const struct log_line line = { .level = LOG_ERROR,
				       .operation = report->operation,
				       .message = outcome->status.message,
				       .status = &outcome->status };

	job_explain(launcher->job, outcome);
	report_log(report, &line);
}

enum exit_status
fleet_run(const struct job *job, struct program *program)
{
	/* Large: the stack must stay within reach of wipe_stack(). */
	static struct launcher launcher;
	static struct outcome outcome;
	const struct status right = { .code = CODE_OK };
	enum exit_status exit;
	bool forked = false;

	launcher.job = job;
	launcher.report = &program->report;
	launcher.until = DEADLINE_NEVER;
	if (job_start(job, program, &right, &outcome.status) == CODE_OK &&
	    open_all(&launcher, program, &outcome) == CODE_OK) {
		if (options_of_run()->timeout != NULL)
			launcher.until = program->client.until;
		pace_init(&launcher.pace, pace_rate(tasks_settings()->rate,
						    tasks_settings()->shards));
		exit = work(&launcher, program, &outcome, &forked);
		if (forked)
			return exit;
	}
	if (!launcher.ran)
		explain(&launcher, &outcome);
	tasks_close(&launcher.tasks);
	journal_close(&launcher.journal);
	failed_close(&launcher.failed);
	return job_finish(job, &program->report, &outcome, &launcher.counts);
}
