/*
 * Floor 4, job. What a run tells: log lines and the result file.
 *
 * A log line is one JSON object on standard output with its keys in
 * alphabetical order. The result file is what HyperFleet's status-reporter
 * reads: written once, at the end, replaced at once. The termination log is
 * what Kubernetes shows in a pod's status: one line on how the run ended.
 */
#ifndef JOB_REPORT_H
#define JOB_REPORT_H

#include "base/json.h"
#include "sys/file.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

/* One line; zero and NULL members are left out. */
struct log_line {
	enum log_level level;
	const char *operation;
	const char *message;
	const char *version; /* resource name of the secret version */
	bool timed;
	int64_t duration_ms; /* only if `timed` */
	/* of errors and warnings */
	const struct status *status; /* gives code, hint, HTTP status */
	unsigned attempt;
	int64_t retry_in_ms;
};

/* Caller-owned; private to report.c but for the first three. */
struct report {
	const char *cluster_id; /* NULL while unknown */
	const char *project;
	struct deadline until; /* how long a full log is waited for */
	struct status failure; /* the first line that could not be written */
	struct file_target result;
	bool result_written;
	int note; /* the termination log; -1: none */
};

/*
 * Prepares the result file: at `path`, or if that is NULL at the default
 * place if its folder exists, else nowhere. Removes a stale one.
 * INVALID_ARGUMENT if `path` is given and cannot be used.
 */
MUST_CHECK enum code report_init(struct report *report, const char *path,
				 struct status *st);

/*
 * Prepares the termination log of Kubernetes: the file at `path`, or if that
 * is NULL the default one, if it is there and can be written. Empties it.
 * INVALID_ARGUMENT if `path` is given and cannot be used.
 */
MUST_CHECK enum code report_init_note(struct report *report, const char *path,
				      struct status *st);

/*
 * Prepares what a crash leaves in result file and termination log. `report`
 * must stay where it is until report_close().
 */
void report_prepare_crash(struct report *report);

/* Writes a line. What cannot be written is remembered in `failure`. */
void report_log(struct report *report, const struct log_line *line);

/*
 * Writes result file and termination log, where there are any, the first time
 * that it is called: `reason` in PascalCase, `message` for people, `version` NULL if unknown. `st` holds the
 * failure, or is OK for a success. INTERNAL if it cannot be written.
 */
MUST_CHECK enum code report_result(struct report *report,
				   const struct status *outcome,
				   const char *reason, const char *message,
				   const char *version, struct status *st);

/* Closes what is open. */
void report_close(struct report *report);

#endif
