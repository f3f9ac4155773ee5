/*
 * Floor 4, job. The jobs that there are, and the runner that they share.
 *
 * A new job is one file that defines a `struct job` and one row in the table
 * of job.c.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "job/run.h"

struct job {
	const char *name;
	const char *description;
	/* Its own options, beside RUN_OPTIONS and NETWORK_OPTIONS. */
	const struct opt_table *options;
	/* Finds the tasks: fills `*tasks` with their number, at least 1. */
	enum code (*find_tasks)(struct run *run, size_t *tasks,
				struct status *st);
	/* Works on task number `task`, from 0; logs what it does. */
	enum exit_status (*process)(struct run *run, size_t task,
				    struct status *st);
	/* Tasks that may be worked on at the same time; the runner works on
	 * one after another as long as every job says 1. */
	unsigned workers;
	/* For the result file when every task succeeded. */
	const char *success_reason;
};

/* All jobs, ended by NULL. */
extern const struct job *const JOBS[];

/* The job of that name, or NULL. */
const struct job *job_find(struct str name);

/*
 * Runs a job whose settings have been read: finds its tasks, works on them,
 * logs errors, writes the result file and, as the last line of the log, how
 * many tasks there were, succeeded and failed. Fails if every task failed, with
 * the exit status of the last one. A success that log or result file could not
 * tell is EXIT_UNREPORTED, or EXIT_RETRY if nothing was changed.
 */
enum exit_status job_run(const struct job *job, struct run *run);

/*
 * Ends a run that never came to its job: logs nothing, writes the result. The
 * exit status of the error, which is EXIT_RETRY only for a report that has no
 * room.
 */
enum exit_status job_abort(struct run *run, const struct status *st);

#endif
