/*
 * Floor 4, job. The launcher of a fleet: what it has in hand, and its loop.
 */
#ifndef JOB_LAUNCHER_H
#define JOB_LAUNCHER_H

#include "job/crew.h"
#include "job/failed.h"
#include "job/journal.h"
#include "job/pace.h"
#include "job/progress.h"
#include "job/tasks.h"

/* What is in flight when a signal comes may end: Kubernetes gives 30 s. */
#define DRAIN_MS 20000

/* A task that was read and is not done. */
struct slot {
	enum { SLOT_FREE, SLOT_WAITING, SLOT_BUSY } state;
	uint64_t order; /* in the list */
	struct task task;
};

/* Caller-owned, static; the slots that were used hold secrets. */
struct launcher {
	const struct job *job;
	struct report *report;
	struct crew crew;
	struct tasks tasks;
	struct pace pace;
	struct task_counts counts;
	struct progress progress;
	struct journal journal;
	struct failed failed;
	struct deadline until; /* of the run */
	bool ran;              /* at all */
	bool wrote;            /* something, at Google */
	bool list_ended;
	bool list_waits; /* for whoever writes it */
	bool more;       /* of the list can be read at once */
	uint64_t read;   /* tasks of the list */
	/*
	 * Why nothing is handed out any more; OK: it is. `exit` is what the run
	 * ends with then.
	 */
	struct status stop;
	enum exit_status exit;
	int signalled; /* the signal that came last; 0: none */
	/* After a stop, for tasks to end and for the list to be counted. */
	struct deadline drain_until;
	bool broken;                /* it cannot even wait */
	struct status last_failure; /* of a task */
	struct message said;        /* by a worker, just now */
	size_t used;                /* slots that were ever used */
	struct slot slot[TASKS_AHEAD_MAX];
};

/*
 * Hands out the tasks until all are done or something stops it, and fills
 * `counts` and `stop`.
 */
void launcher_run(struct launcher *launcher);

#endif
