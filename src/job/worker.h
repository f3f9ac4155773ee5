/*
 * Floor 4, job. A worker of a fleet: gets a task, does it, says what became of
 * it, gets the next one.
 */
#ifndef JOB_WORKER_H
#define JOB_WORKER_H

#include "job/job.h"

/*
 * Runs in a process of its own, which was just forked, until the other end of
 * the channel `fd` is closed or a signal comes. What came for a worker that had
 * the channel before is dropped.
 */
enum exit_status worker_run(const struct job *job, struct program *program,
			    int fd);

#endif
