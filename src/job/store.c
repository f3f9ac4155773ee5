#include "job/store.h"

#include <stdio.h>
#include <string.h>

#include "sys/wait.h"

/* Versions read on from the newest one that is known, when looking for ours. */
#define LOOK_AHEAD_MAX 100

static const char CREATE[] = "create-secret";
static const char ADD[] = "add-secret-version";
static const char VERIFY[] = "verify-secret";

/* One attempt; somebody else may have been faster. */
static enum code
create_once(struct run *run, bool *existed, struct status *st)
{
	const struct config *config = &run->config;
	const struct label labels[] = {
		{ "managed-by", "hyperfleet" },
		{ "adapter", "pullsecret" },
		{ "cluster-id", config->cluster_id },
		{ "resource-type", "pull-secret" },
		{ "hyperfleet-version", "v1" },
	};

	*existed =
		secretmanager_create(&run->sm, config->project, config->secret,
				     labels, sizeof(labels) / sizeof(labels[0]),
				     run->until, st) == CODE_ALREADY_EXISTS;
	if (*existed)
		status_clear(st);
	return st->code;
}

static enum code
create_secret(struct run *run, struct status *st)
{
	struct retry retry = retry_calls(&run->listener, run->until);
	int64_t started = clock_ms();
	bool existed;

	run->operation = CREATE;
	run_log(run, CREATE, "Creating new secret: %s", run->config.secret);
	while (create_once(run, &existed, st) != CODE_OK)
		if (!retry_again(&retry, st)) {
			if (st->code == CODE_NOT_FOUND)
				status_hint(st, "check GCP_PROJECT_ID: the "
						"project was not found");
			return st->code;
		}
	if (existed)
		run_log(run, "secret-exists", "Secret already exists: %s",
			run->config.secret);
	else
		run_log_done(run, CREATE, started,
			     "Successfully created secret");
	return CODE_OK;
}

/* Reads a version, with retries. */
static enum code
access_version(struct run *run, const char *version,
	       struct secret_version *found, struct str *data,
	       struct status *st)
{
	struct retry retry = retry_calls(&run->listener, run->until);

	while (secretmanager_access(&run->sm, run->config.project,
				    run->config.secret, version, found, data,
				    run->until, st) != CODE_OK)
		if (!retry_again(&retry, st))
			break;
	return st->code;
}

static bool
is_ours(const struct run *run, struct str data)
{
	return data.len == run->secret.len &&
	       bytes_equal(data.ptr, run->secret.ptr, data.len);
}

/*
 * Whether the newest version holds our bytes. "latest" may lag behind, so
 * reading goes on by number, which does not, until there is no such version.
 */
static enum code
look_for_ours(struct run *run, bool *found, struct status *st)
{
	struct secret_version newest = { .number = 0 };
	char number[24] = "latest";
	struct str data;

	*found = false;
	for (unsigned i = 0; i < LOOK_AHEAD_MAX; i++) {
		struct secret_version version = { .number = 0 };
		enum code code =
			access_version(run, number, &version, &data, st);

		if (code == CODE_NOT_FOUND && i > 0) {
			status_clear(st);
			return CODE_OK;
		}
		if (code == CODE_OK) {
			newest.number = version.number;
			*found = is_ours(run, data);
			if (*found)
				run->version = version;
		} else if (code == CODE_FAILED_PRECONDITION && i > 0) {
			newest.number++; /* disabled: not ours, but there */
			*found = false;
		} else if (code != CODE_NOT_FOUND) {
			return code;
		}
		status_clear(st);
		(void)snprintf(number, sizeof(number), "%llu",
			       (unsigned long long)newest.number + 1);
	}
	return status_set(st, CODE_ABORTED, "others keep adding versions to %s",
			  run->config.secret);
}

/*
 * After `failure`, which may have left a version behind: finds out. True if the
 * version is there; false with `st` OK if it is not, so that it may be sent
 * again; false with a failure if nobody could tell.
 */
static bool
was_written(struct run *run, const struct status *failure, struct status *st)
{
	struct status look = { .code = CODE_OK };
	bool found;

	run->maybe_written = true;
	if (look_for_ours(run, &found, &look) != CODE_OK) {
		*st = look.code == CODE_CANCELLED ? look : *failure;
		if (look.code == CODE_CANCELLED)
			return false;
		status_prefix(st,
			      "it is unknown whether a version was written "
			      "(looking for it: %.*s)",
			      STATUS_MESSAGE_MAX / 2, look.message);
		if (look.hint[0] != '\0')
			memcpy(st->hint, look.hint, sizeof(st->hint));
		return false;
	}
	status_clear(st);
	run->maybe_written = false;
	return found;
}

