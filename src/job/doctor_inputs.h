/*
 * Floor 4, job. The doctor's steps before the network: what is configured, and
 * the files. Private to doctor*.c.
 */
#ifndef JOB_DOCTOR_INPUTS_H
#define JOB_DOCTOR_INPUTS_H

#include "job/doctor.h"

/* One step each; false if it failed. The pull secret is wiped again. */
bool doctor_check_configuration(struct doctor *d, struct program *program);
bool doctor_check_pull_secret(struct doctor *d, struct program *program);
bool doctor_check_result_file(struct doctor *d, struct program *program);
bool doctor_check_termination_log(struct doctor *d, struct program *program);

/*
 * The same, the last one before the network: the process is confined then.
 * `resource_manager` as doctor_walk().
 */
bool doctor_check_credentials(struct doctor *d, struct program *program,
			      const char *resource_manager);

#endif
