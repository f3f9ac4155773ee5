/*
 * Floor 5, commands. What commands print.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include "base/status.h"

/*
 * Writes `text` to standard output, whose reader has some seconds to make
 * room. EXIT_DONE, or EXIT_RETRY with a line on standard error if it cannot be
 * written: a lost result is a failure; 128 and the number after a signal.
 */
MUST_CHECK enum exit_status print_result(struct str text);

/*
 * Writes "pull-secret: MESSAGE" to standard error, and the hint if there is
 * one, unless nobody makes room for it within a second. Returns `exit_status`, so that a command can end with it.
 */
enum exit_status complain(const struct status *st,
			  enum exit_status exit_status);

#endif
