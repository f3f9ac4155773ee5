/*
 * Floor 4, job. Storing a pull secret: at most one version, always verified.
 */
#ifndef JOB_STORE_H
#define JOB_STORE_H

#include "job/run.h"

/*
 * Adds `run->secret` as a version of the secret of `run->config`, creating
 * the secret where it is missing, and reads it back. Fills `run->version`.
 * An addVersion whose reply was lost is looked for before it is repeated.
 * Codes: those of the calls; DATA_LOSS if other bytes came back.
 */
MUST_CHECK enum code store_secret(struct run *run, struct status *st);

/*
 * The same without changing anything: asks whether the secret exists and logs
 * what a run would do.
 */
MUST_CHECK enum code store_dry_run(struct run *run, struct status *st);

#endif
