/*
 * Floor 4, job. How far a list is: on a terminal a line on standard error that
 * is rewritten, else a log line now and then.
 */
#ifndef JOB_PROGRESS_H
#define JOB_PROGRESS_H

#include "job/counts.h"
#include "job/report.h"

/* A moment of the run. */
struct progress_point {
	int64_t at_ms;
	uint64_t done, bytes;
};

/* Caller-owned; private to progress.c. */
struct progress {
	struct report *report;
	bool terminal;
	size_t shown; /* columns of the line that stands there; 0: none */
	int64_t next_ms;
	/* The pace is that since the first of them, some 10 to 20 s ago. */
	struct progress_point since, later;
};

/*
 * Starts it; before the process is confined, for it asks whether standard error
 * is a terminal. `report` must stay.
 */
void progress_start(struct progress *progress, struct report *report,
		    int64_t now_ms);

/*
 * Shows the state if it is time to. `bytes` are done of a list of `size` (0:
 * unknown, then the time left is not given).
 */
void progress_step(struct progress *progress, const struct task_counts *counts,
		   uint64_t bytes, uint64_t size, int64_t now_ms);

/* Milliseconds until progress_step() has something to do. */
int64_t progress_wait(const struct progress *progress, int64_t now_ms);

/*
 * Takes the line from the terminal: before each log line, and at the end. The
 * next progress_step() that is due shows it again.
 */
void progress_clear(struct progress *progress);

#endif
