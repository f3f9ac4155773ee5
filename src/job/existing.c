#include "job/existing.h"

#include "base/format.h"
#include "job/labels.h"
#include "job/placement.h"

static const char SYNC[] = "sync-labels";
static const char CHECK[] = "check-secret";

/* Of labels and annotations, with escapes. */
#define PATCH_MAX 49152

static enum code
read_secret(const struct existing *existing, bool just_created,
	    struct secret_resource *found, struct status *st)
{
	struct retry retry = client_retries(existing->client);

	retry.just_created = just_created;
	(void)secretmanager_get(&existing->client->sm, existing->task->project,
				existing->task->secret, found, &retry, st);
	secretmanager_hint(st, "this needs secretmanager.secrets.get: grant "
			       "roles/secretmanager.viewer");
	return st->code;
}

static enum code
check_owner(const struct existing *existing,
	    const struct secret_resource *found)
{
	return labels_check_owner(existing->task, found,
				  "without --require-managed it is used all "
				  "the same",
				  existing->outcome);
}

bool
existing_is_asked(void)
{
	return labels_are_required() || labels_are_synced() ||
	       placement_is_given();
}

enum code
existing_check(const struct existing *existing, bool exists)
{
	struct status *st = &existing->outcome->status;
	struct secret_resource found;

	if (!labels_are_required())
		return CODE_OK;
	existing->report->operation = CHECK;
	if (read_secret(existing, exists, &found, st) == CODE_OK)
		return check_owner(existing, &found);
	if (st->code != CODE_NOT_FOUND && !status_interrupted(st))
		status_prefix(st, "cannot see whose the secret is");
	return st->code;
}

static void
warn(const struct existing *existing, const char *operation,
     const char *message, const struct status *st)
{
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = operation,
				       .message = message,
				       .status = st };

	report_log(existing->report, &line);
}

static void
check_placement(const struct existing *existing,
		const struct secret_resource *found)
{
	char message[STATUS_MESSAGE_MAX], memory[STATUS_MESSAGE_MAX / 2];
	struct buf what;

	buf_init(&what, memory, sizeof(memory));
	if (!placement_is_given() || placement_fits(found, &what))
		return;
	(void)format_text(message, sizeof(message),
			  "the secret has another placement, which stays: "
			  "%.*s",
			  (int)what.len, memory);
	warn(existing, CHECK, message, NULL);
}

/* Patches it, if its labels or annotations drifted. */
static enum code
sync_labels(const struct existing *existing,
	    const struct secret_resource *found, bool dry_run,
	    struct status *st)
{
	static char memory[PATCH_MAX];
	struct label fixed[LABELS_FIXED];
	const struct pairs labels = labels_of(existing->task, fixed),
			   annotations = labels_annotations();
	struct retry retry = client_retries(existing->client);
	int64_t started = clock_ms();
	struct buf body;

	if (!labels_are_synced() ||
	    (pairs_are_in(&labels, found->labels) &&
	     pairs_are_in(&annotations, json_get(found->whole, "annotations"))))
		return CODE_OK;
	if (labels_name_others(existing->task, found)) {
		warn(existing, SYNC,
		     "the secret's labels say that it is not this cluster's; "
		     "they stay",
		     NULL);
		return CODE_OK;
	}
	if (dry_run) {
		report_info(existing->report, SYNC,
			    "Dry run: its labels or annotations would be "
			    "changed");
		return CODE_OK;
	}
	buf_init(&body, memory, sizeof(memory));
	if (secretmanager_patch(&existing->client->sm, existing->task->project,
				existing->task->secret, found, &labels,
				&annotations, &body, &retry, st) == CODE_OK)
		report_done(existing->report, SYNC, started, "",
			    "Changed labels or annotations");
	secretmanager_hint(st, "--sync-labels needs "
			       "secretmanager.secrets.update");
	return st->code;
}

enum code
existing_judge(const struct existing *existing,
	       const struct secret_resource *found)
{
	struct status *st = &existing->outcome->status;

	if (labels_are_required() && check_owner(existing, found) != CODE_OK)
		return st->code;
	check_placement(existing, found);
	return sync_labels(existing, found, true, st);
}

static bool
is_conflict(enum code code)
{
	return code == CODE_FAILED_PRECONDITION || code == CODE_ABORTED;
}

void
existing_settle(const struct existing *existing)
{
	struct status st = { .code = CODE_OK };
	struct secret_resource found;

	if (!placement_is_given() && !labels_are_synced())
		return;
	existing->report->operation = CHECK;
	if (read_secret(existing, true, &found, &st) == CODE_OK)
		check_placement(existing, &found);
	if (st.code == CODE_OK &&
	    is_conflict(sync_labels(existing, &found, false, &st))) {
		/* Others changed it in between: their change stays. */
		status_clear(&st);
		if (read_secret(existing, false, &found, &st) == CODE_OK)
			(void)sync_labels(existing, &found, false, &st);
	}
	if (st.code == CODE_OK)
		return;
	status_prefix(&st, labels_are_synced()
				   ? "labels could not be synced"
				   : "the placement could not be checked");
	warn(existing, CHECK, st.message, &st);
}
