#include "job/job.h"

#include <string.h>

#include "base/format.h"
#include "job/target.h"
#include "job/tasks_options.h"
#include "sys/wait.h"

/* For a pipe to be read after an error. */
#define LOAD_AFTER_ERROR_MS 1000

static bool
next_from_options(struct task_source *source, struct task *task,
		  struct status *st)
{
	if (source->count++ > 0)
		return false;
	(void)target_read(task, target_options(), st);
	return true;
}

struct task_source
task_from_options(void)
{
	return (struct task_source){ .next = next_from_options };
}

/* The `reason` of the result file: PascalCase, stable. */
static const char *
failure_reason(const struct outcome *outcome)
{
	if (outcome->reason != NULL)
		return outcome->reason;
	switch (outcome->exit) {
	case EXIT_DONE:
		break;
	case EXIT_UNREPORTED:
		return "ReportIncomplete";
	case EXIT_TASKS_FAILED:
		return "TasksFailed";
	case EXIT_CONFIG:
		return "ConfigurationInvalid";
	case EXIT_PULL_SECRET:
		return "PullSecretInvalid";
	case EXIT_AUTH:
		return outcome->status.code == CODE_PERMISSION_DENIED
			       ? "PermissionDenied"
			       : "NotAuthenticated";
	case EXIT_INTEGRITY:
		return "VerificationFailed";
	case EXIT_SIGINT:
	case EXIT_SIGTERM:
		return "Interrupted";
	case EXIT_RETRY:
		if (outcome->status.code == CODE_DEADLINE_EXCEEDED)
			return "DeadlineExceeded";
		if (outcome->status.code == CODE_RESOURCE_EXHAUSTED)
			return "QuotaExceeded";
		break;
	}
	return "ServiceUnavailable";
}

/* A run so far. */
struct summary {
	const struct job *job;  /* NULL: it has not started */
	struct outcome outcome; /* of the last task that failed, if any did */
	size_t total, failed;
	const struct task_counts *counts; /* of a list; else NULL */
};

/* Adds to a failure what the job has changed already. */
static void
add_effect(const struct job *job, const struct outcome *outcome,
	   struct status *st)
{
	size_t used = strlen(st->message), needed;
	const char *text = NULL, *resource = "";

	if (job == NULL)
		return;
	if (outcome->effect == EFFECT_DONE) {
		text = job->messages.done;
		resource = outcome->resource;
	} else if (outcome->effect == EFFECT_UNKNOWN) {
		text = job->messages.unknown;
	} else if (status_interrupted(st)) {
		text = job->messages.none;
	}
	if (text == NULL || str_contains(str_from(st->message), str_from(text)))
		return;
	/* This is worth more than the end of a long message. */
	needed = strlen(text) + strlen(resource) + sizeof("; ");
	if (used > sizeof(st->message) - needed)
		used = sizeof(st->message) - needed;
	(void)format_text(st->message + used, sizeof(st->message) - used,
			  "; %s%s", text, resource);
}

static void
log_ignored(struct report *report)
{
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = "validate-config",
				       .message = report->log.ignored };

	if (line.message[0] != '\0')
		report_log(report, &line);
}

/*
 * Reads what the network will need. After an error, too, which stays, but with
 * less patience: the report must not be written to a file that is read.
 */
static void
load(struct program *program, struct status *st)
{
	struct status unread = { .code = CODE_OK };

	if (st->code != CODE_OK)
		program->client.until = deadline_in(LOAD_AFTER_ERROR_MS);
	if (program_load(program, &unread) != CODE_OK && st->code == CODE_OK)
		*st = unread;
}

enum code
job_start(const struct job *job, struct program *program,
	  const struct status *wrong, struct status *st)
{
	struct report *report = &program->report;
	struct status more = { .code = CODE_OK }, conflict = more;
	struct status list = more;

	/* All that is wrong or missing is reported together. */
	(void)program_start_clock(program, st);
	report_info(report, "start", "%s", job->start);
	log_ignored(report);
	report->operation = "validate-config";
	status_join(st, wrong);
	if (job->check != NULL)
		(void)job->check(&more);
	(void)tasks_check(&list);
	status_join(&more, &list);
	status_join(st, &more);
	if (job->run != NULL)
		load(program, st);
	if (report_start(report, &conflict) != CODE_OK && st->code == CODE_OK)
		*st = conflict;
	return st->code;
}

