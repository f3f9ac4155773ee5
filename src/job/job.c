#include "job/job.h"

#include <stdio.h>
#include <string.h>

#include "job/target.h"
#include "sys/wait.h"

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

/* What became of a run so far. */
struct verdict {
	const struct job *job;  /* NULL: it never came to its job */
	struct outcome outcome; /* of the last task that failed, if any did */
	size_t total, failed;
};

/* Says in a failure what is already at Google. */
static void
add_effect(const struct verdict *verdict, struct status *st)
{
	const struct outcome *outcome = &verdict->outcome;
	size_t used = strlen(st->message);
	const char *text = NULL, *version = "";

	if (verdict->job == NULL)
		return;
	if (outcome->effect == EFFECT_DONE) {
		text = verdict->job->words.done;
		version = outcome->version;
	} else if (outcome->effect == EFFECT_UNKNOWN) {
		text = verdict->job->words.unknown;
	} else if (status_interrupted(st)) {
		text = verdict->job->words.none;
	}
	if (text != NULL && strstr(st->message, text) == NULL)
		(void)snprintf(st->message + used, sizeof(st->message) - used,
			       "; %s%s", text, version);
}

/* All before the job itself; the first task opens what the others use. */
static enum code
start_task(const struct job *job, struct program *program,
	   const struct status *wrong, struct outcome *outcome)
{
	struct report *report = &program->report;
	struct status *st = &outcome->status;

	(void)program_start_clock(program, st);
	report_info(report, "start", "%s", job->start);
	report->operation = "validate-config";
	if (st->code == CODE_OK)
		*st = *wrong;
	if (st->code == CODE_OK && job->check != NULL)
		(void)job->check(st);
	if (st->code == CODE_OK && job->run != NULL)
		(void)program_load(program, st);
	if (st->code == CODE_OK && job->prepare != NULL)
		job->prepare(&program->client, &program->task, report, outcome);
	if (st->code != CODE_OK || job->run == NULL)
		return st->code;
	report->operation = "init-client";
	if (report_check(report, st) != CODE_OK ||
	    program_confine(program, st) != CODE_OK ||
	    client_connect(&program->client, st) != CODE_OK)
		return st->code;
	report_info(report, "client-initialized",
		    "Successfully initialized Secret Manager client");
	return report_check(report, st);
}

/* Works on one task, which may be `wrong`, and logs how it failed, if so. */
static void
process(struct verdict *verdict, struct program *program,
	const struct status *wrong)
{
	struct outcome *outcome = &verdict->outcome;
	struct status *st = &outcome->status;
	struct log_line line = { .level = LOG_ERROR, .status = st };

	if (start_task(verdict->job, program, wrong, outcome) == CODE_OK &&
	    verdict->job->run != NULL)
		verdict->job->run(&program->client, &program->task,
				  &program->report, outcome);
	if (st->code == CODE_OK)
		return;
	if (status_interrupted(st))
		outcome->exit = (enum exit_status)(128 + wait_signal());
	else if (outcome->exit == EXIT_DONE)
		outcome->exit = code_exit_status(st->code);
	outcome->reason = failure_reason(outcome);
	add_effect(verdict, st);
	line.operation = program->report.operation;
	line.message = st->message;
	line.version = outcome->version;
	report_log(&program->report, &line);
}

static void
log_summary(const struct verdict *verdict, struct report *report)
{
	char message[160];
	const struct log_line line = {
		.level = verdict->failed == verdict->total ? LOG_ERROR
							   : LOG_INFO,
		.operation = "summary",
		.message = message,
	};

	(void)snprintf(message, sizeof(message),
		       "Job %s: %zu total, %zu succeeded, %zu failed",
		       verdict->job->name, verdict->total,
		       verdict->total - verdict->failed, verdict->failed);
	report_log(report, &line);
}

/*
 * A success that cannot be told is none. Where yet another run would add to
 * what is done, it has an exit status of its own.
 */
