/*
 * Floor 4, job. The list of the tasks that failed, which is a list of tasks.
 */
#ifndef JOB_FAILED_H
#define JOB_FAILED_H

#include "job/task.h"
#include "sys/append.h"

/* Caller-owned, all zero at first. Private to failed.c. */
struct failed {
	bool is_open;
	struct append file;
};

/*
 * Opens the file at `path`, which may hold secrets, and makes it empty; NULL:
 * there is none. `what` is the option that names it. Codes: those of
 * append_open(), and INVALID_ARGUMENT for a file that is not empty and names no
 * cluster_id in its first 4 KiB: it is left as it is.
 */
MUST_CHECK enum code failed_open(struct failed *failed, const char *path,
				 const char *what, struct status *st);

/*
 * Adds a task, or a line of the list as it is (without line feed); OK without a
 * file. UNAVAILABLE if it cannot be written.
 */
MUST_CHECK enum code failed_add(struct failed *failed, const struct task *task,
				struct status *st);
MUST_CHECK enum code failed_add_line(struct failed *failed, struct str line,
				     struct status *st);

/* Closes it; a forked process closes its copy, too. */
void failed_close(struct failed *failed);

#endif
