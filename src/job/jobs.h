/*
 * Floor 4, job. The jobs: a row for each, and a file that defines it, as
 * `const struct job JOB_` and the row's name.
 */
#ifndef JOB_JOBS_H
#define JOB_JOBS_H

#include "job/job.h"

#define JOBS(ROW) \
	ROW(pull_secret)          /* store_pull_secret.c */ \
	ROW(rollback_pull_secret) /* rollback.c */ \
	ROW(delete_pull_secret)   /* delete.c */

#define JOB_DECLARE(name) extern const struct job JOB_##name;
JOBS(JOB_DECLARE)
#undef JOB_DECLARE

/* The job number `i`, from 0; NULL: there are no more. */
const struct job *job_number(size_t i);

/* The job of that name, or NULL. */
const struct job *job_find(struct str name);

#endif
