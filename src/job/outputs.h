/*
 * Floor 4, job. Where a job reports to besides its log, and what must not be
 * written there.
 */
#ifndef JOB_OUTPUTS_H
#define JOB_OUTPUTS_H

#include "job/report.h"
#include "sys/file_guard.h"
#include "sys/opt.h"

/* Prepares result file and termination log of a job with these options. */
MUST_CHECK enum code outputs_prepare(struct report *report,
				     const struct opt_table *const *options,
				     struct status *st);

/* One of them, for people. */
struct output {
	const char *option; /* that names it */
	const char *usual;  /* what is looked for without it */
	const char *path;   /* NULL: there is none */
	bool given;         /* by the option */
};

/*
 * Whether outputs_prepare() could prepare the result file, or the termination
 * log; nothing is changed. Codes: those of report_init().
 */
MUST_CHECK enum code
outputs_probe_result(const struct opt_table *const *options,
		     struct output *output, struct status *st);
MUST_CHECK enum code
outputs_probe_termination_log(const struct opt_table *const *options,
			      struct output *output, struct status *st);

/*
 * The same of them, once everything was read: INVALID_ARGUMENT if it was one of
 * the files.
 */
MUST_CHECK enum code outputs_probe_end(enum file_output which,
				       struct status *st);

#endif
