/*
 * Floor 4, job. A job over a list of tasks, by several processes.
 *
 * The process that was started is the launcher: it reads the list, hands out
 * its tasks, sets the pace, and writes all output; it never reads a byte of the
 * network. It forks the spawner, which forks the workers and replaces those
 * that die. A worker is a client of its own, with a token, a connection and a
 * sandbox of its own, and has one task at a time, which it gets over a socket
 * pair. A list is always worked on like this, by one worker, too.
 *
 * What the tasks share is read before: prepare() of the job is called once for
 * the run, with a task whose `line` is 0, which may find no payload. Then the
 * worker calls it for each task: `input` holds what its line or its file
 * brought, and where that is nothing, `payload` is what is shared, or empty.
 */
#ifndef JOB_FLEET_H
#define JOB_FLEET_H

#include "job/job.h"

/*
 * Runs a job whose options have been read, with --tasks among them, over its
 * list. Reports as job_run(). EXIT_DONE if every task succeeded; else
 * EXIT_RETRY if one of those that failed may succeed later, EXIT_TASKS_FAILED
 * if none; or what ended the run: EXIT_CONFIG, EXIT_AUTH, a signal's.
 */
enum exit_status fleet_run(const struct job *job, struct program *program);

#endif
