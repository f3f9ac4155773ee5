/*
 * Floor 4, job. Destroying old versions, after a new one was verified.
 */
#ifndef JOB_PRUNE_H
#define JOB_PRUNE_H

#include "gcp/client.h"
#include "job/report.h"
#include "job/task.h"
#include "sys/opt.h"

/* --keep, --keep-age, --keep-action. */
extern const struct opt_table KEEP_OPTIONS;

/* Whether they can be used. INVALID_ARGUMENT names the one that cannot. */
MUST_CHECK enum code prune_check(struct status *st);

/* A version that was verified; what is newer, or of use, stays. */
struct prune_target {
	struct client *client;
	const struct task *task;
	struct report *report;
	uint64_t ours;
	bool just_added; /* by this run */
};

/*
 * Destroys or disables what --keep does not keep, if that is given: enabled
 * versions below the N newest and below ours, no alias's target, old enough.
 * Each is looked for in a list of its own, in which ours must be enabled; then
 * aliases are read, and it is changed as it was listed, by its etag. What fails
 * is logged as a warning, and ends it.
 * Returns what there is to say of it, "" for nothing; static.
 */
const char *prune_versions(const struct prune_target *target);

#endif
