/*
 * Floor 4, job. Log lines: which are written, where, and how they look.
 *
 * JSON: one object a line with its keys in alphabetical order. Text, for
 * people: "TIME LEVEL MESSAGE (HINT) KEY=VALUE...". In neither a control
 * character of a terminal is left.
 */
#ifndef JOB_LOG_H
#define JOB_LOG_H

#include "gcp/call.h"
#include "job/counts.h"
#include "job/options.h"

enum log_level { LOG_DEBUG = -1, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* One line; zero and NULL members are left out. */
struct log_line {
	enum log_level level;
	const char *operation;
	const char *message;
	const char *version; /* resource name of the secret version */
	bool of_task; /* of a list: in text, too, its names stand in it */
	bool timed;
	int64_t duration_ms; /* only if `timed` */
	/* of errors and warnings */
	const struct status *status; /* gives code, hint, HTTP status */
	unsigned attempt;
	int64_t retry_in_ms;
	/* of an exchange: times of its phases and bytes */
	const struct conn_usage *usage;
	const struct task_counts *counts; /* of a list, at its end and so far */
};

/* Caller-owned. All zero: JSON on standard output, from LOG_INFO on. */
struct log {
	enum log_level level; /* lines below it are left out */
	bool text;
	bool coloured;
	bool to_stderr;
	bool quiet; /* no summary, either */
	/* Variables that were passed over, for a warning; "": none. */
	char ignored[512];
};

/*
 * Reads what was asked for, and whether standard output is a terminal. Other
 * programs share the variables: an unknown value in one is passed over.
 * INVALID_ARGUMENT for one in a flag.
 */
MUST_CHECK enum code log_init(struct log *log, struct status *st);

/* The descriptor that lines are written to, and its name in messages. */
int log_fd(const struct log *log);
const char *log_place(const struct log *log);

/*
 * Writes a line and its line feed to `out`, which must be empty; names may be
 * NULL. False if it does not fit.
 */
MUST_CHECK bool log_build(const struct log *log, const char *cluster_id,
			  const char *project, const struct log_line *line,
			  struct buf *out);

#endif
