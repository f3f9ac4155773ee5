/*
 * Floor 4, job. Checks each step of the main job, changes nothing, and gives a
 * hint for each step that fails.
 *
 * What could not be found out is unknown, and unknown is no success.
 */
#ifndef JOB_DOCTOR_H
#define JOB_DOCTOR_H

#include "job/outputs.h"
#include "job/program.h"

enum doctor_step {
	DOCTOR_CONFIGURATION,
	DOCTOR_PULL_SECRET,
	DOCTOR_RESULT_FILE,
	DOCTOR_TERMINATION_LOG,
	DOCTOR_CREDENTIALS,
	DOCTOR_DNS,
	DOCTOR_TCP,
	DOCTOR_PROXY,
	DOCTOR_TLS,
	DOCTOR_TOKEN,
	DOCTOR_API,
	DOCTOR_CLOCK,
	DOCTOR_SECRET,
	DOCTOR_ADD,    /* secretmanager.versions.add */
	DOCTOR_ACCESS, /* secretmanager.versions.access */
	DOCTOR_CREATE, /* secretmanager.secrets.create */
	DOCTOR_STEPS
};

enum doctor_verdict {
	DOCTOR_SKIPPED, /* a step before it failed, or it does not apply */
	DOCTOR_OK,
	DOCTOR_UNKNOWN, /* it could not be found out */
	DOCTOR_FAILED
};

/* Of a hint: some lines, each with a command, and names. */
#define DOCTOR_HINT_MAX 1536

struct doctor_finding {
	enum doctor_verdict verdict;
	/* Of a failure, or of the one that may hide behind an unknown. */
	enum exit_status exit;
	int64_t duration_ms; /* -1: it took no time of its own */
	char message[STATUS_MESSAGE_MAX];
	char hint[DOCTOR_HINT_MAX]; /* lines, or "" */
};

/* What the steps found, besides; zero where they did not get so far. */
struct doctor_facts {
	size_t address_count; /* of the host that is connected to */
	char address[ADDRESSES_MAX][ADDRESS_TEXT_SIZE];
	char connected_to[ADDRESS_TEXT_SIZE];
	const char *via; /* the option that led elsewhere, or NULL */
	bool has_certificate;
	char issuer[128];
	int64_t days_left; /* of the certificate; negative: it has expired */
	const char *cipher_suite; /* NULL: none was agreed on */
	int64_t token_expires_at; /* Unix seconds */
};

struct doctor {
	struct doctor_finding finding[DOCTOR_STEPS];
	struct doctor_facts facts;
	char summary[STATUS_MESSAGE_MAX]; /* one sentence */
	struct url resource_manager;      /* private, as the next */
	struct output output[FILE_OUTPUTS];
};

/* The name of a step: "dns". */
const char *doctor_step_name(enum doctor_step step);

/*
 * Takes all steps with `program`, whose options have been read;
 * `resource_manager` is the base URL of Cloud Resource Manager, or NULL for
 * Google's. Returns the exit status of the first step that failed, or else of
 * the first that is unknown.
 */
enum exit_status doctor_walk(struct doctor *doctor, struct program *program,
			     const char *resource_manager);

#endif
