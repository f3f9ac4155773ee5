/*
 * Floor 4, job. The result of a task.
 */
#ifndef JOB_OUTCOME_H
#define JOB_OUTCOME_H

#include "gcp/secretmanager.h"

/* What a task has changed at Google, whether it succeeded or failed. */
enum effect {
	EFFECT_NONE,    /* nothing */
	EFFECT_UNKNOWN, /* something was sent, the reply is missing */
	EFFECT_DONE     /* everything that was to be changed */
};

#define OUTCOME_UNCHANGED "Nothing was changed"

/* All zero: a success that changed nothing. */
struct outcome {
	struct status status;
	/* Of a failure; EXIT_DONE: the one that the code stands for. */
	enum exit_status exit;
	/*
	 * The `reason` of the result file, PascalCase and stable; NULL: the
	 * one that the exit status of a failure stands for.
	 */
	const char *reason;
	enum effect effect;
	/* For people, of a success; "": OUTCOME_UNCHANGED. */
	char message[STATUS_MESSAGE_MAX];
	/* Resource name of what was written, a version of a secret, or "". */
	char resource[VERSION_NAME_SIZE];
};

#endif
