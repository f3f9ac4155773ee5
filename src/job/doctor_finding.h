/*
 * Floor 4, job. How the doctor's steps record what they found. Private to
 * doctor*.c.
 */
#ifndef JOB_DOCTOR_FINDING_H
#define JOB_DOCTOR_FINDING_H

#include "job/doctor.h"

/*
 * Records a verdict; of one that is neither ok nor skipped the exit status,
 * else EXIT_DONE.
 */
void doctor_record(struct doctor *d, enum doctor_step step,
		   enum doctor_verdict verdict, enum exit_status exit,
		   const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Records that a step failed with `st`: its message, hint and exit status. */
void doctor_fail(struct doctor *d, enum doctor_step step,
		 const struct status *st);

/* Adds a line to the hint of a step. */
void doctor_hint(struct doctor *d, enum doctor_step step, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

#endif
