/*
 * Floor 5, commands. The applets: what `pull-secret NAME` can be.
 *
 * A new applet is one file that defines it, as `const struct applet APPLET_`
 * and its name, and one row here. The dispatcher handles
 * options, help and usage errors.
 */
#ifndef CMD_APPLET_H
#define CMD_APPLET_H

#include "job/program.h"

struct applet {
	const char *name;
	const char *operands; /* for the usage line, or "" */
	const char *description;
	/* Over its options; ends with a line feed. NULL: the description. */
	const char *help;
	/* Its options, ended by NULL; NULL: none. */
	const struct opt_table *const *options;
	size_t operands_max;
	/*
	 * Runs it with the operands, `count` of them. All of `program` is as
	 * program_init() left it.
	 */
	enum exit_status (*run)(struct program *program,
				const char *const *operand, size_t count);
	/*
	 * Instead of `run`: gets all arguments after the name, argv[0] to
	 * argv[argc - 1], and parses them itself.
	 */
	enum exit_status (*run_raw)(struct program *program, int argc,
				    char **argv);
};

#define APPLETS(ROW) \
	ROW(run_job) \
	ROW(validate) \
	ROW(token) \
	ROW(access) \
	ROW(versions) \
	ROW(doctor) \
	ROW(version) \
	ROW(help)

#define APPLET_DECLARE(name) extern const struct applet APPLET_##name;
APPLETS(APPLET_DECLARE)
#undef APPLET_DECLARE

/* The applet number `i`, from 0; NULL: there are no more. */
const struct applet *applet_number(size_t i);

/* The applet of that name, or NULL. */
const struct applet *applet_find(struct str name);

/* The error for a name that no applet has, and what it may have meant. */
void applet_refuse(const char *name, struct status *st);

/* Reads options and operands, or prints the help; then runs it. */
enum exit_status applet_run(const struct applet *applet,
			    struct program *program, int argc, char **argv);

/*
 * Reads the options of `tables`. False if help was asked for, or with an error
 * in `st`.
 */
MUST_CHECK bool applet_parse(struct program *program,
			     const struct opt_table *const *tables, int argc,
			     char **argv, const char **operand, size_t *count,
			     struct status *st);

/* Memory to print with, until the network is used; empty. */
struct buf *applet_output(struct program *program);

/*
 * Ends an applet that failed: "NAME: MESSAGE" on standard error. Returns the
 * exit status that the failure stands for.
 */
enum exit_status applet_fail(const struct applet *applet, struct status *st);

/* Prints the names of all applets, one a line ("--list"). */
extern const struct applet APPLET_LIST;

#endif
