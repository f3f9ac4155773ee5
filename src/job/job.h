/*
 * Floor 4, job. What a job is, and the runner that all jobs share.
 *
 * A new job is one file that defines a `struct job` and one row in jobs.h.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "job/counts.h"
#include "job/outcome.h"
#include "job/program.h"

/* What a failure's message says about the job's effect. */
struct job_messages {
	const char *done;    /* it had its effect; the resource follows */
	const char *unknown; /* it may have had it */
	const char *none;    /* stopped by a signal before anything was sent */
	/* A hint where a run that had its effect must not be repeated; NULL:
	 * it may be. */
	const char *repeated;
};

struct job {
	const char *name;
	const char *description;
	/* Its options, ended by NULL; RUN_OPTIONS and NETWORK_OPTIONS too. */
	const struct opt_table *const *options;
	const char *start; /* the first line of its log */
	struct job_messages messages;
	/* Whether its own options fit together; NULL: nothing to check. */
	enum code (*check)(struct status *st);
	/*
	 * Reads and checks what the task needs, before the network is touched;
	 * NULL: nothing. `client` lends its memory. Fails in `outcome`.
	 */
	void (*prepare)(struct client *client, struct task *task,
			struct report *report, struct outcome *outcome);
	/*
	 * Works on the task; logs what it does. NULL: prepare() does all of
	 * it, without network and credentials.
	 */
	void (*run)(struct client *client, struct task *task,
		    struct report *report, struct outcome *outcome);
};

/* Where tasks come from. */
struct task_source {
	/*
	 * Fills in the next task; false after the last one. For an
	 * invalid task it returns true, with the error in `st`.
	 */
	bool (*next)(struct task_source *source, struct task *task,
		     struct status *st);
	size_t count; /* how many it gave so far */
};

/* One task: the one that TARGET_OPTIONS name. */
struct task_source task_from_options(void);

/*
 * Runs a job whose options have been read over its tasks: logs errors, writes
 * the result file and, as the last line of the log, how many tasks there were,
 * succeeded and failed. Fails if every task failed, with the exit status of
 * the last one. A success that cannot be reported in log and result file is
 * EXIT_UNREPORTED, or EXIT_RETRY for a job that is `repeatable`.
 */
enum exit_status job_run(const struct job *job, struct program *program,
			 struct task_source *source);

/*
 * The parts of a run, for one that is put together in another way (fleet.h).
 */

/*
 * Before the first task: the clock, the first line of the log, the options,
 * the files that the network needs, and the outputs. All that is wrong, as
 * `wrong` is, is reported together.
 */
MUST_CHECK enum code job_start(const struct job *job, struct program *program,
			       const struct status *wrong, struct status *st);

/* Connects the client and works on the task, which was prepared. */
void job_work(const struct job *job, struct client *client, struct task *task,
	      struct report *report, struct outcome *outcome);

/* Completes what is said of a failure: exit status, reason, effect. */
void job_explain(const struct job *job, struct outcome *outcome);

/*
 * Ends the run: result file, summary, termination log. `counts` are those of a
 * list, which then are all that is said of a success.
 */
enum exit_status job_finish(const struct job *job, struct report *report,
			    const struct outcome *outcome,
			    const struct task_counts *counts);

/*
 * Ends a run before its job has started: logs nothing, writes the result.
 * Returns the exit status of the error, EXIT_RETRY only if the report has no
 * room.
 */
enum exit_status job_abort(struct program *program, const struct status *st);

#endif
