/*
 * Floor 4, job. The options of a list of tasks.
 */
#ifndef JOB_TASKS_OPTIONS_H
#define JOB_TASKS_OPTIONS_H

#include "base/status.h"
#include "sys/opt.h"

/* --tasks and what goes with it. */
extern const struct opt_table TASKS_OPTIONS;

/* Its path as it was given, also before tasks_check(); NULL: there is none. */
const char *tasks_path(void);

/* Whether there is a list (--tasks), and whether it is standard input. */
bool tasks_given(void);
bool tasks_from_input(void);

/* Without a list, one worker and one shard. */
struct tasks_settings {
	const char *file;   /* --tasks; "-": standard input; NULL: none */
	const char *folder; /* --tasks-folder, or NULL */
	const char *failed; /* --failed, or NULL */
	bool strict;
	unsigned workers; /* 1 to WORKERS_MAX */
	unsigned shards;  /* 1 without --shards */
	unsigned shard;   /* below `shards` */
	/* Write requests in 1000 s; 0: not given. */
	uint64_t rate;
	int64_t task_timeout_ms;
};

/* What tasks_check() read. */
const struct tasks_settings *tasks_settings(void);

/*
 * Reads them; together with the job's own check, for every job that takes
 * them. INVALID_ARGUMENT if one is wrong, or if they do not fit together or to
 * other options.
 */
MUST_CHECK enum code tasks_check(struct status *st);

#endif