static void
fail_unreported(struct verdict *verdict, const struct status *why)
{
	struct outcome *outcome = &verdict->outcome;
	bool harmful =
		outcome->effect == EFFECT_DONE && !verdict->job->repeatable;

	outcome->exit = harmful ? EXIT_UNREPORTED : EXIT_RETRY;
	outcome->reason = "ReportIncomplete";
	outcome->status = *why;
	verdict->failed = verdict->total;
	add_effect(verdict, &outcome->status);
	status_hint(&outcome->status,
		    harmful ? "the version is verified, do not run it again "
			      "for this; make room for the log and the result "
			      "file"
			    : "make room for the log and the result file");
}

/* What is said of a success that standard output did not take whole. */
static void
fail_if_log_is_lost(struct verdict *verdict, const struct report *report)
{
	struct status why = report->failure;

	if (why.code == CODE_OK || verdict->outcome.exit != EXIT_DONE)
		return;
	status_prefix(&why, "the log is incomplete: standard output");
	fail_unreported(verdict, &why);
}

static struct ending
ending_of(const struct verdict *verdict)
{
	const struct outcome *outcome = &verdict->outcome;

	return (struct ending){
		.outcome = &outcome->status,
		.reason = outcome->reason,
		.message = outcome->exit != EXIT_DONE ? outcome->status.message
			   : outcome->message[0] != '\0'
				   ? outcome->message
				   : "Nothing was changed",
		.version = outcome->version,
	};
}

static bool
write_result(const struct verdict *verdict, struct report *report,
	     struct status *st)
{
	const struct ending ending = ending_of(verdict);

	return report_result(report, &ending, st) == CODE_OK;
}

/* The result file; a success that it cannot hold is logged, and is none. */
static void
finish_result(struct verdict *verdict, struct report *report)
{
	struct status lost = { .code = CODE_OK }, again = { .code = CODE_OK };
	const struct log_line line = { .level = LOG_ERROR,
				       .operation = "result-file",
				       .message = lost.message,
				       .version = verdict->outcome.version,
				       .status = &lost };

	if (write_result(verdict, report, &lost))
		return;
	if (verdict->outcome.exit == EXIT_DONE) {
		fail_unreported(verdict, &lost);
		lost = verdict->outcome.status;
		(void)write_result(verdict, report, &again);
	}
	report_log(report, &line);
}

/*
 * Tells how it ended: result file, summary, termination log. Each must know
 * of what went wrong with the others, and the file must not say for a moment
 * what is taken back: so the summary's place is waited for first.
 */
static enum exit_status
finish(struct verdict *verdict, struct report *report)
{
	struct status lost = { .code = CODE_OK };
	struct ending ending;

	if (verdict->job != NULL)
		report_wait_log(report);
	fail_if_log_is_lost(verdict, report);
	finish_result(verdict, report);
	if (verdict->job != NULL)
		log_summary(verdict, report);
	if (verdict->outcome.exit == EXIT_DONE) {
		fail_if_log_is_lost(verdict, report);
		if (verdict->outcome.exit != EXIT_DONE)
			(void)write_result(verdict, report, &lost);
	}
	ending = ending_of(verdict);
	report_termination(report, &ending);
	if (report->failure.code != CODE_OK) {
		status_prefix(&report->failure, "standard output");
		add_effect(verdict, &report->failure);
	}
	return verdict->outcome.exit;
}

enum exit_status
job_run(const struct job *job, struct program *program,
	struct task_source *source)
{
	static struct verdict verdict, done; /* too large for the stack */
	struct status wrong = { .code = CODE_OK };

	verdict = (struct verdict){ .job = job };
	done = verdict;
	while (source->next(source, &program->task, &wrong)) {
		struct verdict one = { .job = job };

		process(&one, program, &wrong);
		status_clear(&wrong);
		verdict.total++;
		if (one.outcome.exit == EXIT_DONE) {
			done.outcome = one.outcome;
			continue;
		}
		verdict.failed++;
		verdict.outcome = one.outcome;
	}
	if (verdict.failed < verdict.total)
		verdict.outcome = done.outcome;
	return finish(&verdict, &program->report);
}

enum exit_status
job_abort(struct program *program, const struct status *st)
{
	struct verdict verdict = {
		.outcome = { .status = *st,
			     .exit = code_exit_status(st->code) },
	};
	struct outcome *outcome = &verdict.outcome;

	outcome->reason = outcome->exit == EXIT_RETRY ? "ReportIncomplete"
						      : failure_reason(outcome);
	return finish(&verdict, &program->report);
}
