/*
 * Floor 4, job. What became of the tasks of a list.
 */
#ifndef JOB_COUNTS_H
#define JOB_COUNTS_H

#include "base/json_write.h"
#include "base/status.h"

/* One more than the last of enum code. */
#define CODES 17

/* All zero: nothing yet. total = succeeded + failed + not_tried. */
struct task_counts {
	uint64_t total;
	uint64_t succeeded;
	uint64_t skipped; /* of them: the journal has them */
	uint64_t failed;
	uint64_t may_pass;       /* of them: another run may succeed */
	uint64_t not_tried;      /* after a stop */
	uint64_t by_code[CODES]; /* of those that failed */
};

/* Adds one task each. An effect that is unknown is CODE_UNKNOWN. */
void counts_succeeded(struct task_counts *counts, bool skipped);
void counts_failed(struct task_counts *counts, enum code code, bool may_pass);
void counts_not_tried(struct task_counts *counts);

/* The `reason` of the result file: "TasksSucceeded" and so on. */
const char *counts_reason(const struct task_counts *counts);

/*
 * Writes "T total, S succeeded, F failed" and so on into `out`, cut to fit;
 * `all` is what T is called ("total").
 */
void counts_message(const struct task_counts *counts, const char *all,
		    char *out, size_t size);

/*
 * Takes the next of "task_failed" to "task_total", in alphabetical order; those
 * of skipped and untried tasks only if there are some. `*at` starts with 0;
 * false after the last one.
 */
MUST_CHECK bool counts_next(const struct task_counts *counts, size_t *at,
			    const char **key, uint64_t *value);

/*
 * The members of an object: "failed_by_code": {"NOT_FOUND": 2}, if any did, and
 * those of counts_next(). Nothing for NULL.
 */
void counts_put_codes(const struct task_counts *counts,
		      struct json_writer *json);
void counts_put(const struct task_counts *counts, struct json_writer *json);

#endif
