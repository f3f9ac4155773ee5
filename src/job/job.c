#include "job/job.h"

#include <stdio.h>
#include <string.h>

#include "job/store_job.h"
#include "sys/wait.h"

const struct job *const JOBS[] = {
	&STORE_JOB,
	NULL,
};

const struct job *
job_find(struct str name)
{
	for (size_t i = 0; JOBS[i] != NULL; i++)
		if (str_eq(name, str_from(JOBS[i]->name)))
			return JOBS[i];
	return NULL;
}

/* The `reason` of the result file: PascalCase, stable. */
static const char *
failure_reason(const struct status *st, enum exit_status exit_status)
{
	switch (exit_status) {
	case EXIT_DONE:
		break;
	case EXIT_UNREPORTED:
		return "ReportIncomplete";
	case EXIT_CONFIG:
		return "ConfigurationInvalid";
	case EXIT_PULL_SECRET:
		return "PullSecretInvalid";
	case EXIT_AUTH:
		return st->code == CODE_PERMISSION_DENIED ? "PermissionDenied"
							  : "NotAuthenticated";
	case EXIT_INTEGRITY:
		return "VerificationFailed";
	case EXIT_SIGINT:
	case EXIT_SIGTERM:
		return "Interrupted";
	case EXIT_RETRY:
		if (st->code == CODE_DEADLINE_EXCEEDED)
			return "DeadlineExceeded";
		if (st->code == CODE_RESOURCE_EXHAUSTED)
			return "QuotaExceeded";
		break;
	}
	return "ServiceUnavailable";
}

static const char *
success_reason(const struct job *job, const struct run *run)
{
	return run->settings.dry_run != NULL ? "DryRunPassed"
					     : job->success_reason;
}

/* Says in a failure what is already in Secret Manager. */
static void
add_what_was_written(const struct run *run, struct status *st)
{
	const char *name = run->written ? run->version.name : "";
	size_t used = strlen(st->message), needed;
	const char *text = NULL;

	if (run->written)
		text = "a version was already written: ";
	else if (run->maybe_written)
		text = "it is unknown whether a version was written";
	else if (status_interrupted(st))
		text = "no version was written";
	if (text == NULL || strstr(st->message, text) != NULL)
		return;
	/* This is worth more than the end of a long message. */
	needed = strlen(text) + strlen(name) + sizeof("; ");
	if (used > sizeof(st->message) - needed)
		used = sizeof(st->message) - needed;
	(void)snprintf(st->message + used, sizeof(st->message) - used, "; %s%s",
		       text, name);
}

static enum exit_status
signal_exit_status(void)
{
	return (enum exit_status)(128 + wait_signal());
}

/* Works on one task and logs how it failed, if it did. */
static enum exit_status
process(const struct job *job, struct run *run, size_t task, struct status *st)
{
	enum exit_status result = job->process(run, task, st);
	struct log_line line = { .level = LOG_ERROR, .status = st };

	if (result == EXIT_DONE)
		return result;
	if (status_interrupted(st))
		result = signal_exit_status();
	add_what_was_written(run, st);
	line.operation = run->operation;
	line.message = st->message;
	line.version = run->written ? run->version.name : NULL;
	report_log(&run->report, &line);
	return result;
}

static void
log_summary(const struct job *job, struct run *run, size_t total, size_t failed)
{
	char message[160];
	const struct log_line line = {
		.level = failed == total ? LOG_ERROR : LOG_INFO,
		.operation = "summary",
		.message = message,
	};

	(void)snprintf(message, sizeof(message),
		       "Job %s: %zu total, %zu succeeded, %zu failed",
		       job->name, total, total - failed, failed);
	report_log(&run->report, &line);
}

/* What became of a run so far. */
struct verdict {
	enum exit_status exit;
	const char *reason;
	struct status outcome; /* the failure, if `exit` is not EXIT_DONE */
	size_t total, failed;
};

/*
 * A success that cannot be told is none. Yet another run would add a version
 * to the one that is verified, so that it has an exit status of its own.
 */
static void
fail_unreported(const struct run *run, struct verdict *verdict,
		const struct status *why)
{
	verdict->exit = run->written ? EXIT_UNREPORTED : EXIT_RETRY;
	verdict->reason = "ReportIncomplete";
	verdict->failed = verdict->total;
	verdict->outcome = *why;
	add_what_was_written(run, &verdict->outcome);
	status_hint(&verdict->outcome,
		    run->written ? "the version is verified, do not run it "
				   "again for this; make room for the log and "
				   "the result file"
				 : "make room for the log and the result file");
}

