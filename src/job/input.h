/*
 * Floor 4, job. The sources of the pull secret.
 */
#ifndef JOB_INPUT_H
#define JOB_INPUT_H

#include "base/status.h"
#include "sys/clock.h"
#include "sys/opt.h"

/* PULL_SECRET_FILE, PULL_SECRET_DATA and --fake-pull-secret. */
extern const struct opt_table INPUT_OPTIONS;

/* Whether a source is given. */
bool input_given(void);

/*
 * Whether exactly one source is given, or none for a list of tasks, whose lines
 * may bring their own. INVALID_ARGUMENT names the remedies. Reads nothing.
 */
MUST_CHECK enum code input_check(struct status *st);

/*
 * Reads the pull secret into `out`; PULL_SECRET_DATA is overwritten then.
 * Codes: OUT_OF_RANGE if it is larger than `out`; DEADLINE_EXCEEDED and
 * CANCELLED while it waits for a pipe; what else file_read() gives, as
 * INVALID_ARGUMENT.
 */
MUST_CHECK enum code input_read(struct deadline until, struct buf *out,
				struct status *st);

/*
 * The same from the file at `path`, "-" for standard input, which messages call
 * `what`.
 */
MUST_CHECK enum code input_read_file(const char *path, const char *what,
				     struct deadline until, struct buf *out,
				     struct status *st);

/*
 * Says of an error of reading a pull secret what it means here; its code is one
 * of those above.
 */
enum code input_explain(const char *path, const char *what, struct status *st);

/*
 * After the options are parsed: overwrites PULL_SECRET_DATA in the environment
 * if INPUT_OPTIONS are not among them, so that nothing will read it.
 */
void input_wipe_unread(void);

#endif
