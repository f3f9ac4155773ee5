/*
 * Floor 4, job. The doctor's steps that ask Google: the API, the clock, the
 * secret, and each permission. Private to doctor*.c.
 */
#ifndef JOB_DOCTOR_PERMISSIONS_H
#define JOB_DOCTOR_PERMISSIONS_H

#include "job/doctor.h"

/* The steps from DOCTOR_API on; with a connection and a token. */
void doctor_ask(struct doctor *d, struct program *program);

#endif
