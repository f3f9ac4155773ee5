/*
 * Floor 4, job. The secret that a job works on: its options, and their rules.
 */
#ifndef JOB_TARGET_H
#define JOB_TARGET_H

#include "base/status.h"
#include "job/task.h"
#include "sys/opt.h"

/* NULL where neither flag nor variable was given. */
struct target_options {
	const char *project;     /* GCP_PROJECT_ID */
	const char *cluster_id;  /* CLUSTER_ID */
	const char *secret_name; /* SECRET_NAME */
	const char *location;    /* SECRET_REGION */
};

extern const struct opt_table TARGET_OPTIONS;

/* The values of TARGET_OPTIONS, not checked. */
const struct target_options *target_options(void);

/* Another SECRET_REGION than that of the options; NULL: none. It must stay. */
void target_set_location(const char *location);

/*
 * Takes GCP_PROJECT_ID, CLUSTER_ID and SECRET_NAME (by default
 * "hyperfleet-CLUSTER_ID-pull-secret"). INVALID_ARGUMENT names each that is
 * missing, and of each wrong one the rule and the character that breaks it; by
 * the names that they have in a list if `task->line` is one of it.
 */
MUST_CHECK enum code target_read(struct task *task,
				 const struct target_options *options,
				 struct status *st);

/* GCP_PROJECT_ID, if it is given, which a list of tasks does not need. */
MUST_CHECK enum code target_check_project(struct status *st);

/* One of them alone, by the same rules. */
MUST_CHECK enum code target_set_project(struct task *task, const char *project,
					struct status *st);
MUST_CHECK enum code target_set_secret(struct task *task, const char *secret,
				       struct status *st);

/*
 * Whether a version to go back to, which is called `name`, is a number from 1.
 */
MUST_CHECK enum code target_check_version(const char *name, const char *version,
					  struct status *st);

#endif
