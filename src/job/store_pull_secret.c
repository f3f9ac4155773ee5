/*
 * Floor 4, job. The main job: its options, and its pull secret, which is read
 * and checked before the network is touched.
 */

#include "base/format.h"
#include "job/jobs.h"
#include "job/journal.h"
#include "job/store.h"
#include "job/tasks_options.h"

static struct {
	const char *dry_run;
	const char *skip_unchanged;
} given;

static const struct opt OPTIONS[] = {
	{ "--dry-run", "DRY_RUN", NULL,
	  "authenticate and look, but change nothing", &given.dry_run,
	  OPT_PLAIN },
	{ "--skip-unchanged", "SKIP_UNCHANGED", NULL,
	  "add nothing if the newest version is enabled and holds the same "
	  "bytes",
	  &given.skip_unchanged, OPT_PLAIN },
};

const struct opt_table STORE_OPTIONS = { "Job pull-secret", OPTIONS,
					 OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = { STORE_TABLES, &TASKS_OPTIONS,
						  &JOURNAL_OPTIONS, NULL };

static enum code
check(struct status *st)
{
	if (given.dry_run != NULL)
		journal_ignore();
	if (input_check(st) != CODE_OK || placement_check(st) != CODE_OK ||
	    labels_check(st) != CODE_OK || prune_check(st) != CODE_OK)
		return st->code;
	return validation_check_options(st);
}

/* A line each; the last one for those that are not kept. */
static void
log_warnings(const struct pullsecret_findings *found, struct report *report)
{
	struct str rest = buf_view(&found->text), text;
	struct log_line line = { .level = LOG_WARNING,
				 .operation = report->operation };
	char message[STATUS_MESSAGE_MAX];

	while (validation_next_warning(found, &rest, &text)) {
		(void)format_text(message, sizeof(message), "pull secret: %.*s",
				  (int)text.len, text.ptr);
		line.message = message;
		report_log(report, &line);
	}
}

/* Reads the pull secret and checks it, before the network is touched. */
static void
prepare(struct client *client, struct task *task, struct report *report,
	struct outcome *outcome)
{
	struct status *st = &outcome->status;
	const struct pullsecret_findings *found;
	size_t removed;

	report->operation = "validate-pull-secret";
	/* A task of a list brings its own, or has what is shared. */
	if (task->line > 0 ? task->payload.len > 0 && task->input.len == 0
			   : tasks_given() && !input_given())
		return;
	if (task->line == 0 &&
	    input_read(client->until, &task->input, st) != CODE_OK) {
		if (st->code == CODE_OUT_OF_RANGE)
			outcome->exit = EXIT_PULL_SECRET;
		return;
	}
	task->payload = pullsecret_strip(buf_view(&task->input));
	removed = task->input.len - task->payload.len;
	if (removed > 0)
		report_info(report, report->operation,
			    "Removed %zu byte%s of white space after the pull "
			    "secret",
			    removed, removed == 1 ? "" : "s");
	if (validation_check(task->payload, &client->call, &found, st) !=
	    CODE_OK) {
		outcome->exit = EXIT_PULL_SECRET;
		status_prefix(st, "invalid pull secret");
		return;
	}
	log_warnings(found, report);
}

bool
store_needs_get(void)
{
	return given.dry_run != NULL || labels_are_required();
}

static void
run(struct client *client, struct task *task, struct report *report,
    struct outcome *outcome)
{
	const struct store_how how = {
		.dry_run = given.dry_run != NULL,
		.skip_unchanged = given.skip_unchanged != NULL,
	};

	store_payload(client, task, &how, report, outcome);
}

const struct job JOB_pull_secret = {
	.name = "pull-secret",
	.description = "store a pull secret in Secret Manager and verify it",
	.options = TABLES,
	.start = "Starting pull secret storage operation",
	.messages = STORE_MESSAGES,
	.check = check,
	.prepare = prepare,
	.run = run,
};
