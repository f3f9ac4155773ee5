/*
 * Floor 5, commands. The applets: what `pull-secret NAME` can be.
 *
 * A new applet is one file with a NAME_main() and one row in applet.c; the
 * dispatcher, `help` and `--list` read the same table.
 */
#ifndef CMD_APPLET_H
#define CMD_APPLET_H

#include "job/run.h"

struct applet {
	const char *name;
	const char *operands; /* for the usage line, or "" */
	const char *description;
	/*
	 * Runs it with argv[0] to argv[argc - 1], which follow its name. All of
	 * `run` is zero but for what run_init() set.
	 */
	enum exit_status (*main)(struct run *run, int argc, char **argv);
};

/* All applets, ended by a row without a name. */
extern const struct applet APPLETS[];

/* The applet of that name, or NULL. */
const struct applet *applet_find(struct str name);

/* The applets' own, as in the table. */
enum exit_status run_job_main(struct run *run, int argc, char **argv);
enum exit_status validate_main(struct run *run, int argc, char **argv);
enum exit_status token_main(struct run *run, int argc, char **argv);
enum exit_status doctor_main(struct run *run, int argc, char **argv);
enum exit_status version_main(struct run *run, int argc, char **argv);
enum exit_status help_main(struct run *run, int argc, char **argv);

/* Prints the names of all applets, one a line ("--list"). */
enum exit_status list_main(struct run *run, int argc, char **argv);

#endif
