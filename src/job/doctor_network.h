/*
 * Floor 4, job. The doctor's steps to Secret Manager: name, TCP, proxy, TLS,
 * and the token. Private to doctor*.c.
 */
#ifndef JOB_DOCTOR_NETWORK_H
#define JOB_DOCTOR_NETWORK_H

#include "job/doctor.h"

/* Four steps, DOCTOR_DNS to DOCTOR_TLS; false if one failed. */
bool doctor_connect(struct doctor *d, struct program *program);

/* The step DOCTOR_TOKEN; false if it failed. */
bool doctor_check_token(struct doctor *d, struct program *program);

#endif
