/*
 * Floor 4, job. Removing the secret of a decommissioned cluster.
 *
 * The etag makes sure that what is deleted is what was read. Only the API's own
 * NOT_FOUND means that the secret is absent, which is a success.
 */

#include "base/format.h"
#include "base/redact.h"
#include "job/jobs.h"
#include "job/labels.h"
#include "job/options.h"
#include "job/target.h"
#include "job/tasks_options.h"

static const char GET[] = "get-secret";
static const char DELETE[] = "delete-secret";

static struct {
	const char *dry_run;
	const char *force;
} given;

static const struct opt OPTIONS[] = {
	{ "--dry-run", "DRY_RUN", NULL,
	  "authenticate and look, but change nothing", &given.dry_run,
	  OPT_PLAIN },
	{ "--force", NULL, NULL,
	  "delete it whatever its labels say about whose it is", &given.force,
	  OPT_PLAIN },
};

static const struct opt_table OWN = { "Job delete-pull-secret", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = {
	&TARGET_OPTIONS, &TASKS_OPTIONS,   &OWN,
	&RUN_OPTIONS,    &NETWORK_OPTIONS, NULL,
};

static void
report_absent(const struct task *task, struct report *report,
	      struct outcome *outcome)
{
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = "secret-absent",
				       .message = message };

	status_clear(&outcome->status);
	outcome->reason = "PullSecretAbsent";
	(void)format_text(message, sizeof(message), "Secret does not exist: %s",
			  task->secret);
	report_log(report, &line);
	(void)format_text(outcome->message, sizeof(outcome->message),
			  "Secret %s does not exist; nothing was deleted",
			  task->secret);
}

static void
report_deleted(const struct task *task, struct report *report,
	       struct outcome *outcome, int64_t started)
{
	status_clear(&outcome->status);
	outcome->effect = EFFECT_DONE;
	outcome->reason = "PullSecretDeleted";
	report_done(report, DELETE, started, "", "Successfully deleted secret");
	(void)format_text(outcome->message, sizeof(outcome->message),
			  "Deleted secret %s", task->secret);
	report->operation = "completed";
	report_info(report, "completed", "Successfully deleted pull secret");
}

/* The roles of the other calls do not hold these. */
static void
hint_at_role(struct status *st)
{
	secretmanager_hint(st, "grant secretmanager.secrets.get and "
			       "secretmanager.secrets.delete, for example with "
			       "roles/secretmanager.admin on the secret");
}

static void
delete_secret(struct client *client, const struct task *task, const char *etag,
	      struct report *report, struct outcome *outcome)
{
	struct secretmanager *sm = &client->sm;
	struct status *st = &outcome->status;
	struct retry retry = client_retries(client);
	int64_t started = clock_ms();

	report->operation = DELETE;
	report_info(report, DELETE, "Deleting secret: %s", task->secret);
	if (report_check(report, st) != CODE_OK)
		return;
	if (secretmanager_delete(sm, task->project, task->secret, etag, &retry,
				 st) == CODE_OK ||
	    (st->code == CODE_NOT_FOUND && sm->may_have_acted)) {
		report_deleted(task, report, outcome, started);
		return;
	}
	if (st->code == CODE_NOT_FOUND) {
		report_absent(task, report, outcome);
		return;
	}
	if (sm->may_have_acted)
		outcome->effect = EFFECT_UNKNOWN;
	if (st->code == CODE_FAILED_PRECONDITION) {
		outcome->exit = EXIT_RETRY;
		outcome->reason = "SecretChanged";
		status_prefix(st, "secret %s changed since it was read",
			      task->secret);
	}
	hint_at_role(st);
}

/* With --force it is said whose the secret is, and no more. */
static enum code
check_owner(const struct task *task, const struct secret_resource *secret,
	    struct report *report, struct outcome *outcome)
{
	struct status *st = &outcome->status;
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = GET,
				       .message = st->message };

	if (labels_check_owner(task, secret, "--force deletes it all the same",
			       outcome) == CODE_OK ||
	    given.force == NULL)
		return st->code;
	report_log(report, &line);
	status_clear(st);
	outcome->reason = NULL;
	return CODE_OK;
}

static void
dry_run(const struct task *task, bool exists, struct report *report,
	struct outcome *outcome)
{
	status_clear(&outcome->status);
	report->operation = "dry-run";
	outcome->reason = "DryRunPassed";
	report_info(report, "dry-run",
		    exists ? "Dry run: authenticated; secret %s exists, it "
			     "would be deleted"
			   : "Dry run: authenticated; secret %s does not "
			     "exist, nothing would be deleted",
		    task->secret);
}

static void
run(struct client *client, struct task *task, struct report *report,
    struct outcome *outcome)
{
	struct status *st = &outcome->status;
	struct retry retry = client_retries(client);
	struct secret_resource secret;
	bool exists;

	report->operation = GET;
	report_info(report, GET, "Reading secret: %s", task->secret);
	exists = secretmanager_get(&client->sm, task->project, task->secret,
				   &secret, &retry, st) == CODE_OK;
	hint_at_role(st);
	if ((!exists && st->code != CODE_NOT_FOUND) ||
	    (exists && check_owner(task, &secret, report, outcome) != CODE_OK))
		return;
	if (given.dry_run != NULL)
		dry_run(task, exists, report, outcome);
	else if (exists)
		delete_secret(client, task, secret.etag, report, outcome);
	else
		report_absent(task, report, outcome);
}

const struct job JOB_delete_pull_secret = {
	.name = "delete-pull-secret",
	.description = "remove the secret of a decommissioned cluster",
	.options = TABLES,
	.start = "Starting pull secret deletion operation",
	.messages = { .done = "the secret was already deleted",
		      .unknown = "it is unknown whether the secret was deleted",
		      .none = "nothing was deleted" },
	.run = run,
};
