#include "job/store_job.h"

#include <stddef.h>
#include <string.h>

#include "job/input.h"
#include "job/pullsecret.h"
#include "job/store.h"

#define AT(member) offsetof(struct settings, member)

static const struct opt OPTIONS[] = {
	{ "gcp-project-id", "GCP_PROJECT_ID", "PROJECT", NULL,
	  "project of the secret (required)", AT(project) },
	{ "cluster-id", "CLUSTER_ID", "ID", NULL,
	  "cluster that the pull secret is for (required)", AT(cluster_id) },
	{ "secret-name", "SECRET_NAME", "NAME",
	  "hyperfleet-CLUSTER_ID-pull-secret", "name of the secret",
	  AT(secret_name) },
	{ "pull-secret-file", "PULL_SECRET_FILE", "PATH|-", NULL,
	  "file with the pull secret, - for standard input",
	  AT(pull_secret_file) },
	{ NULL, "PULL_SECRET_DATA", "JSON", NULL,
	  "the pull secret itself; a file is safer", AT(pull_secret_data) },
	{ "fake-pull-secret", "FAKE_PULL_SECRET", NULL, NULL,
	  "store a well-known fake instead, for tests", AT(fake_pull_secret) },
	{ "dry-run", "DRY_RUN", NULL, NULL,
	  "authenticate and look, but change nothing", AT(dry_run) },
};

static const struct opt_table TABLE = { "Job pull-secret", OPTIONS,
					OPT_COUNT(OPTIONS) };

static enum code
find_tasks(struct run *run, size_t *tasks, struct status *st)
{
	(void)run;
	(void)st;
	*tasks = 1;
	return CODE_OK;
}

/* `st` says whether the clock could be started. */
static enum code
validate_config(struct run *run, struct status *st)
{
	run->operation = "validate-config";
	if (st->code != CODE_OK)
		return st->code;
	if (config_read(&run->config, &run->settings, st) != CODE_OK ||
	    input_check(&run->settings, st) != CODE_OK)
		return st->code;
	return run_prepare(run, st);
}

/* Reads and checks the pull secret. `*invalid` tells the two apart. */
static enum code
validate_pull_secret(struct run *run, bool *invalid, struct status *st)
{
	struct buf *scratch = &run->call.request;
	size_t registries;

	run->operation = "validate-pull-secret";
	*invalid = false;
	(void)input_read(&run->settings, run->until, &run->input, st);
	input_wipe(&run->settings);
	if (st->code != CODE_OK) {
		*invalid = st->code == CODE_OUT_OF_RANGE;
		return st->code;
	}
	run->secret = pullsecret_strip(buf_view(&run->input));
	if (run->secret.len < run->input.len)
		run_log(run, run->operation,
			"Removed %zu bytes of white space after the pull "
			"secret",
			run->input.len - run->secret.len);
	*invalid = pullsecret_check(run->secret, &run->call.tokens, scratch,
				    &registries, st) != CODE_OK;
	if (*invalid && st->code != CODE_CANCELLED)
		status_prefix(st, "invalid pull secret");
	return st->code;
}

/*
 * Once a version is written the configuration was right: what then is missing
 * or cannot be read may be there later.
 */
static enum exit_status
storing_exit_status(const struct run *run, const struct status *st)
{
	enum exit_status result = code_exit_status(st->code);

	return run->written && result == EXIT_CONFIG ? EXIT_RETRY : result;
}

static enum exit_status
process(struct run *run, size_t task, struct status *st)
{
	bool invalid = false;

	(void)task;
	(void)run_start_clock(run, st);
	run_log(run, "start", "Starting pull secret storage operation");
	if (validate_config(run, st) != CODE_OK)
		return code_exit_status(st->code);
	if (validate_pull_secret(run, &invalid, st) != CODE_OK)
		return invalid ? EXIT_PULL_SECRET : code_exit_status(st->code);
	run->sm.secret = run->secret;
	run->operation = "init-client";
	if (run_check_log(run, st) != CODE_OK ||
	    run_confine(run, st) != CODE_OK || run_connect(run, st) != CODE_OK)
		return code_exit_status(st->code);
	run_log(run, "client-initialized",
		"Successfully initialized Secret Manager client");
	if (run_check_log(run, st) != CODE_OK)
		return code_exit_status(st->code);
	if (run->settings.dry_run != NULL)
		(void)store_dry_run(run, st);
	else
		(void)store_secret(run, st);
	return storing_exit_status(run, st);
}

const struct job STORE_JOB = {
	.name = "pull-secret",
	.description = "store a pull secret in Secret Manager and verify it",
	.options = &TABLE,
	.find_tasks = find_tasks,
	.process = process,
	.workers = 1,
	.success_reason = "PullSecretStored",
};
