/*
 * Floor 4, job. Storing a pull secret: at most one version, always verified.
 *
 * An addVersion whose reply was lost is looked for before it is repeated.
 */
#include "job/store.h"

#include <string.h>

#include "base/format.h"
#include "job/existing.h"
#include "job/find_version.h"

static const char COMPARE[] = "compare-secret";
static const char CREATE[] = "create-secret";
static const char ADD[] = "add-secret-version";
static const char VERIFY[] = "verify-secret";

/* State that the steps share. */
struct storing {
	struct client *client;
	const struct task *task;
	const struct store_how *how;
	struct report *report;
	struct outcome *outcome;
	struct secret_version version; /* once it is written */
	bool just_created; /* a create was sent: NOT_FOUND may pass */
	bool created;      /* and made it */
	bool has_baseline;
	struct probe baseline; /* the newest version before ours */
};

static struct retry
retries(const struct storing *storing)
{
	struct retry retry = client_retries(storing->client);

	retry.just_created = storing->just_created;
	return retry;
}

static struct existing
existing_of(const struct storing *storing)
{
	return (struct existing){ storing->client, storing->task,
				  storing->report, storing->outcome };
}

static enum code
create_secret(struct storing *storing, struct status *st)
{
	struct report *report = storing->report;
	struct label fixed[LABELS_FIXED];
	const struct new_secret new_secret = {
		.labels = labels_of(storing->task, fixed),
		.annotations = labels_annotations(),
		.placement = placement_given(),
	};
	const struct existing existing = existing_of(storing);
	struct retry retry = retries(storing);
	int64_t started = clock_ms();

	report->operation = CREATE;
	report_info(report, CREATE, "Creating new secret: %s",
		    storing->task->secret);
	(void)secretmanager_create(&storing->client->sm, storing->task->project,
				   storing->task->secret, &new_secret, &retry,
				   st);
	storing->just_created =
		st->code == CODE_OK || st->code == CODE_ALREADY_EXISTS;
	if (st->code == CODE_OK) {
		storing->created = true;
		storing->has_baseline = true;
		storing->baseline = (struct probe){ .exists = false };
		report_done(report, CREATE, started, "",
			    "Successfully created secret");
	} else if (st->code == CODE_ALREADY_EXISTS) {
		status_clear(st);
		report_info(report, "secret-exists",
			    "Secret already exists: %s", storing->task->secret);
		(void)existing_check(&existing, true);
	} else if (st->code == CODE_NOT_FOUND) {
		status_hint(st, "check GCP_PROJECT_ID: the project was not "
				"found");
	}
	return st->code;
}

static struct version_search
search_of(struct storing *storing)
{
	return (struct version_search){
		.sm = &storing->client->sm,
		.project = storing->task->project,
		.secret = storing->task->secret,
		.payload = storing->task->payload,
		.just_created = storing->just_created,
		.baseline = storing->has_baseline ? &storing->baseline : NULL,
		.listener = storing->client->listener,
		.until = storing->client->until,
	};
}

/*
 * After an addVersion that may have acted: waits as before any retry, then
 * looks for the version. True if it is not there, so that it may be sent again;
 * else `st` is OK if it was found.
 */
