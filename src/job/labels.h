/*
 * Floor 4, job. Labels and annotations of the secret, and what they say of
 * whose it is.
 */
#ifndef JOB_LABELS_H
#define JOB_LABELS_H

#include "gcp/pairs.h"
#include "job/outcome.h"
#include "job/task.h"
#include "sys/opt.h"

/* --label, --annotation, --sync-labels. */
extern const struct opt_table LABEL_OPTIONS;

/* --require-managed. */
extern const struct opt_table OWNER_OPTIONS;

/* Whether they can be used. INVALID_ARGUMENT names the one that cannot. */
MUST_CHECK enum code labels_check(struct status *st);

/* Whether these are given. */
bool labels_are_synced(void);
bool labels_are_required(void);

/* Those that each secret of this program has. */
#define LABELS_FIXED 5

/*
 * The labels of a task's secret: the fixed ones, kept in `fixed`, the task's
 * own, and those of --label that it has not. Valid until the next call.
 */
struct pairs labels_of(const struct task *task,
		       struct label fixed[static LABELS_FIXED]);

/*
 * Reads the labels of a task's own, an object with strings; absent: none.
 * INVALID_ARGUMENT as labels_check().
 */
MUST_CHECK enum code labels_read(struct task *task, struct json_value object,
				 struct status *st);

/* --annotation. */
struct pairs labels_annotations(void);

/* Whether a secret's labels say that it is another program's or cluster's. */
bool labels_name_others(const struct task *task,
			const struct secret_resource *secret);

/*
 * Whether a secret is this program's and this cluster's; else
 * FAILED_PRECONDITION in `outcome`, with `hint`.
 */
MUST_CHECK enum code labels_check_owner(const struct task *task,
					const struct secret_resource *secret,
					const char *hint,
					struct outcome *outcome);

#endif
