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
	OPT_PLAIN,
	OPT_INPUT, /* a file that is read, so that nothing is written to it */
	OPT_SECRET /* a secret itself; see opt_wipe() */
};

struct opt {
	const char *flag;     /* without "--"; NULL: only a variable */
	const char *variable; /* NULL: only a flag */
	const char *argument; /* its name in help; NULL: a switch */
	const char *fallback; /* for help: the default, or NULL */
	const char *help;
	const char **value; /* where the value goes; NULL if not given */
	enum opt_kind kind;
};

/* One of the tables that are in force together. */
struct opt_table {
	const char *title; /* over its part of the help */
	const struct opt *opt;
	size_t count;
};

#define OPT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/*
 * Fills the values of `table` (ended by NULL) from the variables and from
 * argv[0] to argv[argc - 1]. Texts stay where they are, in argv and in the
 * environment; a switch that is on becomes "true", one that is off stays NULL.
 * Up to `*operand_count` operands go to `operand`, and their number to
 * `*operand_count`; "--" ends the flags. "--help" and "-h" set `*help` and
 * end the parsing. INVALID_ARGUMENT names the flag or variable.
 */
MUST_CHECK enum code opt_parse(const struct opt_table *const *table, int argc,
			       char **argv, const char **operand,
			       size_t *operand_count, bool *help,
			       struct status *st);

/* Appends the help text of the tables, one line or two for each option. */
void opt_help(const struct opt_table *const *table, struct buf *out);

/* Overwrites each secret in place, and unsets its value. */
void opt_wipe(const struct opt_table *const *table);

/* An environment variable that is no option; NULL if unset or empty. */
const char *opt_variable(const char *name);

#endif
