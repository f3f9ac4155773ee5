/*
 * Floor 1, process. Options: flags on the command line, each with a variable.
 *
 * Tables describe them; this file knows no option by name. Flags win over
 * variables, and an empty variable counts as unset. A flag given twice, an
 * unknown flag and a missing argument are errors.
 */
#ifndef SYS_OPT_H
#define SYS_OPT_H

#include "base/status.h"

enum opt_kind {
	OPT_PLAIN = 0,
	OPT_INPUT =
		1, /* a file that is read, so that nothing is written to it */
	OPT_SECRET = 2, /* a secret itself, never shown; see opt_wipe() */
	OPT_HIDDEN = 4, /* may hold a password: never shown */
	OPT_NONE = 8,   /* an empty argument undoes the variable */
	OPT_OUTPUT = 16 /* a file that is written, so that it is no input */
};

struct opt {
	const char *flag;     /* with its "--"; NULL: only a variable */
	const char *variable; /* NULL: only a flag */
	const char *argument; /* its name in help; NULL: a switch */
	/*
	 * What it means, and after a '|' its default. NULL: another variable
	 * for the row above, where that is not set.
	 */
	const char *help;
	const char **value; /* where the value goes; NULL if not given */
	unsigned kind;      /* of enum opt_kind, joined by | */
};

/* Of all tables that are in force together. */
#define OPT_ROWS_MAX 128

/* One of the tables that are in force together. */
struct opt_table {
	const char *title; /* over its part of the help */
	const struct opt *opt;
	size_t count;
};

#define OPT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/*
 * Fills the values of `table` (ended by NULL, and then in force) from the
 * variables and from argv[0] to argv[argc - 1]. Texts stay where they are, in
 * argv and in the environment; a switch that is on becomes "true", one that is
 * off stays NULL. Up to `*operand_count` operands go to `operand`, and their
 * number to `*operand_count`; "--" ends the flags. "--help" and "-h" set
 * `*help` and end the parsing; they win over operands and errors.
 * INVALID_ARGUMENT names the flag or variable, and what an unknown flag may
 * have been meant to be. It is the first error; what follows it is filled in,
 * too, for the caller has to know the files that are named there.
 */
MUST_CHECK enum code opt_parse(const struct opt_table *const *table, int argc,
			       char **argv, const char **operand,
			       size_t *operand_count, bool *help,
			       struct status *st);

/*
 * For messages, what an option was given with: its flag ("--timeout"), or else
 * its variable. `variable` is that of its row in the tables in force; one that
 * is none of theirs comes back as it is.
 */
const char *opt_origin(const char *variable);

/*
 * Whether it was given as a flag: a variable may be there for others, such as
 * another container of the pod.
 */
bool opt_is_flag(const char *variable);

/*
 * What opt_origin() says, with the value, as it could be given again:
 * "--timeout=5x" or "MAX_WAIT_TIME_SECONDS=5x". A long value is cut; one that
 * may hold a secret is left out. Valid until the next call.
 */
const char *opt_given(const char *variable);

/*
 * Reads an option as a duration (clock_duration()) of `least` to `most`
 * seconds; `*seconds` stays as it is if it is not given. INVALID_ARGUMENT.
 */
MUST_CHECK enum code opt_duration(const char *variable, uint64_t least,
				  uint64_t most, uint64_t *seconds,
				  struct status *st);

/* Whether an argument asks for help: "--help" or "-h". */
bool opt_asks_for_help(const char *arg);

/* Appends the help text of the tables, two lines or more for each option. */
void opt_help(const struct opt_table *const *table, struct buf *out);

/* Overwrites each secret in place, and unsets its value. */
void opt_wipe(const struct opt_table *const *table);

/* An environment variable that is no option; NULL if unset or empty. */
const char *opt_variable(const char *name);

#endif
