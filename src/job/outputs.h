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
 * Whether outputs_prepare() could prepare `which`; nothing is changed. Guards
 * it until file_guard_end(). INVALID_ARGUMENT as report_init(); UNAVAILABLE if
 * there is no room for it.
 */
MUST_CHECK enum code outputs_probe(enum file_output which,
				   const struct opt_table *const *options,
				   struct output *output, struct status *st);

#endif
