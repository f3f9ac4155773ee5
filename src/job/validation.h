/*
 * Floor 4, job. How strictly a pull secret is checked: options.
 */
#ifndef JOB_VALIDATION_H
#define JOB_VALIDATION_H

#include "gcp/call.h"
#include "job/pullsecret.h"
#include "sys/opt.h"

/* --validate, --profile and --require-registry. */
extern const struct opt_table VALIDATION_OPTIONS;

/* INVALID_ARGUMENT if one of them has no meaning. */
MUST_CHECK enum code validation_check_options(struct status *st);

/*
 * pullsecret_check() as the options want it, today; `lent` lends its memory.
 * `*found` is valid until the next call.
 */
MUST_CHECK enum code validation_check(struct str text, struct call *lent,
				      const struct pullsecret_findings **found,
				      struct status *st);

/*
 * Takes the next warning off `*rest`, which starts as `found->text`; at last,
 * that there are more than those. False if nothing is left.
 */
MUST_CHECK bool validation_next_warning(const struct pullsecret_findings *found,
					struct str *rest, struct str *text);

#endif
