/*
 * Floor 4, job. Where the pull secret comes from.
 */
#ifndef JOB_INPUT_H
#define JOB_INPUT_H

#include "job/settings.h"
#include "sys/clock.h"

/*
 * Whether exactly one source is given: PULL_SECRET_FILE, PULL_SECRET_DATA or
 * --fake-pull-secret. INVALID_ARGUMENT names the remedies. Reads nothing.
 */
MUST_CHECK enum code input_check(const struct settings *settings,
				 struct status *st);

/*
 * Reads the pull secret into `out`. Codes: OUT_OF_RANGE if it is larger than
 * `out`; DEADLINE_EXCEEDED and CANCELLED while it waits for a pipe; what else
 * file_read() gives, as INVALID_ARGUMENT.
 */
MUST_CHECK enum code input_read(const struct settings *settings,
				struct deadline until, struct buf *out,
				struct status *st);

/*
 * Overwrites PULL_SECRET_DATA in the environment, and what
 * input_wipe_proxy() does, however the run ends.
 */
void input_wipe(struct settings *settings);

/*
 * Overwrites users and passwords of proxies in the environment and in argv;
 * once they were read.
 */
void input_wipe_proxy(const struct settings *settings);

#endif
