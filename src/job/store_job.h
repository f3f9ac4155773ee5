/*
 * Floor 4, job. The main job: "run-job pull-secret".
 */
#ifndef JOB_STORE_JOB_H
#define JOB_STORE_JOB_H

#include "job/job.h"

/*
 * Validates configuration and pull secret, then stores it (store.h). Its one
 * task comes from the settings. Exit status: README, "Exit codes".
 */
extern const struct job STORE_JOB;

#endif
