/*
 * Floor 4, job. The options of the main job, for all that run it or look ahead.
 */
#ifndef JOB_STORE_H
#define JOB_STORE_H

#include "job/input.h"
#include "job/options.h"
#include "job/prune.h"
#include "job/target.h"

/* Those that no other job has. */
extern const struct opt_table STORE_OPTIONS;

/* All tables of the main job, in their order. */
#define STORE_TABLES \
	&TARGET_OPTIONS, &INPUT_OPTIONS, &STORE_OPTIONS, &KEEP_OPTIONS, \
		&RUN_OPTIONS, &NETWORK_OPTIONS

#endif
