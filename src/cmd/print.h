/*
 * Floor 5, commands. Output of commands.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include "base/json_write.h"
#include "base/status.h"
#include "sys/opt.h"

/* The option "--json" of applets that print an object or text. */
extern const struct opt_table JSON_OPTIONS;

/* Whether it was given. */
bool print_wants_json(void);

/*
 * Writes `text` to standard output, waiting some seconds for a slow reader.
 * EXIT_DONE, or EXIT_RETRY with a line on standard error if it cannot be
 * written: a lost result is a failure; 128 and the number after a signal.
 */
MUST_CHECK enum exit_status print_result(struct str text);

/*
 * Ends the object that is open, and prints it, as print_result() does.
 * EXIT_RETRY if it did not fit into its buffer.
 */
MUST_CHECK enum exit_status print_json(struct json_writer *json);

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
