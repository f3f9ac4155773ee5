/*
 * Floor 4, job. The spawner of a fleet: forks the workers, and reports how they
 * end. It parses nothing.
 *
 * A filter of system calls is inherited, so that who forks workers must be
 * allowed all that they are. The launcher is not, so it does not fork them.
 */
#ifndef JOB_SPAWNER_H
#define JOB_SPAWNER_H

#include "job/job.h"

/* The channels that a spawner has: of its workers, and to the launcher. */
struct spawner_ends {
	unsigned count;
	int worker[WORKERS_MAX]; /* below `count` */
	int control;
};

/*
 * Runs in a process of its own, which was just forked, and returns there; so
 * does each worker that it forks. Ends with its workers when the other end of
 * `control` is closed.
 */
enum exit_status spawner_run(const struct job *job, struct program *program,
			     const struct spawner_ends *ends);

#endif
