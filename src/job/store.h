/*
 * Floor 4, job. Storing a payload, and the options of the main job, for all
 * that run it or look ahead.
 */
#ifndef JOB_STORE_H
#define JOB_STORE_H

#include "job/input.h"
#include "job/job.h"
#include "job/labels.h"
#include "job/options.h"
#include "job/placement.h"
#include "job/prune.h"
#include "job/target.h"
#include "job/validation.h"

/* Those that no other job has. */
extern const struct opt_table STORE_OPTIONS;

/* All tables of the main job, in their order. */
#define STORE_TABLES \
	&TARGET_OPTIONS, &INPUT_OPTIONS, &VALIDATION_OPTIONS, &STORE_OPTIONS, \
		&PLACEMENT_OPTIONS, &LABEL_OPTIONS, &OWNER_OPTIONS, \
		&KEEP_OPTIONS, &RUN_OPTIONS, &NETWORK_OPTIONS

/* Whether an option needs secretmanager.secrets.get to succeed. */
bool store_needs_get(void);

/* How a payload is stored. */
struct store_how {
	bool dry_run;
	bool skip_unchanged; /* nothing is written if the newest one is equal */
	bool must_exist;     /* the secret is not created */
};

/*
 * Adds the task's payload as a version and reads it back; logs what it does.
 * After that prunes, if KEEP_OPTIONS say so.
 */
void store_payload(struct client *client, const struct task *task,
		   const struct store_how *how, struct report *report,
		   struct outcome *outcome);

/* What is said of a failure where a payload is stored. */
#define STORE_MESSAGES \
	{ \
		.done = "a version was already written: ", \
		.unknown = "it is unknown whether a version was written", \
		.none = "no version was written", \
		.repeated = \
			"the version is verified, do not run it again for " \
			"this; make room for the log and the result file" \
	}

#endif