static bool
may_add_again(struct storing *storing, struct retry *retry, struct status *st)
{
	const struct version_search search = search_of(storing);
	struct status failure = *st, look = { .code = CODE_OK };
	bool retried, found;

	/* For the rest of the run: it may be written after we looked. */
	storing->outcome->effect = EFFECT_UNKNOWN;
	retried = retry_again(retry, st);
	if (status_interrupted(st))
		return false;
	if (find_written_version(&search, &storing->version, &found, &look) ==
	    CODE_OK) {
		if (found)
			status_clear(st);
		return retried && !found;
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
log_adding(struct report *report)
{
	report->operation = ADD;
	report_info(report, ADD, "Adding secret version with pull secret data");
}

static enum code
add_version(struct storing *storing, struct status *st)
{
	struct report *report = storing->report;
	struct retry retry = retries(storing);
	int64_t started = clock_ms();

	log_adding(report);
	if (report_check(report, st) != CODE_OK)
		return st->code;
	while (secretmanager_add_version(
		       &storing->client->sm, storing->task->project,
		       storing->task->secret, storing->task->payload,
		       &storing->version, &retry, st) != CODE_OK) {
		if (st->code == CODE_NOT_FOUND && !storing->how->must_exist) {
			/* passes after a create */
			status_clear(st);
			if (create_secret(storing, st) != CODE_OK)
				return st->code;
			retry.just_created = true;
			log_adding(report);
			started = clock_ms();
		} else if (storing->client->sm.delivery != MAYBE_ACTED ||
			   !may_add_again(storing, &retry, st)) {
			break;
		}
	}
	if (st->code != CODE_OK)
		return st->code;
	storing->outcome->effect = EFFECT_DONE;
	(void)format_text(storing->outcome->resource,
			  sizeof(storing->outcome->resource), "%s",
			  storing->version.name);
	if (!storing->just_created)
		report_info(report, "secret-exists",
			    "Secret already exists: %s", storing->task->secret);
	report_done(report, ADD, started, storing->version.name,
		    "Successfully created secret version");
	return CODE_OK;
}

/* Reads the version back by its number. */
static enum code
verify(struct storing *storing, struct status *st)
{
	struct report *report = storing->report;
	struct retry retry = retries(storing);
	struct secret_version found;
	int64_t started = clock_ms();
	char number[24];
	struct str data;

	report->operation = VERIFY;
	(void)format_text(number, sizeof(number), "%llu",
			  (unsigned long long)storing->version.number);
	if (secretmanager_access(&storing->client->sm, storing->task->project,
				 storing->task->secret, number, &found, &data,
				 &retry, st) != CODE_OK) {
		if (!status_interrupted(st))
			status_prefix(st,
				      "version %s was written but not "
				      "verified",
				      number);
		return st->code;
	}
	if (data.len != storing->task->payload.len ||
	    !bytes_equal(data.ptr, storing->task->payload.ptr, data.len)) {
		status_hint(st, "do not use this version: find out who or "
				"what changed it");
		return status_set(st, CODE_DATA_LOSS,
				  "version %s holds other bytes than were "
				  "written (%zu bytes, %zu were written)",
				  number, data.len, storing->task->payload.len);
	}
	report_done(report, VERIFY, started, storing->version.name,
		    "Verified secret (%zu bytes)", data.len);
	return CODE_OK;
}

/*
 * Finds out whether the newest version of all is enabled and holds the payload.
 * `latest` alone may lag behind. What it finds is the baseline of the run.
 */
static enum code
compare(struct storing *storing, bool *equal, struct status *st)
{
	const struct version_search search = search_of(storing);
	const struct probe *newest = &storing->baseline;
	struct report *report = storing->report;
	int64_t started = clock_ms();

	report->operation = COMPARE;
	report_info(report, COMPARE, "Comparing the newest version");
	if (find_newest_version(&search, &storing->baseline, st) != CODE_OK) {
		if (!status_interrupted(st))
			status_prefix(st, "cannot compare the newest version");
		return st->code;
	}
	storing->has_baseline = true;
	*equal = newest->equal;
	report_done(report, COMPARE, started, newest->version.name,
		    newest->equal      ? "Newest version holds the same bytes"
		    : newest->readable ? "Newest version holds other bytes"
		    : newest->version.number > 0
			    ? "Newest version is disabled or destroyed"
			    : "There is no version");
	return CODE_OK;
}

/* Only after version `ours` was verified; what there is to say of it. */
static const char *
settle(struct storing *storing, uint64_t ours)
{
	const struct existing existing = existing_of(storing);
	const struct prune_target target = {
		.client = storing->client,
		.task = storing->task,
		.report = storing->report,
		.ours = ours,
		.just_added = storing->outcome->effect == EFFECT_DONE,
	};

	/* What only warns waits for no role. */
	storing->report->retries.grant_until = deadline_in(0);
	if (!storing->created)
		existing_settle(&existing);
	return prune_versions(&target);
}

static void
report_unchanged(struct storing *storing)
{
	struct outcome *outcome = storing->outcome;
	const char *name = storing->baseline.version.name;

	outcome->reason = "PullSecretUnchanged";
	(void)format_text(outcome->resource, sizeof(outcome->resource), "%s",
			  name);
	(void)format_text(outcome->message, sizeof(outcome->message),
			  "Unchanged: %s holds the same %zu bytes; no version "
			  "was added%s",
			  name, storing->task->payload.len,
			  settle(storing, storing->baseline.version.number));
	storing->report->operation = "completed";
	report_info(storing->report, "completed",
		    "Pull secret is unchanged, no version was added");
}

/* Adds a version, creates the secret where it is missing, reads it back. */
static enum code
store_secret(struct storing *storing, struct status *st)
{
	const struct existing existing = existing_of(storing);
	struct report *report = storing->report;
	bool equal = false;

	if (existing_check(&existing, false) == CODE_NOT_FOUND) {
		/* Not by an addVersion, which takes what others create. */
		status_clear(st);
		(void)create_secret(storing, st);
	}
	if (st->code != CODE_OK ||
	    (storing->how->skip_unchanged && !storing->created &&
	     compare(storing, &equal, st) != CODE_OK))
		return st->code;
	if (equal) {
		report_unchanged(storing);
		return CODE_OK;
	}
	if (add_version(storing, st) != CODE_OK ||
	    verify(storing, st) != CODE_OK)
		return st->code;
	(void)format_text(storing->outcome->message,
			  sizeof(storing->outcome->message),
			  "Stored and verified %zu bytes as %s%s",
			  storing->task->payload.len, storing->version.name,
			  settle(storing, storing->version.number));
	storing->outcome->reason = "PullSecretStored";
	report->operation = "completed";
	report_info(report, "completed",
		    "Successfully created/updated pull secret");
	return CODE_OK;
}

/* Logs what a run would do; changes nothing. */
static enum code
dry_run(struct storing *storing, struct status *st)
{
	struct report *report = storing->report;
	struct retry retry = retries(storing);
	const struct existing existing = existing_of(storing);
	struct secret_resource found;
	const bool look = existing_is_asked();
	bool missing, equal = false;

	report->operation = "dry-run";
	missing =
		secretmanager_get(&storing->client->sm, storing->task->project,
				  storing->task->secret, look ? &found : NULL,
				  &retry, st) == CODE_NOT_FOUND;
	if (missing)
		status_clear(st);
	secretmanager_hint(st, "a dry run needs secretmanager.secrets.get: "
			       "grant roles/secretmanager.viewer on the secret "
			       "or the project; a run that stores does without "
			       "it");
	if (st->code != CODE_OK ||
	    (!missing && look && existing_judge(&existing, &found) != CODE_OK))
		return st->code;
	if (!missing && storing->how->skip_unchanged &&
	    compare(storing, &equal, st) != CODE_OK)
		return st->code;
	storing->outcome->reason = "DryRunPassed";
	report->operation = "dry-run";
	report_info(report, "dry-run",
		    missing ? "Dry run: authenticated; secret %s does not "
			      "exist, it would be created with one version"
		    : equal ? "Dry run: authenticated; secret %s is unchanged, "
			      "nothing would be written"
			    : "Dry run: authenticated; secret %s exists, a "
			      "version would be added",
		    storing->task->secret);
	return CODE_OK;
}

void
store_payload(struct client *client, const struct task *task,
	      const struct store_how *how, struct report *report,
	      struct outcome *outcome)
{
	struct storing storing = { .client = client,
				   .task = task,
				   .how = how,
				   .report = report,
				   .outcome = outcome };
	struct status *st = &outcome->status;

	client->sm.secret = task->payload;
	if (how->dry_run)
		(void)dry_run(&storing, st);
	else
		(void)store_secret(&storing, st);
	/* The configuration was right: what is missing may be there later. */
	if (outcome->effect == EFFECT_DONE &&
	    code_exit_status(st->code) == EXIT_CONFIG)
		outcome->exit = EXIT_RETRY;
}
