/*
 * Floor 4, job. Reports of a run: log lines, result file, termination log.
 *
 * Log lines are those of log.h. The result file is what HyperFleet's
 * status-reporter reads: written once, at the end, atomically. The termination
 * log is what Kubernetes shows in a pod's status: one line on how the run
 * ended.
 */
#ifndef JOB_REPORT_H
#define JOB_REPORT_H

#include "gcp/retry.h"
#include "job/log.h"
#include "sys/file.h"

/* Where lines go instead. */
struct report_sink {
	/* What cannot be written is put into `failure`. */
	void (*put)(void *context, const struct log_line *line,
		    struct status *failure);
	void *context;
};

/* Caller-owned; result and termination log are private to report.c. */
struct report {
	const char *cluster_id; /* NULL while unknown */
	const char *project;
	struct log log; /* how lines are written */
	/*
	 * NULL: to the log. A worker has one, and what it does is for LOG_DEBUG
	 * only: it is one of many, and the launcher says how its tasks end.
	 */
	const struct report_sink *sink;
	struct deadline until; /* how long a full log is waited for */
	struct status failure; /* the first line that could not be written */
	struct file_target result;
	int termination_log; /* -1: none */
	const char *termination_path;
	bool is_started;
	struct str crash;      /* what a crash writes to the result file */
	const char *operation; /* what the run is doing, as the log names it */
	struct retry_listener retries; /* logs each as a warning */
	struct call_observer requests; /* logs each for LOG_DEBUG */
};

/* Makes an all-zero report ready: nothing to write to but the log. */
void report_clear(struct report *report);

/* Where the reports go by default. */
#define RESULTS_FOLDER "/results"
#define RESULTS_FILE "/results/adapter-result.json"
#define TERMINATION_LOG "/dev/termination-log"

/* A file that the run reads, or that something else is written to. */
struct other_file {
	const char *what; /* the option that names it */
	const char *path; /* NULL: what descriptor `fd` stands for */
	int fd;
};

/*
 * Whether `path` is none of the `count` other files. INVALID_ARGUMENT says
 * which; `what` is the option that names `path`.
 */
MUST_CHECK enum code report_check_others(const char *path, const char *what,
					 const struct other_file *other,
					 size_t count, struct status *st);

/*
 * Prepares the result file: at `path`, or if that is NULL at the default
 * place if its folder exists, else nowhere. INVALID_ARGUMENT if `path` is given
 * and cannot be used, or is one of the `count` other files.
 */
MUST_CHECK enum code report_init(struct report *report, const char *path,
				 const struct other_file *other, size_t count,
				 struct status *st);

/*
 * Prepares the termination log of Kubernetes: the file at `path`, or if that
 * is NULL the default one, if it is there and can be written. INVALID_ARGUMENT
 * if `path` is given and cannot be used, or is one of the `count` other files.
 */
MUST_CHECK enum code report_init_termination_log(struct report *report,
						 const char *path,
						 const struct other_file *other,
						 size_t count,
						 struct status *st);

/* Records that the termination log cannot be `path`, for `error` (errno). */
enum code report_refuse_termination_log(const char *path, int error,
					struct status *st);

/*
 * Takes the room that the result file will need, and prepares what a crash
 * writes to it and to the termination log; `unknown` says what is unknown
 * then. `report` must stay where it is until report_close(). UNAVAILABLE if
 * there is no room; then there will be no result file.
 */
MUST_CHECK enum code report_reserve(struct report *report, const char *unknown,
				    struct status *st);

/*
 * Once everything was read: removes a stale result file and empties the
 * termination log, once. INVALID_ARGUMENT if one of them is a file that was
 * read (sys/file_guard.h): then it stays as it is, and nothing will be written
 * to it.
 */
MUST_CHECK enum code report_start(struct report *report, struct status *st);

/*
 * Writes a line, if its level is written. What cannot be written is remembered
 * in `failure`.
 */
void report_log(struct report *report, const struct log_line *line);

/* Logs a message of `operation` at level info. */
void report_info(struct report *report, const char *operation,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * The same with the time since `started_ms` (clock_ms()) and the version, if
 * that is not "".
 */
void report_done(struct report *report, const char *operation,
		 int64_t started_ms, const char *version, const char *format,
		 ...) __attribute__((format(printf, 5, 6)));

/*
 * Whether every line so far could be written; otherwise a run ends before it
 * sends anything. The code of the failure.
 */
MUST_CHECK enum code report_check(const struct report *report,
				  struct status *st);

/*
 * Waits until one more line of that level can be written. If that will never
 * be, `failure` says so.
 */
void report_wait_log(struct report *report, enum log_level level);

/* How a run ended. */
struct ending {
	const struct status *outcome;     /* the failure; OK for a success */
	const char *reason;               /* PascalCase, stable */
	const char *message;              /* for people */
	const char *version;              /* NULL if unknown */
	const struct task_counts *counts; /* of a list; else NULL */
};

/*
 * Writes the result file, if there is one, or replaces it. INTERNAL if it
 * cannot be written; then the file is removed.
 */
MUST_CHECK enum code report_result(struct report *report,
				   const struct ending *ending,
				   struct status *st);

/* Writes the termination log, if there is one; last of all. */
void report_termination(struct report *report, const struct ending *ending);

/* In a process that was just forked: the outputs are the other one's. */
void report_forked(struct report *report);

/* Closes what is open. */
void report_close(struct report *report);

#endif
