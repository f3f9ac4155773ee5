/*
 * Floor 4, job. Which part of a list of tasks a secret belongs to.
 *
 * The hash is stable over all versions of this program (README, "A list of
 * tasks"), so that shards of different ones never share a secret.
 */
#ifndef JOB_SHARD_H
#define JOB_SHARD_H

#include "job/task.h"

/* Of the name below, and the final NUL; a location has less than 48. */
#define TASK_NAME_SIZE (PROJECT_ID_MAX + SECRET_NAME_SIZE + 80)

/*
 * Writes the secret's full name: "projects/P/secrets/S", or
 * "projects/P/locations/L/secrets/S".
 */
void task_name(const struct task *task, char out[static TASK_NAME_SIZE]);

/* The first 8 bytes, big-endian, of the SHA-256 of that name. */
uint64_t task_hash(const struct task *task);

/* The shard of a hash, from 0 to `shards` - 1. */
unsigned shard_of(uint64_t hash, unsigned shards);

/* Whether it is the one of this run (--shards, JOB_COMPLETION_INDEX). */
bool shard_is_ours(uint64_t hash);

/*
 * The worker of a hash, from 0 to `workers` - 1: by other bits of it, so that
 * a shard has work for all of its workers.
 */
unsigned shard_worker(uint64_t hash, unsigned workers);

#endif
