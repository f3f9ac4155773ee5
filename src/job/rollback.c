/*
 * Floor 4, job. Going back to an older version: its bytes are added as a new
 * one, for Secret Manager has no other way.
 *
 * The newest version is compared first: an addVersion without an answer would
 * else be taken for the older one, which holds the same bytes.
 */

#include "job/jobs.h"
#include "job/store.h"
#include "job/tasks_options.h"

static const char READ[] = "read-version";

static struct {
	const char *version;
	const char *dry_run;
} given;

/* A variable of this name would meet other programs' versions. */
static const struct opt OPTIONS[] = {
	{ "--secret-version", NULL, "N",
	  "version to go back to, by its number (required)", &given.version,
	  OPT_PLAIN },
	{ "--dry-run", "DRY_RUN", NULL,
	  "authenticate and look, but change nothing", &given.dry_run,
	  OPT_PLAIN },
};

static const struct opt_table OWN = { "Job rollback-pull-secret", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = {
	&OWN,         &TARGET_OPTIONS,  &TASKS_OPTIONS, &OWNER_OPTIONS,
	&RUN_OPTIONS, &NETWORK_OPTIONS, NULL,
};

static enum code
check(struct status *st)
{
	if (given.version != NULL)
		return target_check_version("--secret-version", given.version,
					    st);
	if (tasks_given())
		return CODE_OK; /* each line may have its own */
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "--secret-version is required");
}

/* Keeps the bytes of the version in the task, where they are wiped. */
static enum code
read_version(struct client *client, struct task *task, struct report *report,
	     struct status *st)
{
	struct retry retry = client_retries(client);
	struct secret_version found;
	const char *version =
		task->version[0] != '\0' ? task->version : given.version;
	int64_t started = clock_ms();
	struct str data;

	report->operation = READ;
	if (version == NULL) {
		status_hint(st, "--secret-version gives one for all");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "the task has no secret_version");
	}
	report_info(report, READ, "Reading version %s", version);
	if (secretmanager_access(&client->sm, task->project, task->secret,
				 version, &found, &data, &retry,
				 st) != CODE_OK) {
		if (st->code == CODE_FAILED_PRECONDITION)
			status_hint(st, "a disabled version can be enabled; a "
					"destroyed one is gone");
		else if (st->code == CODE_NOT_FOUND)
			status_hint(st, "pull-secret versions lists them");
		return st->code;
	}
	buf_reset(&task->input);
	buf_put_str(&task->input, data);
	if (task->input.overflow || data.len == 0)
		return status_set(st, CODE_DATA_LOSS,
				  "version %s has %zu bytes, which cannot be "
				  "stored",
				  version, data.len);
	task->payload = buf_view(&task->input);
	report_done(report, READ, started, found.name,
		    "Read version (%zu bytes)", data.len);
	return CODE_OK;
}

static void
run(struct client *client, struct task *task, struct report *report,
    struct outcome *outcome)
{
	const struct store_how how = { .dry_run = given.dry_run != NULL,
				       .skip_unchanged = true,
				       .must_exist = true };

	if (read_version(client, task, report, &outcome->status) == CODE_OK)
		store_payload(client, task, &how, report, outcome);
}

const struct job JOB_rollback_pull_secret = {
	.name = "rollback-pull-secret",
	.description = "add an older version's bytes as a new one, verify it",
	.options = TABLES,
	.start = "Starting pull secret rollback operation",
	.messages = STORE_MESSAGES,
	.check = check,
	.run = run,
};