void
job_work(const struct job *job, struct client *client, struct task *task,
	 struct report *report, struct outcome *outcome)
{
	struct status *st = &outcome->status;

	report->operation = "init-client";
	if (report_check(report, st) != CODE_OK ||
	    client_connect(client, st) != CODE_OK)
		return;
	report_info(report, "client-initialized",
		    "Successfully initialized Secret Manager client");
	if (report_check(report, st) == CODE_OK)
		job->run(client, task, report, outcome);
}

void
job_explain(const struct job *job, struct outcome *outcome)
{
	struct status *st = &outcome->status;

	if (st->code == CODE_OK)
		return;
	if (status_interrupted(st))
		outcome->exit = (enum exit_status)(128 + wait_signal());
	else if (outcome->exit == EXIT_DONE)
		outcome->exit = code_exit_status(st->code);
	outcome->reason = failure_reason(outcome);
	add_effect(job, outcome, st);
}

/* Works on one task, which may be `wrong`, and logs how it failed, if so. */
static void
process(struct summary *summary, struct program *program,
	const struct status *wrong)
{
	const struct job *job = summary->job;
	struct outcome *outcome = &summary->outcome;
	struct report *report = &program->report;
	struct status *st = &outcome->status;
	struct log_line line = { .level = LOG_ERROR, .status = st };

	if (job_start(job, program, wrong, st) == CODE_OK &&
	    job->prepare != NULL)
		job->prepare(&program->client, &program->task, report, outcome);
	if (st->code == CODE_OK && job->run != NULL) {
		report->operation = "init-client";
		if (report_check(report, st) == CODE_OK &&
		    program_confine(program, st) == CODE_OK)
			job_work(job, &program->client, &program->task, report,
				 outcome);
	}
	if (st->code == CODE_OK)
		return;
	job_explain(job, outcome);
	line.operation = report->operation;
	line.message = st->message;
	line.version = outcome->resource;
	report_log(report, &line);
}

static enum log_level
summary_level(const struct summary *summary)
{
	if (summary->counts != NULL)
		return summary->outcome.exit == EXIT_DONE ? LOG_INFO
							  : LOG_ERROR;
	return summary->failed == summary->total ? LOG_ERROR : LOG_INFO;
}

/* Last of all, for people. */
static void
log_stored(const struct summary *summary, struct report *report)
{
	const char *resource = summary->outcome.resource;
	const char *number = strrchr(resource, '/');

	if (report->log.text && summary->outcome.exit == EXIT_DONE &&
	    number != NULL)
		report_info(report, "stored",
			    "Version %s is stored; read it back: "
			    "pull-secret access %s",
			    number + 1, resource);
}

static void
log_summary(const struct summary *summary, struct report *report)
{
	char message[160], counts[120];
	const struct log_line line = { .level = summary_level(summary),
				       .operation = "summary",
				       .message = message,
				       .counts = summary->counts };

	if (report->log.quiet)
		return;
	if (summary->counts != NULL)
		counts_message(summary->counts, "total", counts,
			       sizeof(counts));
	else
		(void)format_text(counts, sizeof(counts),
				  "%zu total, %zu succeeded, %zu failed",
				  summary->total,
				  summary->total - summary->failed,
				  summary->failed);
	(void)format_text(message, sizeof(message), "Job %s: %s",
			  summary->job->name, counts);
	report_log(report, &line);
	log_stored(summary, report);
}

/* Of a list, the counts say it. */
static void
add_effect_of_one(const struct summary *summary, struct status *st)
{
	if (summary->counts == NULL)
		add_effect(summary->job, &summary->outcome, st);
}

/*
 * A success that cannot be reported is a failure. If the job may not be
 * repeated, it has an exit status of its own.
 */
static void
fail_unreported(struct summary *summary, const struct status *why)
{
	struct outcome *outcome = &summary->outcome;
	const char *hint = "make room for the log and the result file";

	outcome->exit = EXIT_RETRY;
	if (summary->job != NULL && outcome->effect == EFFECT_DONE &&
	    summary->job->messages.repeated != NULL) {
		outcome->exit = EXIT_UNREPORTED;
		hint = summary->job->messages.repeated;
	}
	outcome->reason = "ReportIncomplete";
	outcome->status = *why;
	summary->failed = summary->total;
	add_effect_of_one(summary, &outcome->status);
	status_hint(&outcome->status, "%s", hint);
}