/*
 * Handles a failed addVersion: true if it should be sent again. If not, `st`
 * is OK when the version turned out to be there.
 */
static bool
add_again(struct run *run, struct retry *retry, struct status *st)
{
	struct status failure = *st;
	bool retried = retry_again(retry, st);

	if (!failure.ambiguous)
		return retried;
	if (st->code == CODE_CANCELLED) {
		run->maybe_written = true;
		return false;
	}
	if (was_written(run, &failure, st)) {
		run->written = true;
		return false;
	}
	if (st->code == CODE_OK && !retried)
		*st = failure;
	return st->code == CODE_OK;
}

/* One attempt. Only here, and only after our own create, may 404 pass. */
static enum code
add_once(struct run *run, bool created, struct status *st)
{
	if (secretmanager_add_version(&run->sm, run->config.project,
				      run->config.secret, run->secret,
				      &run->version, run->until, st) == CODE_OK)
		run->written = true;
	else if (st->code == CODE_NOT_FOUND && created)
		st->code = CODE_UNAVAILABLE;
	return st->code;
}

static void
log_adding(struct run *run)
{
	run->operation = ADD;
	run_log(run, ADD, "Adding secret version with pull secret data");
}

static enum code
add_version(struct run *run, struct status *st)
{
	struct retry retry = retry_calls(&run->listener, run->until);
	int64_t started = clock_ms();
	bool created = false;

	log_adding(run);
	if (run_check_log(run, st) != CODE_OK)
		return st->code;
	while (add_once(run, created, st) != CODE_OK) {
		if (st->code == CODE_NOT_FOUND && !created) {
			status_clear(st);
			if (create_secret(run, st) != CODE_OK)
				return st->code;
			created = true;
			log_adding(run);
			started = clock_ms();
		} else if (!add_again(run, &retry, st)) {
			break;
		}
	}
	if (st->code != CODE_OK)
		return st->code;
	if (!created)
		run_log(run, "secret-exists", "Secret already exists: %s",
			run->config.secret);
	run_log_done(run, ADD, started, "Successfully created secret version");
	return CODE_OK;
}

static enum code
verify(struct run *run, struct status *st)
{
	struct secret_version found;
	int64_t started = clock_ms();
	char number[24];
	struct str data;

	run->operation = VERIFY;
	(void)snprintf(number, sizeof(number), "%llu",
		       (unsigned long long)run->version.number);
	if (access_version(run, number, &found, &data, st) != CODE_OK) {
		if (st->code == CODE_NOT_FOUND ||
		    st->code == CODE_FAILED_PRECONDITION)
			st->code = CODE_DATA_LOSS;
		if (st->code != CODE_CANCELLED)
			status_prefix(st,
				      "version %s was written but not "
				      "verified",
				      number);
		return st->code;
	}
	if (found.number != run->version.number || !is_ours(run, data)) {
		status_hint(st, "do not use this version: find out who or "
				"what changed it");
		return status_set(st, CODE_DATA_LOSS,
				  "version %s holds other bytes than were "
				  "written (%zu bytes, %zu were written)",
				  number, data.len, run->secret.len);
	}
	run_log_done(run, VERIFY, started, "Verified secret (%zu bytes)",
		     data.len);
	return CODE_OK;
}

enum code
store_secret(struct run *run, struct status *st)
{
	if (add_version(run, st) != CODE_OK || verify(run, st) != CODE_OK)
		return st->code;
	run->operation = "completed";
	run_log(run, "completed", "Successfully created/updated pull secret");
	return CODE_OK;
}

/* The roles of the other calls do not hold this permission. */
static void
hint_at_get(struct status *st)
{
	if (st->code != CODE_PERMISSION_DENIED ||
	    strstr(st->hint, "roles/secretmanager.") == NULL)
		return;
	st->hint[0] = '\0';
	status_hint(st, "a dry run needs secretmanager.secrets.get: grant "
			"roles/secretmanager.viewer on the secret or the "
			"project; a run that stores does without it");
}

enum code
store_dry_run(struct run *run, struct status *st)
{
	struct retry retry = retry_calls(&run->listener, run->until);
	bool missing;

	run->operation = "dry-run";
	while (secretmanager_get(&run->sm, run->config.project,
				 run->config.secret, run->until, st) != CODE_OK)
		if (!retry_again(&retry, st))
			break;
	missing = st->code == CODE_NOT_FOUND;
	if (missing)
		status_clear(st);
	hint_at_get(st);
	if (st->code != CODE_OK)
		return st->code;
	run_log(run, "dry-run",
		missing ? "Dry run: authenticated; secret %s does not exist, "
			  "it would be created with one version"
			: "Dry run: authenticated; secret %s exists, a "
			  "version would be added",
		run->config.secret);
	return CODE_OK;
}
