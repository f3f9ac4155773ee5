/*
 * Floor 5, commands. Output of commands.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include "base/status.h"

/*
 * Writes `text` to standard output, waiting some seconds for a slow reader.
 * EXIT_DONE, or EXIT_RETRY with a line on standard error if it cannot be
 * written: a lost result is a failure; 128 and the number after a signal.
 */
MUST_CHECK enum exit_status print_result(struct str text);

/*
 * Writes "pull-secret: MESSAGE" and the hint, if there is one, to standard
 * error; drops it if there is no room within a second.
 */
void print_note(const struct status *st);

/*
 * The same. Returns `exit_status`, so that a command can `return
 * print_failure(...)`.
 */
enum exit_status print_failure(const struct status *st,
			       enum exit_status exit_status);

#endif
