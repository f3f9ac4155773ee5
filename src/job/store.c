#include "job/store.h"

#include <stdio.h>
#include <string.h>

#include "job/find_version.h"

static const char CREATE[] = "create-secret";
static const char ADD[] = "add-secret-version";
static const char VERIFY[] = "verify-secret";

/* One secret on its way: what its steps know of each other. */
struct storing {
	struct run *run; /* log, and what was written */
	struct secretmanager *sm;
	const char *project;
	const char *secret;
	struct str payload;
	struct deadline until;
	bool just_created; /* a create was sent: NOT_FOUND may pass */
	bool all_new;      /* that create made the secret */
};

static struct retry
retries(const struct storing *storing)
{
	struct retry retry =
		retry_calls(&storing->run->listener, storing->until);

	retry.just_created = storing->just_created;
	return retry;
}

static enum code
create_secret(struct storing *storing, struct status *st)
{
	struct run *run = storing->run;
	const struct label labels[] = {
		{ "managed-by", "hyperfleet" },
		{ "adapter", "pullsecret" },
		{ "cluster-id", run->config.cluster_id },
		{ "resource-type", "pull-secret" },
		{ "hyperfleet-version", "v1" },
	};
	struct retry retry = retries(storing);
	int64_t started = clock_ms();

	run->operation = CREATE;
	run_log(run, CREATE, "Creating new secret: %s", storing->secret);
	(void)secretmanager_create(storing->sm, storing->project,
				   storing->secret, labels,
				   sizeof(labels) / sizeof(labels[0]), &retry,
				   st);
	if (st->code == CODE_OK) {
		storing->all_new = true;
		run_log_done(run, CREATE, started,
			     "Successfully created secret");
	} else if (st->code == CODE_ALREADY_EXISTS) {
		status_clear(st);
		run_log(run, "secret-exists", "Secret already exists: %s",
			storing->secret);
	} else if (st->code == CODE_NOT_FOUND) {
		status_hint(st, "check GCP_PROJECT_ID: the project was not "
				"found");
	}
	storing->just_created = st->code == CODE_OK;
	return st->code;
}

/*
 * After an addVersion that may have acted: waits as before any retry, then
 * looks for the version. True if it is not there, so that it may be sent again;
 * else `st` is OK if it was found.
 */
static bool
may_add_again(struct storing *storing, struct retry *retry, struct status *st)
{
	struct run *run = storing->run;
	const struct version_search search = {
		.sm = storing->sm,
		.project = storing->project,
		.secret = storing->secret,
		.payload = storing->payload,
		.just_created = storing->just_created,
		.all_new = storing->all_new,
		.listener = &run->listener,
		.until = storing->until,
	};
	struct status failure = *st, look = { .code = CODE_OK };
	bool retried;

	/* From here on for good: it may be written later than we look. */
	run->maybe_written = true;
	retried = retry_again(retry, st);
	if (status_interrupted(st))
		return false;
	if (find_written_version(&search, &run->version, &run->written,
				 &look) == CODE_OK) {
		if (run->written)
			status_clear(st);
		return retried && !run->written;
	}
	if (status_interrupted(&look)) {
		*st = look;
		return false;
	}
	*st = failure;
	status_prefix(st,
		      "it is unknown whether a version was written (looking "
		      "for it: %.*s)",
		      STATUS_MESSAGE_MAX / 2, look.message);
	if (look.hint[0] != '\0')
		memcpy(st->hint, look.hint, sizeof(st->hint));
	return false;
}

static void
log_adding(struct run *run)
{
	run->operation = ADD;
	run_log(run, ADD, "Adding secret version with pull secret data");
}

static enum code
add_version(struct storing *storing, struct status *st)
{
	struct run *run = storing->run;
	struct retry retry = retries(storing);
	int64_t started = clock_ms();

	log_adding(run);
	if (run_check_log(run, st) != CODE_OK)
		return st->code;
	while (secretmanager_add_version(storing->sm, storing->project,
					 storing->secret, storing->payload,
					 &run->version, &retry,
					 st) != CODE_OK) {
		if (st->code == CODE_NOT_FOUND) { /* passes after a create */
			status_clear(st);
			if (create_secret(storing, st) != CODE_OK)
				return st->code;
			retry.just_created = true;
			log_adding(run);
			started = clock_ms();
		} else if (storing->sm->delivery != MAYBE_ACTED ||
			   !may_add_again(storing, &retry, st)) {
			break;
		}
	}
	if (st->code != CODE_OK)
		return st->code;
	run->written = true;
	if (!storing->just_created)
		run_log(run, "secret-exists", "Secret already exists: %s",
			storing->secret);
	run_log_done(run, ADD, started, "Successfully created secret version");
	return CODE_OK;
}

/* Reads the version back by its number. */
static enum code
verify(struct storing *storing, struct status *st)
{
	struct run *run = storing->run;
	struct retry retry = retries(storing);
	struct secret_version found;
	int64_t started = clock_ms();
	char number[24];
	struct str data;

	run->operation = VERIFY;
	(void)snprintf(number, sizeof(number), "%llu",
		       (unsigned long long)run->version.number);
	if (secretmanager_access(storing->sm, storing->project, storing->secret,
				 number, &found, &data, &retry,
				 st) != CODE_OK) {
		if (!status_interrupted(st))
			status_prefix(st,
				      "version %s was written but not "
				      "verified",
				      number);
		return st->code;
	}
	if (found.number != run->version.number ||
	    data.len != storing->payload.len ||
	    !bytes_equal(data.ptr, storing->payload.ptr, data.len)) {
		status_hint(st, "do not use this version: find out who or "
				"what changed it");
		return status_set(st, CODE_DATA_LOSS,
				  "version %s holds other bytes than were "
				  "written (%zu bytes, %zu were written)",
				  number, data.len, storing->payload.len);
	}
	run_log_done(run, VERIFY, started, "Verified secret (%zu bytes)",
		     data.len);
	return CODE_OK;
}

enum code
store_secret(struct run *run, struct status *st)
{
	struct storing storing = {
		.run = run,
		.sm = &run->sm,
		.project = run->config.project,
		.secret = run->config.secret,
		.payload = run->secret,
		.until = run->until,
	};

	if (add_version(&storing, st) != CODE_OK ||
	    verify(&storing, st) != CODE_OK)
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
	missing = secretmanager_get(&run->sm, run->config.project,
				    run->config.secret, &retry,
				    st) == CODE_NOT_FOUND;
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