/* Whether it says that something was stored. */
static bool
claims_success(const struct summary *summary)
{
	return summary->outcome.exit == EXIT_DONE ||
	       (summary->counts != NULL &&
		summary->outcome.effect == EFFECT_DONE);
}

/* A success fails if not the whole log could be written. */
static void
fail_if_log_is_lost(struct summary *summary, const struct report *report)
{
	struct status why = report->failure;

	if (why.code == CODE_OK || !claims_success(summary))
		return;
	status_prefix(&why, "the log is incomplete: %s",
		      log_place(&report->log));
	fail_unreported(summary, &why);
}

static struct ending
ending_of(const struct summary *summary)
{
	const struct outcome *outcome = &summary->outcome;

	return (struct ending){
		.outcome = &outcome->status,
		.reason = outcome->reason,
		.message = outcome->exit != EXIT_DONE ? outcome->status.message
			   : outcome->message[0] != '\0' ? outcome->message
							 : OUTCOME_UNCHANGED,
		.version = outcome->resource,
		.counts = summary->counts,
	};
}

static bool
write_result(const struct summary *summary, struct report *report,
	     struct status *st)
{
	const struct ending ending = ending_of(summary);

	return report_result(report, &ending, st) == CODE_OK;
}

/* Writes the result file; a success that cannot be written is a failure. */
static void
finish_result(struct summary *summary, struct report *report)
{
	struct status lost = { .code = CODE_OK }, again = { .code = CODE_OK };
	const struct log_line line = { .level = LOG_ERROR,
				       .operation = "result-file",
				       .message = lost.message,
				       .version = summary->outcome.resource,
				       .status = &lost };

	if (write_result(summary, report, &lost))
		return;
	if (claims_success(summary)) {
		fail_unreported(summary, &lost);
		lost = summary->outcome.status;
		(void)write_result(summary, report, &again);
	}
	report_log(report, &line);
}

/*
 * Reports the end of the run: result file, summary, termination log. A failure
 * of one must be in the others, and the file must never hold a success that is
 * then withdrawn: so it waits first until the summary can be written.
 */
static enum exit_status
finish(struct summary *summary, struct report *report)
{
	struct status lost = { .code = CODE_OK };
	struct ending ending;

	if (summary->job != NULL)
		report_wait_log(report, summary_level(summary));
	fail_if_log_is_lost(summary, report);
	finish_result(summary, report);
	if (summary->job != NULL)
		log_summary(summary, report);
	if (summary->outcome.exit == EXIT_DONE) {
		fail_if_log_is_lost(summary, report);
		if (summary->outcome.exit != EXIT_DONE)
			(void)write_result(summary, report, &lost);
	}
	ending = ending_of(summary);
	report_termination(report, &ending);
	if (report->failure.code != CODE_OK) {
		status_prefix(&report->failure, "%s", log_place(&report->log));
		add_effect_of_one(summary, &report->failure);
	}
	return summary->outcome.exit;
}

enum exit_status
job_run(const struct job *job, struct program *program,
	struct task_source *source)
{
	/* Large: the stack must stay within reach of wipe_stack(). */
	static struct summary summary, done, one;
	struct status wrong = { .code = CODE_OK };

	summary = (struct summary){ .job = job };
	done = summary;
	while (source->next(source, &program->task, &wrong)) {
		one = (struct summary){ .job = job };
		process(&one, program, &wrong);
		status_clear(&wrong);
		summary.total++;
		if (one.outcome.exit == EXIT_DONE) {
			done.outcome = one.outcome;
			continue;
		}
		summary.failed++;
		summary.outcome = one.outcome;
	}
	if (summary.failed < summary.total)
		summary.outcome = done.outcome;
	return finish(&summary, &program->report);
}

enum exit_status
job_finish(const struct job *job, struct report *report,
	   const struct outcome *outcome, const struct task_counts *counts)
{
	static struct summary summary;

	summary = (struct summary){ .job = job,
				    .outcome = *outcome,
				    .total = counts->total,
				    .failed = counts->total - counts->succeeded,
				    .counts = counts };
	return finish(&summary, report);
}

enum exit_status
job_abort(struct program *program, const struct status *st)
{
	struct summary summary = {
		.outcome = { .status = *st,
			     .exit = code_exit_status(st->code) },
	};
	struct outcome *outcome = &summary.outcome;

	load(program, &outcome->status);
	outcome->reason = outcome->exit == EXIT_RETRY ? "ReportIncomplete"
						      : failure_reason(outcome);
	return finish(&summary, &program->report);
}
