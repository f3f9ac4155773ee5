/*
 * Floor 4, job. What there is to do.
 */
#ifndef JOB_TASK_H
#define JOB_TASK_H

#include "base/bounds.h"
#include "base/buf.h"

/* Secret Manager: [A-Za-z0-9_-]{1,255}. */
#define SECRET_NAME_SIZE 256
/* A label value: at most 63 characters. */
#define CLUSTER_ID_MAX 63
/* Project IDs have up to 30; domain-scoped ones have a domain in front. */
#define PROJECT_ID_MAX 100

/* Caller-owned; holds a secret: end with task_wipe(). Texts stay. */
struct task {
	const char *project;
	const char *cluster_id; /* NULL where none is needed */
	char secret[SECRET_NAME_SIZE];
	struct str payload; /* what is stored, a part of `input` */
	struct buf input;   /* as it was read */
	char input_memory[PULL_SECRET_MAX + PULL_SECRET_SLACK];
};

/* Gives an all-zero `task` its memory. */
void task_init(struct task *task);

/* Wipes it; also a struct that is all zero. */
void task_wipe(struct task *task);

#endif