/* What is said of a success that standard output did not take whole. */
static void
fail_if_log_is_lost(struct run *run, struct verdict *verdict)
{
	struct status why = run->report.failure;

	if (why.code == CODE_OK || verdict->exit != EXIT_DONE)
		return;
	status_prefix(&why, "the log is incomplete: standard output");
	fail_unreported(run, verdict, &why);
}

static struct ending
ending_of(const struct run *run, const struct verdict *verdict,
	  char message[static STATUS_MESSAGE_MAX])
{
	if (verdict->exit != EXIT_DONE)
		(void)snprintf(message, STATUS_MESSAGE_MAX, "%s",
			       verdict->outcome.message);
	else if (run->written)
		(void)snprintf(message, STATUS_MESSAGE_MAX,
			       "Stored and verified %zu bytes as %s",
			       run->secret.len, run->version.name);
	else
		(void)snprintf(message, STATUS_MESSAGE_MAX,
			       "Nothing was changed");
	return (struct ending){
		.outcome = &verdict->outcome,
		.reason = verdict->reason,
		.message = message,
		.version = run->written ? run->version.name : NULL,
	};
}

static bool
write_result(struct run *run, const struct verdict *verdict, struct status *st)
{
	char message[STATUS_MESSAGE_MAX];
	const struct ending ending = ending_of(run, verdict, message);

	return report_result(&run->report, &ending, st) == CODE_OK;
}

/* The result file; a success that it cannot hold is logged, and is none. */
static void
finish_result(struct run *run, struct verdict *verdict)
{
	struct status lost = { .code = CODE_OK }, again = { .code = CODE_OK };
	const struct log_line line = { .level = LOG_ERROR,
				       .operation = "result-file",
				       .message = lost.message,
				       .version = run->written
							  ? run->version.name
							  : NULL,
				       .status = &lost };

	if (write_result(run, verdict, &lost))
		return;
	if (verdict->exit == EXIT_DONE) {
		fail_unreported(run, verdict, &lost);
		lost = verdict->outcome;
		(void)write_result(run, verdict, &again);
	}
	report_log(&run->report, &line);
}

/*
 * Tells how it ended: result file, summary, termination log. Each must know
 * of what went wrong with the others, and the file must not say for a moment
 * what is taken back: so the summary's place is waited for first.
 */
static enum exit_status
finish(const struct job *job, struct run *run, struct verdict *verdict)
{
	struct status lost = { .code = CODE_OK };
	char message[STATUS_MESSAGE_MAX];
	struct ending ending;

	if (job != NULL)
		report_wait_log(&run->report);
	fail_if_log_is_lost(run, verdict);
	finish_result(run, verdict);
	if (job != NULL)
		log_summary(job, run, verdict->total, verdict->failed);
	if (verdict->exit == EXIT_DONE) {
		fail_if_log_is_lost(run, verdict);
		if (verdict->exit != EXIT_DONE)
			(void)write_result(run, verdict, &lost);
	}
	ending = ending_of(run, verdict, message);
	report_termination(&run->report, &ending);
	if (run->report.failure.code != CODE_OK) {
		status_prefix(&run->report.failure, "standard output");
		add_what_was_written(run, &run->report.failure);
	}
	return verdict->exit;
}

enum exit_status
job_run(const struct job *job, struct run *run)
{
	struct verdict verdict = { .exit = EXIT_DONE };
	enum exit_status last_failure = EXIT_RETRY;

	if (job->find_tasks(run, &verdict.total, &verdict.outcome) != CODE_OK)
		return job_abort(run, &verdict.outcome);
	for (size_t task = 0; task < verdict.total; task++) {
		struct status st = { .code = CODE_OK };
		enum exit_status one = process(job, run, task, &st);

		if (one == EXIT_DONE)
			continue;
		verdict.failed++;
		last_failure = one;
		verdict.outcome = st;
	}
	if (verdict.failed == verdict.total)
		verdict.exit = last_failure;
	else
		status_clear(&verdict.outcome);
	verdict.reason =
		verdict.exit == EXIT_DONE
			? success_reason(job, run)
			: failure_reason(&verdict.outcome, verdict.exit);
	return finish(job, run, &verdict);
}

enum exit_status
job_abort(struct run *run, const struct status *st)
{
	struct verdict verdict = { .exit = code_exit_status(st->code),
				   .outcome = *st };

	verdict.reason = verdict.exit == EXIT_RETRY
				 ? "ReportIncomplete"
				 : failure_reason(st, verdict.exit);
	return finish(NULL, run, &verdict);
}
