/*
 * Floor 4, job. What a job is, and the runner that all jobs share.
 *
 * A new job is one file that defines a `struct job` and one row in jobs.h.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "job/outcome.h"
#include "job/program.h"

/* What is said of a job's effect where a run fails. */
struct job_words {
	const char *done;    /* it had its effect; the version follows */
	const char *unknown; /* it may have had it */
	const char *none;    /* stopped by a signal before anything was sent */
};

struct job {
	const char *name;
	const char *description;
	/* Its options, ended by NULL; RUN_OPTIONS and NETWORK_OPTIONS too. */
	const struct opt_table *const *options;
	const char *start; /* the first line of its log */
	struct job_words words;
	/* A repetition after EFFECT_DONE does no harm, so that it may come. */
	bool repeatable;
	/* Whether its own options fit together; NULL: nothing to check. */
	enum code (*check)(struct status *st);
	/*
	 * Reads and checks what the task needs, before the network is touched;
	 * NULL: nothing. `client` lends its memory. Fails in `outcome`.
	 */
	void (*prepare)(struct client *client, struct task *task,
			struct report *report, struct outcome *outcome);
	/* Works on the task; logs what it does. NULL: prepare() did it all,
	 * without network and credentials. */
	void (*run)(struct client *client, const struct task *task,
		    struct report *report, struct outcome *outcome);
};

/* Where tasks come from. */
struct task_source {
	/*
	 * Fills in the next task; false if there is none left. A task that is
	 * wrong is true and a failure in `st`.
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
 * the last one. A success that log or result file could not tell is
 * EXIT_UNREPORTED, or EXIT_RETRY where a repetition does no harm.
 */
enum exit_status job_run(const struct job *job, struct program *program,
			 struct task_source *source);

/*
 * Ends a run that never came to its job: logs nothing, writes the result. The
 * exit status of the error, which is EXIT_RETRY only for a report that has no
 * room.
 */
enum exit_status job_abort(struct program *program, const struct status *st);

#endif
