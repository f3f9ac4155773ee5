/*
 * Floor 4, job. Checks each step of the main job, changes nothing, and gives a
 * hint for each step that fails.
 */
#ifndef JOB_DOCTOR_H
#define JOB_DOCTOR_H

#include "job/program.h"

enum doctor_step {
	DOCTOR_CONFIGURATION,
	DOCTOR_CREDENTIALS,
	DOCTOR_DNS,
	DOCTOR_TCP,
	DOCTOR_PROXY,
	DOCTOR_TLS,
	DOCTOR_TOKEN,
	DOCTOR_API,
	DOCTOR_CLOCK,
	DOCTOR_ADD,    /* secretmanager.versions.add */
	DOCTOR_ACCESS, /* secretmanager.versions.access */
	DOCTOR_CREATE, /* secretmanager.secrets.create */
	DOCTOR_STEPS
};

enum doctor_verdict {
	DOCTOR_SKIPPED, /* a step before it failed, or it does not apply */
	DOCTOR_OK,
	DOCTOR_FAILED
};

struct doctor_finding {
	enum doctor_verdict verdict;
	enum code code;
	char message[STATUS_MESSAGE_MAX];
	char hint[STATUS_HINT_MAX];
};

struct doctor {
	struct doctor_finding finding[DOCTOR_STEPS];
};

/* The name of a step: "dns". */
const char *doctor_step_name(enum doctor_step step);

/*
 * Takes all steps with `program`, whose options have been read. Returns the
 * exit status of the first step that failed.
 */
enum exit_status doctor_walk(struct doctor *doctor, struct program *program);

#endif
