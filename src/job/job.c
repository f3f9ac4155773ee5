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
	size_t used = strlen(st->message);
	const char *text = NULL;

	if (run->written)
		text = "a version was already written: ";
	else if (run->maybe_written)
		text = "it is unknown whether a version was written";
	else if (st->code == CODE_CANCELLED)
		text = "no version was written";
	if (text != NULL && strstr(st->message, text) == NULL)
		(void)snprintf(st->message + used, sizeof(st->message) - used,
			       "; %s%s", text,
			       run->written ? run->version.name : "");
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
	if (st->code == CODE_CANCELLED && wait_signal() != 0)
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

/*
 * Writes the result file; a verdict that cannot be told is a failure, logged,
 * and then `*told` is false.
 */
static enum exit_status
finish(struct run *run, const char *reason, const struct status *outcome,
       enum exit_status result, bool *told)
{
	struct status lost = { .code = CODE_OK };
	char message[STATUS_MESSAGE_MAX];

	if (result != EXIT_DONE)
		(void)snprintf(message, sizeof(message), "%s",
			       outcome->message);
	else if (run->written)
		(void)snprintf(message, sizeof(message),
			       "Stored and verified %zu bytes as %s",
			       run->secret.len, run->version.name);
	else
		(void)snprintf(message, sizeof(message), "Nothing was changed");
	if (report_result(&run->report, outcome, reason, message,
			  run->written ? run->version.name : NULL,
			  &lost) != CODE_OK) {
		const struct log_line line = { .level = LOG_ERROR,
					       .operation = "result-file",
					       .message = lost.message,
					       .status = &lost };

		report_log(&run->report, &line);
		*told = false;
		return result == EXIT_DONE ? EXIT_RETRY : result;
	}
	return result;
}

/* A success that the log could not tell is none; true if that happened. */
static bool
log_is_lost(const struct run *run, struct status *outcome)
{
	if (run->report.failure.code == CODE_OK)
		return false;
	*outcome = run->report.failure;
	status_prefix(outcome, "the log is incomplete: standard output");
	add_what_was_written(run, outcome);
	return true;
}

enum exit_status
job_run(const struct job *job, struct run *run)
{
	struct status outcome = { .code = CODE_OK };
	enum exit_status result = EXIT_DONE, last_failure = EXIT_RETRY;
	size_t total = 0, failed = 0;
	bool told = true;

	if (job->find_tasks(run, &total, &outcome) != CODE_OK)
		return job_refuse(run, &outcome);
	for (size_t task = 0; task < total; task++) {
		struct status st = { .code = CODE_OK };
		enum exit_status one = process(job, run, task, &st);

		if (one != EXIT_DONE) {
			failed++;
			last_failure = one;
			outcome = st;
		}
	}
	if (failed == total)
		result = last_failure;
	else
		status_clear(&outcome);
	log_summary(job, run, total, failed);
	if (result == EXIT_DONE && log_is_lost(run, &outcome))
		result = EXIT_RETRY;
	/* The result comes last, for it must know of all that went wrong. */
	result = finish(run,
			result == EXIT_DONE ? success_reason(job, run)
					    : failure_reason(&outcome, result),
			&outcome, result, &told);
	if (!told)
		log_summary(job, run, total,
			    failed); /* last in the log again */
	return result;
}

enum exit_status
job_refuse(struct run *run, const struct status *st)
{
	enum exit_status result = code_exit_status(st->code);
	bool told = true;

	return finish(run, failure_reason(st, result), st, result, &told);
}
